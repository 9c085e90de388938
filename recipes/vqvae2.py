"""Images as codes of several levels: VQ-VAE-2, Razavi et al. 2019 (1906.00446, section 3.1 and appendix A).

Sees an image through maps of discrete codes, coarse ones for its shapes and finer ones for its detail, and draws it
again from them; priors over them are codes_prior's.

  python -m recipes.vqvae2                                                 all phases on scikit-learn's digits
  python -m recipes.codes_prior --data=runs/vqvae2                         then: priors over these codes, and samples
  python -m recipes.vqvae2 --workdir=runs/own --data=folder:FOLDER --image_size=128 --num_levels=3
  python -m recipes.vqvae2 --workdir=runs/own --mode=sample --images=one.jpg,two.png
  python -m recipes.vqvae2 --workdir=runs/cifar10 --data=keras:cifar10 --num_embeddings=512 --embedding_dim=64 \
      --batch_size=64 --epochs=12

Here: digits, 4 codes and 16 of 128 each, seed 0, a minute and a half on two busy cores: 4.47 bits a dimension, squared
error 1.7 % of the variance, perplexities 105 and 78. CIFAR-10, 16 codes and 64 of 512 each, 26 minutes: 5.74 bits a
dimension, squared error 5.1 % of the variance of test images, 208, and 206 of training images.

Paper: ImageNet of 256 x 256 pixels, squared error 0.0047 of training images and 0.0050 of others, on its own scale.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help); the loss is the likelihood
of each channel of each pixel, by a discretised logistic of its own, and not the squared error.
"""

import numpy as np

from toolkit import data, layers, methods, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.EncodedImages,
    settings.ImageAutoencoder,
    settings.FallingAdam,
    settings.Devices,
    settings.Sampling,
    settings.ImageExport,
):
    num_levels: int = setting(
        2,
        "maps of codes, the finest of a quarter of the image's side",
        paper="2, of 1024 pixels 3",
        minimum=2,
        maximum=3,
    )
    units: int = other(64, paper="128")
    residual_units: int = other(32, paper="64")
    num_residual_blocks: int = other(2, help="residual blocks of each level's encoder and decoder")
    embedding_dim: int = other(32, paper="64")
    judge: str = setting(
        "",
        "workdir of image_classification: its network tells by which level's codes images have their class; empty: no",
        changeable=True,
        path=True,
    )
    learning_rate: float = other(1e-3, paper="3e-4")
    batch_size: int = other(32, paper="128")
    epochs: int = 20
    num_samples: int = 16

    def check(self) -> None:
        most = 2 ** (self.num_levels + 1)
        if self.size % most:
            raise ValueError(
                f"--image_size={self.size} is no multiple of {most}, by which --num_levels={self.num_levels} divide it."
            )


def load(s):
    """`data.images.Images`, their batches (image, label)."""
    return data.images.load(**s.reading(), batch_size=s.batch_size)


def network(s, channels):
    codebooks = [
        layers.VectorQuantizer(**s.quantizer(), seed=s.seed, metrics_name=name, name=name)
        for name in models.vqvae2.codebook_names(s.num_levels)
    ]
    return models.vqvae2.vqvae2(s.size, channels, num_levels=s.num_levels, codebooks=codebooks, **s.convolutions())


def train(run):
    s, images = run.settings, run.data
    splits = images.splits.map(methods.image_codes.pair)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(splits.train))
    s.warn_of_few_vectors(s.batch_size * (s.size // 2 ** (s.num_levels + 1)) ** 2)
    with run.scope():
        model = network(s, images.parts["train"].store[0].shape[-1])
        methods.image_codes.compiled(model, keras.optimizers.Adam(falling))
    shown, _ = next(images.blocks("validation", 8))
    run.fit(
        model,
        splits.train,
        splits.validation,
        monitor="reconstruction_bits_per_dim",
        pictures=lambda: {"training/reconstructions": reconstructions(model, shown)},
    )


def codes_of(model, images):
    return [np.asarray(each) for each in models.vqvae2.codes(model, np.asarray(images, "float32"))]


def reconstructions(model, images):
    """Images, each level's codes as colours, and what is drawn from the levels down to it."""
    codes, names, rows = codes_of(model, images), models.vqvae2.level_names(model), [("real", images)]
    for number, (layer, name) in enumerate(zip(models.vqvae2.codebooks(model), names, strict=True), 1):
        first = codes[number - 1].reshape(*codes[number - 1].shape[:3], -1)[..., 0]
        known = [*codes[:number], *[None] * (len(codes) - number)]
        again = np.asarray(models.vqvae2.decoded(model, known))
        told = f"decoded from {' and '.join(names[:number])}"
        rows += [(f"codes: {name}", visualize.codes.maps(first, layer.num_embeddings)), (told, again)]
    return visualize.images.beside(rows)


def exchanged(model, images):
    """Yields for each level its name and the images, decoded with its codes of the next one."""
    codes = codes_of(model, images)
    for number, name in enumerate(models.vqvae2.level_names(model)):
        mixed = [np.roll(each, -1, axis=0) if level == number else each for level, each in enumerate(codes)]
        yield name, np.asarray(models.vqvae2.decoded(model, mixed))


def beside_exchanged(model, images):
    rows = [(f"{name} of the next", mixed) for name, mixed in exchanged(model, images)]
    return visualize.images.beside([("real", images), *rows])


def carried(run, model):
    """Percent of images that take on another one's class, where it is another, with its codes of a level: by level."""
    judge, found = methods.image_judge.ImageJudge(run.load(workdir=run.settings.judge)), {}
    for images, labels in run.data.blocks("test", len(run.data.parts["test"].labels)):
        own = judge.labels([run.data.class_names[label] for label in labels])
        other = np.roll(own, -1)
        for name, mixed in exchanged(model, images):
            seen = judge.look(mixed).probabilities.argmax(axis=-1)
            found.setdefault(f"class_carried_by_{name}_percent", []).extend(100.0 * (seen == other)[own != other])
    return {name: np.mean(each) for name, each in found.items()}


def evaluate(run):
    model, splits = run.load(), run.data.splits
    # First, for a judge of other classes is refused by it.
    found = carried(run, model) if run.settings.judge else {}
    found |= methods.image_codes.measured(model, splits.test.dataset(num_epochs=1))
    # Of as many training images as there are others.
    seen = splits.train.take(min(splits.test.steps_per_epoch, splits.train.steps_per_epoch)).dataset(num_epochs=1)
    *_, nats, errors = map(np.concatenate, zip(*methods.image_codes.encoded(model, seen), strict=True))
    bits = np.mean(nats, dtype="float64") / np.log(2)
    found["training_reconstruction_bits_per_dim"] = bits / np.prod(model.input_shape[1:])
    found["training_squared_error"] = np.mean(errors, dtype="float64")
    layers, shapes = models.vqvae2.codebooks(model), models.vqvae2.code_shapes(model)
    for name, layer, shape in zip(models.vqvae2.level_names(model), layers, shapes, strict=True):
        found[f"bits_of_{name}_codes_per_image"] = np.prod(shape) * np.log2(layer.num_embeddings)
    run.report(found, paper={"imagenet_squared_error_on_its_own_scale": 0.005})
    shown, _ = next(run.data.blocks("test", 8))
    run.picture("reconstructions", reconstructions(model, shown))
    run.picture("exchanged", beside_exchanged(model, shown))


def codes(run):
    """Encodes all images once, the codes of all levels in one row, for priors."""
    model = run.load()
    kept = serving.encoded_images.write(run.path("codes"), model, run.data, source=run.settings.data)
    for name, vectors, counts in methods.image_codes.code_uses(model, kept):
        run.picture(name, visualize.codes.codebook(vectors, counts))
        run.embedding(name, vectors, [{"code": code, "uses": int(count)} for code, count in enumerate(counts)])
    print(f"  {len(kept):,} training images in codes: {run.path('codes')}")


def sample(run):
    s, model = run.settings, run.load()
    if s.images:
        _, shown = data.images.read_named(s.images, s.size, channels=model.input_shape[-1])
        run.picture("your_images", reconstructions(model, shown))
    random, num_codes = np.random.default_rng(s.sample_seed), models.vqvae2.codebooks(model)[0].num_embeddings
    uniform = [random.integers(0, num_codes, (s.num_samples, *shape)) for shape in models.vqvae2.code_shapes(model)]
    run.picture("uniform_codes", visualize.images.grid(np.asarray(models.vqvae2.decoded(model, uniform))))
    images = run.data_if_there("test images, levels of which would be exchanged")
    if images is not None:
        run.picture("exchanged", beside_exchanged(model, next(images.blocks("test", 8))[0]))


def export(run):
    s, images = run.settings, run.data_to_measure()
    served = serving.image_codes.image_codes(
        run.load(),
        measured=images.examples("test", s.max_measured) if images else (),
        typical=images.examples("train", 100) if images else (),
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def check_data(run):
    found = data.images.report.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"classes": visualize.images.examples(found.examples)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, codes, sample, export, untrained=(check_data,))
