"""A prior over discrete codes: VQ-VAE, van den Oord et al. 2017 (1711.00937, sections 3.3 and 4.1).

Learns what codes of a trained VQ-VAE follow one another, and so draws new images of a class.

  python -m recipes.vqvae_image && python -m recipes.codes_prior          a VQ-VAE of digits, then all phases here
  python -m recipes.codes_prior --mode=sample --classes=3,7 --num_samples=32
  python -m recipes.codes_prior --workdir=runs/cifar10_prior --data=runs/cifar10 --kernel_size=3 --batch_size=64 \
      --epochs=6 --images=keras:cifar10 --num_judged=2000

Here: digits, 16 codes of 128 each, seeds 0 to 2, two minutes on two busy cores: 3.50 to 3.82 bits a code, 7 if all were
alike probable; by the features of the shipped classifier drawn images are 0.14 to 0.15 from real ones, decoded ones
0.04, those of codes drawn uniformly 1.7 to 2.3. CIFAR-10, 64 codes of 512, 6 epochs, 19 minutes: 6.68 bits a code, 5.77
a dimension; distances 8.4 drawn, 4.5 decoded, 22.6 uniform; 27 % of drawn images are taken for their class.

Paper: its samples are pictures; it prints no number of them.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help).
"""

import pathlib

import numpy as np

from toolkit import data, generation, methods, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(settings.FallingRate, settings.Devices, settings.Sampling, settings.Export):
    data: str = setting("runs/vqvae_image", "workdir of a VQ-VAE, whose --mode=codes has encoded its data", path=True)
    condition: str = setting("label", "what the prior is told", choices=("none", "label"))
    filters: int = setting(64, "channels of the blocks", paper="of ImageNet: 384", minimum=1, maximum=8192)
    num_layers: int = setting(8, "gated blocks", paper="20", minimum=1, maximum=1000)
    kernel_size: int = setting(5, "places that a block sees at once, each way", paper="5", minimum=3, maximum=99)
    head_filters: int = setting(128, "channels before the logits", minimum=1, maximum=16_384)
    dropout: float = setting(0.1, "share of the gated values that training leaves out", minimum=0.0, maximum=0.99)
    classes: str = setting("", "of --mode=sample, between commas; empty: each in turn", changeable=True, maximum=10_000)
    temperature: float = setting(
        1.0, "1: as the prior expects; less: the likelier codes", minimum=0.0, maximum=100.0, changeable=True
    )
    images: str = setting(
        "",
        "real images with which drawn ones are compared: what was --data of the VQ-VAE; empty: not",
        changeable=True,
        path=True,
    )
    judge: str = setting(
        "",
        "workdir of image_classification whose network compares them; empty: the one that comes with the code",
        changeable=True,
        path=True,
    )
    num_judged: int = setting(1000, "images that are drawn and compared", minimum=2, maximum=1_000_000, changeable=True)
    max_measured: int = setting(
        100, "test images whose codes say how good an exported file is", minimum=1, maximum=1_000_000, changeable=True
    )
    optimizer: str = other("adam", choices=("adam",))
    learning_rate: float | None = other(1e-3)
    batch_size: int = 32
    epochs: int = 15
    num_samples: int = 40

    def check(self) -> None:
        if self.kernel_size % 2 == 0:
            raise ValueError(f"--kernel_size={self.kernel_size} must be odd.")


def load(s):
    """`data.codes.Codes`, their batches {"codes", "label", "length"}."""
    codes = data.codes.load(pathlib.Path(s.data) / "codes", **s.only("batch_size", "seed"))
    if codes.facts.get("autoencoder") != "image":
        raise ValueError(
            f"--data={s.data}: its codes are not of images. The recipe of its VQ-VAE has a prior of its own."
        )
    return codes


def network(s, codes):
    height, *width = codes.shape
    return models.pixelcnn.pixelcnn(
        height,
        int(np.prod(width)),
        codes.num_codes,
        num_blocks=s.num_layers,
        class_names=codes.label_names if s.condition == "label" else (),
        **s.only("filters", "kernel_size", "head_filters", "dropout"),
    )


def train(run):
    s, codes = run.settings, run.data
    autoencoder = run.load(workdir=s.data)
    data.codes.check_codebook(codes, np.asarray(autoencoder.get_layer("codebook").embeddings), s.data)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(codes.splits.train))
    with run.scope():
        prior = network(s, codes)
        methods.code_likelihood.compiled(prior, keras.optimizers.Adam(falling, global_clipnorm=1.0))
    splits = codes.splits.map(methods.code_likelihood.Pairs(prior))
    labels = np.arange(20) % max(1, len(codes.label_names))

    def pictures():
        return {"training/samples": samples(prior, autoencoder, labels, seed=s.seed)}

    networks = {"prior": prior, "autoencoder": autoencoder}
    run.fit(prior, splits.train, splits.validation, network=networks, monitor="bits_per_code", pictures=pictures)


def drawn(prior, autoencoder, labels, *, temperature=1.0, seed=0):
    """Images of the classes, float (images, height, width, channels), 0 to 255."""
    reads = {"label": labels} if "label" in {each.name for each in prior.inputs} else {}
    generator = generation.code_maps.CodeMapGenerator(prior)
    codes = generator.write(len(labels), temperature=temperature, seed=seed, **reads)
    return decoded(autoencoder, codes)


def decoded(autoencoder, codes):
    shape, blocks = models.vqvae.code_shape(autoencoder), np.array_split(codes, -(-len(codes) // 100))
    return np.concatenate([models.vqvae.decoded(autoencoder, each.reshape(-1, *shape)) for each in blocks])


def samples(prior, autoencoder, labels, **how):
    names = models.pixelcnn.class_names(prior)
    return visualize.images.grid(
        drawn(prior, autoencoder, labels, **how), [names[label] for label in labels] if names else (), columns=10
    )


def trained(run):
    found = run.load()
    return found["prior"], found["autoencoder"]


def evaluate(run):
    s, (prior, autoencoder), codes = run.settings, trained(run), run.data
    methods.code_likelihood.compiled(prior)
    test = codes.splits.test.map(methods.code_likelihood.Pairs(prior)).dataset(num_epochs=1)
    found = {"bits_per_code": prior.evaluate(test, verbose=0, return_dict=True)["bits_per_code"]}
    found["bits_per_code_of_uniform_codes"] = np.log2(codes.num_codes)
    num_dims, reconstruction = np.prod(autoencoder.input_shape[1:]), codes.facts["test_reconstruction_nats"] / np.log(2)
    for name, bits in (("", found["bits_per_code"]), ("_with_uniform_codes", np.log2(codes.num_codes))):
        found[f"bits_per_dim{name}"] = (reconstruction + bits * np.prod(codes.shape)) / num_dims
    run.report(found | (judged(run, prior, autoencoder) if s.images else {}))


def judged(run, prior, autoencoder):
    """How near drawn images come to real test images, as a classifier sees both, and what it takes them for."""
    s, codes, (side, _, channels) = run.settings, run.data, autoencoder.input_shape[1:]
    real = data.images.load(s.images, image_size=side, batch_size=100, channels=channels, seed=s.seed)
    judge = methods.image_judge.ImageJudge(
        run.load(workdir=s.judge or training.shipping.shipped("image_classification"))
    )
    test = codes.splits.test.spread(s.num_judged).arrays()
    uniform = np.random.default_rng(s.seed).integers(0, codes.num_codes, test["codes"].shape)
    images = {
        "decoded": decoded(autoencoder, test["codes"]),
        "drawn": drawn(prior, autoencoder, test["label"], temperature=s.temperature, seed=s.seed),
        "uniform_codes": decoded(autoencoder, uniform),
    }
    judge.compare(block for block, _ in real.blocks("test", len(test["label"])))
    found = {f"frechet_distance_of_{name}": judge.frechet_distance(each) for name, each in images.items()}
    names = [codes.label_names[label] for label in test["label"]]
    for name, each in images.items():
        if s.condition == "label" and set(names) <= set(judge.class_names) and name != "uniform_codes":
            found[f"class_seen_in_{name}_percent"] = judge.accuracy(each, names)
    return found


def sample(run):
    s, (prior, autoencoder) = run.settings, trained(run)
    names = models.pixelcnn.class_names(prior)
    asked = [word.strip() for word in s.classes.split(",") if word.strip()]
    for name in asked:
        if name not in names:
            raise ValueError(
                f"--classes={s.classes}: the prior never saw {name!r}; it knows {', '.join(names) or 'none'}."
            )
    labels = [names.index(name) for name in asked] or list(range(max(1, len(names))))
    labels = np.resize(labels, s.num_samples)
    how = {"temperature": s.temperature, "seed": s.sample_seed}
    run.picture("samples", samples(prior, autoencoder, labels, **how))
    uniform = np.random.default_rng(s.sample_seed).integers(0, prior.output_shape[-1], (20, *prior.output_shape[1:3]))
    run.picture("uniform_codes", visualize.images.grid(decoded(autoencoder, uniform), columns=10))


def export(run):
    s, (prior, autoencoder), codes = run.settings, trained(run), run.data_to_measure()
    test = codes.splits.test.spread(s.max_measured).arrays() if codes else {"codes": (), "label": ()}
    served = serving.code_maps.code_maps(
        [prior],
        autoencoder,
        label_names=models.pixelcnn.class_names(prior),
        measured=list(zip(test["codes"], test["label"], strict=True)),
        seed=s.seed,
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export)
