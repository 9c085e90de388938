"""Images as discrete codes: VQ-VAE, van den Oord et al. 2017 (1711.00937, sections 3 and 4.1).

Sees an image through a small map of discrete codes, and draws it again from them; a prior over them is codes_prior's.

  python -m recipes.vqvae_image                                            all phases on scikit-learn's digits
  python -m recipes.codes_prior --data=runs/vqvae_image                    then: a prior over these codes, and samples
  python -m recipes.vqvae_image --workdir=runs/own --data=folder:FOLDER --image_size=64 --num_downsamplings=3
  python -m recipes.vqvae_image --workdir=runs/own --mode=sample --images=one.jpg,two.png
  python -m recipes.vqvae_image --workdir=runs/cifar10 --data=keras:cifar10 --num_embeddings=512 --embedding_dim=64 \
      --units=128 --residual_units=64 --batch_size=64 --epochs=8

Here: CIFAR-10, 64 codes of 512 an image, 8 epochs, 32 minutes on two busy cores: 5.82 bits a dimension, of which
0.19 are the codes; squared error 5.7 % of the variance, perplexity 460. Out of the box, a minute, digits, seeds 0 to 2:
4.42 to 4.52 bits a dimension, squared error 1.8 to 2.2 % of the variance, perplexity 85 to 92 of 128.

Paper: CIFAR-10, a bound in bits a dimension: VQ-VAE 4.67, a Gaussian VAE 4.51, VIMCO 5.14.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help); the codebook is the
averages of its appendix A.1, begun from data; each channel of each pixel has a discretised logistic of its own.
"""

import numpy as np

from toolkit import data, layers, methods, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other


@settings.recipe
class Settings(
    settings.EncodedImages,
    settings.OneLevelAutoencoder,
    settings.FallingAdam,
    settings.Devices,
    settings.Sampling,
    settings.ImageExport,
):
    learning_rate: float = other(1e-3, paper="2e-4")
    batch_size: int = other(32, paper="128")
    epochs: int = 20
    num_samples: int = 16

    def check(self) -> None:
        if self.size % 2**self.num_downsamplings:
            raise ValueError(
                f"--image_size={self.size} is no multiple of {2**self.num_downsamplings}, by which "
                f"--num_downsamplings={self.num_downsamplings} divide it."
            )


def load(s):
    """`data.images.Images`, their batches (image, label)."""
    return data.images.load(**s.reading(), batch_size=s.batch_size)


def network(s, channels):
    codebook = layers.VectorQuantizer(**s.quantizer(), seed=s.seed, name="codebook")
    return models.vqvae.vqvae(s.size, channels, codebook=codebook, **s.convolutions())


def train(run):
    s, images = run.settings, run.data
    splits = images.splits.map(methods.image_codes.pair)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(splits.train))
    s.warn_of_few_vectors(s.batch_size * (s.size // 2**s.num_downsamplings) ** 2)
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


def reconstructions(model, images):
    """Images, their codes as colours, and what is drawn from these."""
    codes = np.asarray(models.vqvae.codes(model, np.asarray(images, "float32")))
    again = np.asarray(models.vqvae.decoded(model, codes))
    maps = visualize.codes.maps(codes.reshape(*codes.shape[:3], -1)[..., 0], codebook(model).num_embeddings)
    return visualize.images.beside([("real", images), ("codes", maps), ("decoded", again)])


def codebook(model):
    return model.get_layer("codebook")


def evaluate(run):
    model, splits = run.load(), run.data.splits
    found = methods.image_codes.measured(model, splits.test.dataset(num_epochs=1))
    found["bits_of_the_codes_per_image"] = np.prod(models.vqvae.code_shape(model)) * np.log2(
        codebook(model).num_embeddings
    )
    run.report(found, paper={"cifar10_bits_per_dim": 4.67})
    shown, _ = next(run.data.blocks("test", 8))
    run.picture("reconstructions", reconstructions(model, shown))


def codes(run):
    """Encodes all images once, for a prior."""
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
    random, shape = np.random.default_rng(s.sample_seed), models.vqvae.code_shape(model)
    uniform = random.integers(0, codebook(model).num_embeddings, (s.num_samples, *shape))
    run.picture("uniform_codes", visualize.images.grid(np.asarray(models.vqvae.decoded(model, uniform))))
    images = run.data_if_there("test images, one code of which would be changed")
    if images is None:
        return
    shown, _ = next(images.blocks("test", 6))
    run.picture("one_code", visualize.images.beside(changed(model, shown, random), most=9))


def changed(model, images, random):
    """Each image as its codes have it, and with the code of its middle exchanged for others."""
    shape = models.vqvae.code_shape(model)
    middle, rows = (shape[0] // 2, shape[1] // 2), []
    others = random.choice(codebook(model).num_embeddings, min(8, codebook(model).num_embeddings), replace=False)
    for image in images:
        found = np.array(models.vqvae.codes(model, np.asarray(image, "float32")[None])).repeat(1 + len(others), axis=0)
        found[1:, middle[0], middle[1]] = others.reshape(-1, *(1,) * (found.ndim - 3))
        rows.append(
            ("" if rows else "decoded, then with another code in the middle", models.vqvae.decoded(model, found))
        )
    return rows


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
