"""Codes whose numbers are the factors of variation: Locatello et al. 2019 (1811.12359, sections 4 and 5).

Learns variational autoencoders of images whose factors are known, by one of six objectives that press the numbers of a
code to be independent, and measures by six metrics whether each number is one factor.

  python -m recipes.disentanglement                                        all phases on embedded sprites
  python -m recipes.disentanglement --workdir=runs/tc --objective=beta_tcvae --strength=10
  python -m recipes.disentanglement --mode=study --objectives=beta_vae,factor_vae --num_strengths=2 --num_seeds=3
  python -m recipes.disentanglement --workdir=runs/dsprites --data=dsprites:FILE --variant=noisy

Here: a β-VAE of strength 4 on 13,824 embedded sprites, seeds 0 to 2, three and a half minutes each on two busy cores:
MIG 0.09 to 0.23, BetaVAE 0.86 to 0.89, FactorVAE 0.68 to 0.80, DCI's disentanglement 0.15 to 0.26.

Paper: 12,600 models: no objective is the best; seed and strength matter more than the objective.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help); each combination of
factors is encoded once, so that of several images, or of noise, one is drawn.
"""

import numpy as np

from toolkit import data, generation, layers, methods, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting

# The strengths of the study, of each objective; what they multiply is another thing of each.
STRENGTHS = {
    "beta_vae": (1, 2, 4, 6, 8, 16),
    "annealed_vae": (5, 10, 25, 50, 75, 100),
    "factor_vae": (10, 20, 30, 40, 50, 100),
    "beta_tcvae": (1, 2, 4, 6, 8, 10),
    "dip_vae_i": (1, 2, 5, 10, 20, 50),
    "dip_vae_ii": (1, 2, 5, 10, 20, 50),
}


@settings.recipe
class Settings(
    settings.Factors,
    settings.LatentNetwork,
    settings.FallingAdam,
    settings.Devices,
    settings.Sampling,
    settings.SeededStudy,
    settings.MeasuredExport,
):
    objective: str = setting("beta_vae", "what is learned", choices=tuple(STRENGTHS))
    strength: float | None = setting(
        None,
        "beta; of annealed_vae the nats in the end; of factor_vae gamma; of dip_vae lambda; left out: the third of the "
        "paper's six",
        paper="1 to 16; 5 to 100; 10 to 100; 1 to 10; 1 to 50",
        minimum=0.0,
        maximum=1e6,
    )
    network: str = "strided"
    latent_size: int = other(10, paper="10")
    discriminator_units: int = setting(
        100, "units of each of the six layers of factor_vae's discriminator", paper="1000", minimum=1, maximum=16_384
    )
    num_points: int = setting(
        5000,
        "examples, and points of the scores by batches, that the metrics' predictors learn from; half as many try them",
        paper="10000",
        minimum=100,
        maximum=1_000_000,
        changeable=True,
    )
    num_trees: int = setting(
        1000, "examples that DCI's trees learn from", paper="10000", minimum=100, maximum=1_000_000, changeable=True
    )
    objectives: str = setting(",".join(STRENGTHS), "of --mode=study, between commas", changeable=True, maximum=1000)
    num_strengths: int = setting(
        6, "of --mode=study: of each objective as many of the paper's strengths", minimum=1, maximum=6, changeable=True
    )
    num_seeds: int = other(2, paper="50")
    batch_size: int = other(64, paper="64")
    learning_rate: float = other(1e-3, paper="1e-4")
    epochs: int = 12
    num_samples: int = 40

    def check(self) -> None:
        for name in self.objectives.split(","):
            if name not in STRENGTHS:
                raise ValueError(f"--objectives: {name!r} is none of {', '.join(STRENGTHS)}.")

    @property
    def own_strength(self) -> float:
        """The strength that is asked for, or the usual one."""
        return STRENGTHS[self.objective][2] if self.strength is None else self.strength


def load(s):
    """`data.factors.Factors`, their batches (image from 0 to 1, factors)."""
    return data.factors.load(**s.reading(), batch_size=s.batch_size)


def latent(s, num_steps):
    """The layer that draws a code and adds what its objective takes; the paper's 300,000 steps are `num_steps`."""
    how = {"units": s.latent_size, "seed": s.seed, "always_draw": True, "metrics_name": "kl_nats", "name": "latent"}
    strength = s.own_strength
    if s.objective == "annealed_vae":
        return layers.AnnealedLatent(capacity=strength, num_steps=max(1, num_steps // 3), **how)
    if s.objective == "beta_tcvae":
        return layers.TotalCorrelationLatent(beta=strength, **how)
    if s.objective.startswith("dip_vae"):
        return layers.DIPLatent(kind=s.objective.removeprefix("dip_vae_"), off_diagonal_weight=strength, **how)
    return layers.GaussianLatent(scale=strength if s.objective == "beta_vae" else 1.0, **how)


def train(run):
    s, images = run.settings, run.data.images
    splits = run.data.splits.map(lambda image, factors: (255.0 * image, image))
    num_steps = run.num_steps(splits.train)
    falling = training.step_sizes.falling(s.learning_rate, num_steps)
    height, _, channels = images.image_shape
    with run.scope():
        how = s.sizes() | {"decoder": "bernoulli", "latent": latent(s, num_steps)}
        model = trained = models.vae.vae(height, channels, **how)
        if s.objective == "factor_vae":
            judge = models.latent_discriminator.latent_discriminator(s.latent_size, units=s.discriminator_units)
            adam = keras.optimizers.Adam(s.learning_rate, 0.5, 0.9)
            trained = methods.factor_vae.FactorVAE(model, judge, s.own_strength, adam, seed=s.seed)
        trained.compile(keras.optimizers.Adam(falling), methods.evidence_bound.loss(model), jit_compile=False)
        trained.optimizer.build(model.trainable_variables)
    shown = run.data.splits.validation.peek()[0][:1]
    run.fit(
        trained,
        splits.train,
        splits.validation,
        network=model,
        pictures=lambda: {"training/traversals": traversals(model, shown)[0]},
    )


def encoder(model):
    """From images from 0 to 1 to means and logs of variances, NumPy."""

    def encode(images):
        return [np.asarray(each) for each in models.vae.posterior(model, 255.0 * images)]

    return encode


def traversals(model, images, values=11):
    """An image's code with one number moved from -2 to 2: a figure, and frames of all numbers side by side."""
    mean, log_variance = encoder(model)(images)
    said = np.argsort(np.mean(log_variance, axis=0))[:10]  # those that say most first
    decoded = generation.latent_traversals.traversals(model, mean[0], said, values)
    rows = [(f"number {number} from -2 to 2", each) for number, each in zip(said, decoded, strict=True)]
    frames = [np.concatenate(list(decoded[:, step]), axis=1).astype("uint8") for step in range(values)]
    return visualize.images.beside(rows, most=values), np.stack(frames + frames[-2:0:-1])


def evaluate(run):
    s, model, images = run.settings, run.load(), run.data.images
    batches = ((255.0 * batch, None) for batch, _ in run.data.splits.test.dataset(num_epochs=1).as_numpy_iterator())
    bound = methods.evidence_bound.measured(model, batches, seed=s.sample_seed)
    posteriors = methods.disentanglement.Posteriors(encoder(model), images, seed=s.seed)
    how = {"num_train": s.num_points, "num_eval": s.num_points // 2, "num_trees": s.num_trees, "seed": s.seed}
    found = methods.disentanglement.scores(posteriors, images.factor_sizes, **how)
    names = ("negative_elbo_nats", "kl_nats", "reconstruction_nats", "active_codes")
    run.report({name: bound[name] for name in names} | found.measures)
    how = {"columns": images.factor_names, "rows": "number of the code"}
    run.picture(
        "mutual_information",
        visualize.charts.matrix(found.mutual_information, what="mutual information, nats", **how),
    )
    run.picture("importances", visualize.charts.matrix(found.importances, what="importance for trees", **how))


def sample(run):
    s, model = run.settings, run.load()
    noise = np.random.default_rng(s.sample_seed).standard_normal((s.num_samples, s.latent_size)).astype("float32")
    run.picture("samples", visualize.images.grid(generation.latent_traversals.decoded(model, noise), columns=10))
    images = run.data_if_there("test images, numbers of whose codes would be moved")
    if images is not None:
        figure, frames = traversals(model, images.splits.test.peek()[0][:1])
        run.picture("traversals", figure)
        run.film("traversals", frames)


def study(run):
    """A training for each objective, strength and seed, and what the paper asks of the scores."""
    s = run.settings

    def one(inner, **_):
        train(inner)
        evaluate(inner)
        return inner.metrics()

    chosen = np.linspace(0, 5, s.num_strengths).round().astype(int) if s.num_strengths > 1 else [2]
    cells = [
        {"objective": objective, "strength": float(STRENGTHS[objective][number]), "seed": seed}
        for objective in s.objectives.split(",")
        for number in chosen
        for seed in range(s.num_seeds)
    ]
    rows = run.study("disentanglement", cells, one)
    run.table("study", rows)
    if len(rows) < 2:
        return
    together = [["objective"], ["objective", "strength"], ["seed"]]
    found = methods.study_summary.summary(rows, ["objective", "strength", "seed"], together)
    run.table("rank_correlations", found.correlation_rows())
    run.table("explained", found.explained_rows())
    how = {"columns": found.scores, "rows": found.scores, "what": "rank correlation"}
    run.picture("study/rank_correlations", visualize.charts.matrix(found.correlations, **how))
    for name, values in found.values.items():
        run.picture(f"study/{name}", visualize.charts.violins(values, name.replace("_", " ")))


def export(run):
    s, found = run.settings, run.data_to_measure()
    served = serving.image_latents.image_latents(
        run.load(),
        measured=pixels(found.splits.test, s.max_measured) if found else (),
        typical=pixels(found.splits.train, 100) if found else (),
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def pixels(batches, number):
    """Images evenly spaced, uint8."""
    return np.rint(255.0 * batches.spread(number).arrays()[0]).astype("uint8")


def check_data(run):
    found = data.factors.report.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"factors": visualize.images.examples(found.moved)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, untrained=(study, check_data))
