"""Images as a few Gaussian numbers: σ-VAE, Rybkin et al. 2020 (2006.13202, sections 3 and 4).

Learns a variational autoencoder whose Gaussian decoder has the scale of its errors, so that no weight of the
divergence is to be tuned; draws new images; compares all decoders with a sweep over β.

  python -m recipes.sigma_vae                                              all phases on scikit-learn's digits
  python -m recipes.sigma_vae --mode=compare                               every decoder and five β, one table
  python -m recipes.sigma_vae --workdir=runs/unit --decoder=fixed --beta=0.01                        a β-VAE
  python -m recipes.sigma_vae --workdir=runs/mnist --data=idx:mnist --image_size=28 --channels=1 --epochs=5
  python -m recipes.sigma_vae --workdir=runs/own --mode=sample --images=one.jpg,two.png

Here: digits, seeds 0 to 2, two minutes each on two busy cores, one trained σ: bound -430.3 to -431.3 nats an image, the
best of five β -404.8; Fréchet distance of samples 0.32 to 0.34, the best β 0.32 (with a bound of -37.9), optimal σ 1.29
to 1.35, σ of each pixel 2.33. MNIST, 5 epochs, five minutes: -834.8 nats; distances 2.20, of the optimal σ 4.22.

Paper: SVHN, Fréchet distance of samples: σ = 1 112.5, a σ for each pixel 114.7, the best β 27.9, one σ 22.3, optimal
σ 27.3.

Differs from the paper: sizes that two cores train in minutes; the Fréchet distance is that of the features of a
classifier of this toolkit, not of Inception's: its numbers compare with one another only.
"""

import numpy as np

from toolkit import data, generation, methods, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.EncodedImages,
    settings.LatentNetwork,
    settings.FallingAdam,
    settings.Devices,
    settings.Sampling,
    settings.JudgedImages,
    settings.Study,
    settings.ImageExport,
):
    decoder: str = setting(
        "shared",
        "density of a channel of a pixel: a Gaussian whose scale is 1 (fixed), one trained weight (shared), that of "
        "the batch's or each image's errors (optimal, optimal_per_example), the network's (per_pixel); or bernoulli",
        choices=("fixed", "shared", "optimal", "optimal_per_example", "per_pixel", "bernoulli"),
    )
    beta: float = setting(1.0, "weight of the divergence from the prior", paper="1", minimum=0.0, maximum=1e6)
    scale_momentum: float = setting(
        0.99, "momentum of the moving average that the optimal scale is kept as", minimum=0.0, maximum=0.99999
    )
    betas: str = setting(
        "0.001,0.01,0.1,1,10", "of --mode=compare: weights beside the decoders", changeable=True, maximum=1000
    )
    batch_size: int = other(64, paper="128")
    learning_rate: float = other(1e-3, paper="1e-3")
    epochs: int = other(60, paper="10")
    num_samples: int = 40

    def check(self) -> None:
        strides = models.vae.strides_of(self.network)
        if self.size % strides:
            raise ValueError(
                f"--image_size={self.size} is no multiple of {strides}, as --network={self.network} needs."
            )
        if self.beta != 1 and self.decoder != "fixed":
            raise ValueError(f"--beta={self.beta} is for --decoder=fixed: --decoder={self.decoder} needs no weight.")
        if not settings.lists.numbers(self.betas, "betas"):
            raise ValueError("--betas must be numbers over 0 between commas; got none.")


def load(s):
    """`data.images.Images`, their batches (image, label)."""
    return data.images.load(**s.reading(), batch_size=s.batch_size)


def train(run):
    s, images = run.settings, run.data
    splits = images.splits.map(methods.evidence_bound.pair)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(splits.train))
    how = s.sizes() | s.only("decoder", "beta", "seed") | {"momentum": s.scale_momentum}
    with run.scope():
        model = models.vae.vae(s.size, images.parts["train"].store[0].shape[-1], **how)
        methods.evidence_bound.compiled(model, keras.optimizers.Adam(falling))
    shown, _ = next(images.blocks("validation", 8))
    noise = prior_noise(model, 40, s.seed)
    run.fit(
        model,
        splits.train,
        splits.validation,
        pictures=lambda: {
            "training/reconstructions": reconstructions(model, shown),
            "training/samples": visualize.images.grid(decoded(model, noise), columns=10),
        },
    )


def prior_noise(model, number, seed):
    return np.random.default_rng(seed).standard_normal((number, models.vae.latent_size(model))).astype("float32")


def decoded(model, codes):
    return generation.latent_traversals.decoded(model, codes)


def means(model, images):
    return generation.latent_traversals.means(model, images)


def reconstructions(model, images):
    return visualize.images.beside([("real", images), ("from the code's mean", decoded(model, means(model, images)))])


def evaluate(run):
    s, model = run.settings, run.load()
    # A β-VAE is the bound of a decoder of this scale, times β.
    scale = np.sqrt(s.beta) if s.decoder == "fixed" and s.beta else None
    found = methods.evidence_bound.measured(
        model, run.data.splits.test.dataset(num_epochs=1), scale=scale, seed=s.sample_seed
    )
    run.report(found | judged(run, model), paper={"svhn_frechet_distance_of_one_scale_by_inception": 22.25})
    run.picture("reconstructions", reconstructions(model, next(run.data.blocks("test", 8))[0]))


def judged(run, model):
    """How near drawn images come to real test images, as a classifier sees both, and rebuilt ones beside them."""
    s, images = run.settings, run.data
    shipped = training.shipping.shipped("image_classification")
    judge = methods.image_judge.ImageJudge(run.load(workdir=s.judge or shipped))
    real = np.concatenate([block for block, _ in images.blocks("test", s.num_judged)])
    judge.compare([real])
    noise = prior_noise(model, len(real), s.sample_seed)
    return {
        "frechet_distance_of_drawn": judge.frechet_distance(decoded(model, noise)),
        "frechet_distance_of_rebuilt": judge.frechet_distance(decoded(model, means(model, real))),
    }


def compare(run):
    """A training for each decoder, and a β-VAE for each of --betas: one table, and the sweep as curves."""
    betas = settings.lists.numbers(run.settings.betas, "betas")
    cells = [{"decoder": "fixed", "beta": beta} for beta in betas]
    cells += [{"decoder": kind, "beta": 1.0} for kind in models.vae.DECODERS if kind != "fixed"]

    def one(inner, **_):
        train(inner)
        evaluate(inner)
        return inner.metrics()

    found = run.study("decoders", cells, one)
    sweep, rows = found[: len(betas)], found[len(betas) :]
    # The first has all columns; zeros and ones have no scale.
    run.table("decoders", [{name: row.get(name, "") for name in sweep[0]} for row in found])
    for name in ("frechet_distance_of_drawn", "negative_elbo_nats_with_optimal_scale"):
        points = {"β of a fixed scale": [(np.log10(row["beta"]), row[name]) for row in sweep]}
        ends = np.log10([min(betas), max(betas)])
        points |= {row["decoder"]: [(end, row[name]) for end in ends] for row in rows if name in row}
        run.picture(f"betas/{name}", visualize.charts.curves(points, "log10 β", name.replace("_", " ")))


def sample(run):
    s, model = run.settings, run.load()
    noise = prior_noise(model, s.num_samples, s.sample_seed)
    run.picture("samples", visualize.images.grid(decoded(model, noise), columns=10))
    if s.images:
        _, shown = data.images.read_named(s.images, s.size, channels=model.input_shape[-1])
    else:
        images = run.data_if_there("test images, numbers of whose codes would be moved")
        if images is None:
            return
        shown, _ = next(images.blocks("test", 8))
    run.picture("rebuilt", reconstructions(model, shown))
    codes = means(model, shown)
    between = np.linspace(0, 1, 9, dtype="float32")[:, None]
    rows = [("from the first image to the last", decoded(model, (1 - between) * codes[0] + between * codes[-1]))]
    numbers = np.argsort(-codes.std(axis=0))[:6]
    moved = generation.latent_traversals.traversals(model, codes[0], numbers)
    rows += [(f"number {number} from -2 to 2", each) for number, each in zip(numbers, moved, strict=True)]
    run.picture("traversals", visualize.images.beside(rows, most=9))


def export(run):
    s, images = run.settings, run.data_to_measure()
    served = serving.image_latents.image_latents(
        run.load(),
        measured=images.examples("test", s.max_measured) if images else (),
        typical=images.examples("train", 100) if images else (),
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def check_data(run):
    found = data.images.report.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"classes": visualize.images.examples(found.examples)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, untrained=(compare, check_data))
