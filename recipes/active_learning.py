"""Which images to have labelled: active learning, compared by Munjal et al. 2022 (2002.09564, sections 3 to 5).

Trains a classifier from scratch on few labelled images, chooses by one of eleven strategies those whose class is asked
for next, and trains anew; with strong regularisation or without, on pools that are uneven, repetitive or told wrong.

  python -m recipes.active_learning                                        all phases on scikit-learn's digits
  python -m recipes.active_learning --mode=study                           five strategies, three seeds, beside random
  python -m recipes.active_learning --mode=transfer                        what was chosen, for another architecture
  python -m recipes.active_learning --workdir=runs/own --data=folder:FOLDER --unlabelled=FOLDER --oracle=ask

Here: digits, means of the claims' eight seeds, 200 labels: random 92.4 % right, least confidence 96.7, coreset 95.1,
centre of gravity 79.5. Of digits that lie anywhere within a pixel, least confidence is 2.2 points above random on the
mean of its curve, and 0.4 below under regularisation, which random gains 5.6 by; where nine in ten images are copies,
23 above. CIFAR-10, ResNet-8, 3,000 labels: random 51.3 %, BALD 50.3, coreset 49.8, entropy 49.6, centre of gravity
44.0. The default run, by entropy, seeds 0 to 2: with 40 labels 75.5 to 85.5 % right, with 160 92.5 to 94.4.

Paper: CIFAR-10, VGG-16, a fifth of the labels: 76 to 78.5 % by every strategy, random among them.

Differs from the paper: small networks and pools; no search of hyper-parameters in each round.
"""

import contextlib

import numpy as np

from toolkit import data, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.Queries,
    settings.PoolShape,
    settings.Images,
    settings.DropoutNetwork,
    settings.Regularization,
    settings.Augmentation,
    settings.FallingAdam,
    settings.SeededStudy,
    settings.ImageExport,
):
    transfer_architecture: str = setting(
        "", "of --mode=transfer, and of a study's; empty: resnet8, and none in a study", changeable=True, maximum=100
    )
    vaal_epochs: int = setting(20, "of vaal's autoencoder in a round", paper="100", minimum=1, maximum=1_000_000)
    vaal_units: int = setting(16, "its first channels", paper="128", minimum=1, maximum=4096)
    crop: str = "none"
    epochs: int = other(60, paper="150")
    num_seeds: int = other(3, paper="5 to 25")
    batch_size: int = 32

    @property
    def size(self) -> int:
        return self.image_size or self.embedded_size or 32

    @property
    def other_architecture(self) -> str:
        """What --mode=transfer trains."""
        return self.transfer_architecture or "resnet8"

    @property
    def stage(self) -> str:
        """The stage of a round that holds its classifier."""
        return "model_averaged" if self.averaging_epochs else "model"


def augmentation(s):
    return data.images.Augmentation(**s.changes())


def load(s):
    """`data.images.pool.Pool`: images to choose from, and those that validate and test."""
    for architecture in (s.architecture, s.transfer_architecture or "dense"):
        if architecture != "dense":
            models.image_classifier.check_size(architecture, s.size)
    how = s.only("batch_size", "seed", "held_out", "skip_corrupt", "label_noise")
    shape = data.images.PoolShape(**s.shaping())
    images = data.images.load(s.data, image_size=s.size, augmentation=augmentation(s), shaped=shape, **how)
    more = data.images.pool.unlabelled(s.unlabelled, images) if s.unlabelled else None
    return data.images.Pool(images, more)


def network(s, class_names, architecture):
    return models.dropout_classifier.dropout_classifier(architecture, s.size, class_names, **s.network())


def changes(s, seed):
    """What a training image goes through, each time that it is seen."""
    first = data.images.Augmentation(**s.changes(), seed=seed)
    second = data.images.RandAugment(s.rand_augment, s.rand_magnitude, seed) if s.rand_augment else None

    def changed(images, seeds):
        images = first(images, seeds, s.size)
        return second(images, seeds) if second else images

    return changed


def rounds(run, oracle):
    """The rounds one after the other: what was chosen and told before is read again."""
    s, pool = run.settings, run.data
    initial = np.flatnonzero(pool.labels != data.images.pool.UNKNOWN) if s.unlabelled else s.initial_size
    learning = methods.active_learning.ActiveLearning(
        len(pool), s.query_strategy, query_size=s.query_size, initial=initial, seed=s.seed
    )

    def keep(number, name, function):
        return run.round(number).compute(function, stage=name)

    return learning.rounds(s.num_rounds, oracle, keep=keep)


def answering(run):
    """Who tells the classes: the data, or a person."""
    s, pool = run.settings, run.data
    if s.oracle == "labels":
        return contextlib.nullcontext(lambda rows, number: pool.labels[rows])
    return data.images.Labelling(pool, run.path("labels"), s.oracle, port=s.port)


def train(run):
    s, pool = run.settings, run.data
    strategy = methods.query_strategies.STRATEGIES[s.query_strategy]
    with answering(run) as oracle:
        for round in rounds(run, oracle):
            inner = run.round(round.number)
            num_members = 1 if round.is_last else strategy.num_members
            members = [fit(inner, round.labelled, round.labels, each) for each in range(num_members)]
            if run.timing or round.is_last:
                return
            judge = vaal(inner, round) if strategy.needs == "membership" else None
            committee = methods.committee.Committee(members, pool.shown, seed=s.seed, vaal=judge)
            round.query(committee)


def fit(run, rows, labels, member=0, architecture=None, name="model"):
    """Trains one network from scratch on the labelled images."""
    s, pool = run.settings, run.data
    name = f"{name}_{member}" if member else name
    seed = s.seed + member
    plan = data.images.pool.plan_of(len(rows), s.batch_size, seed=seed)
    batches = pool.batches(rows, labels, plan, changes(s, seed))
    how = {"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "metrics": ["accuracy"]}
    with run.scope(name):
        model = network(s, pool.images.class_names, architecture or s.architecture)
        model.get_layer("standardize").adapt(*pool.images.statistics())
        falling = training.step_sizes.falling(s.learning_rate, run.num_steps(batches))
        model.compile(keras.optimizers.Adam(falling), **how)
    run.fit(model, batches, pool.images.splits.validation, stage=name, monitor="accuracy", mode="max")
    if s.averaging_epochs:
        with run.scope(f"{name}_cycle"):
            model.compile(methods.AveragingAdam(s.averaging_rate, s.averaging_every), **how)
        run.fit(model, batches, stage=f"{name}_cycle", epochs=s.averaging_epochs)
        seen = (images for images, _ in batches.dataset(num_epochs=1))
        for _, log in run.loop(1, stage=f"{name}_averaged", state={"model": model}):
            log(layers=methods.stochastic_weight_averaging.renew_normalization(model, seen))
    return None if run.timing else run.load(f"{name}_averaged" if s.averaging_epochs else name)


def vaal(run, round):
    """An autoencoder of the whole pool, and a judge of which codes are of labelled images."""
    s, pool = run.settings, run.data
    rows = np.concatenate([round.labelled, round.unlabelled])
    plan = data.plans.paired_plan(len(round.labelled), len(round.unlabelled), 4 * s.batch_size, seed=s.seed)
    batches = pool.batches(rows, np.zeros(len(rows)), plan).map(methods.vaal.pair)
    with run.scope("vaal"):
        how = {"network": "dense" if s.size % 4 else "convolutional", "units": s.vaal_units, "decoder": "fixed"}
        vae = models.vae.vae(s.size, 3, latent_size=32, seed=s.seed, **how)
        judge = models.latent_discriminator.latent_discriminator(32, units=512, num_layers=4)
        model = methods.VAAL(vae, judge, keras.optimizers.Adam(5e-4))
        model.compile(keras.optimizers.Adam(5e-4), methods.evidence_bound.loss(vae), jit_compile=False)
        model.optimizer.build(vae.trainable_variables)
    network = {"vae": vae, "discriminator": judge}
    run.fit(model, batches, network=network, stage="vaal", epochs=s.vaal_epochs)
    kept = run.load("vaal")
    return kept["vae"], kept["discriminator"]


def finished(run):
    """The rounds that are trained, without training."""

    def unanswered(rows, number):
        raise ValueError(
            f"{run.workdir}: round {number} is not trained yet. The same command with --mode=train goes on."
        )

    for round in rounds(run, unanswered):
        inner = run.round(round.number)
        if not inner.has(run.settings.stage) or not (round.is_last or inner.has("query")):
            unanswered(None, round.number)
        yield inner, round
        if not round.is_last:
            round.query(None)


def measured(run, stage, name=""):
    images = run.data.images
    labels, probabilities = methods.classification.predictions(
        run.load(stage), images.splits.test.dataset(num_epochs=1)
    )
    found = metrics.classification.classification(labels, probabilities)
    names = ("top_1_accuracy_percent", "lowest_accuracy_of_a_class_percent", "negative_log_likelihood_nats")
    return {name + each: found[each] for each in names}


def evaluate(run):
    s, pool = run.settings, run.data
    names, rows, classes = pool.images.class_names, [], []
    for inner, round in finished(run):
        before = rows[-1]["labelled_images"] if rows else 0
        rows.append({"labelled_images": len(round.labelled), **measured(inner, s.stage)})
        run.at(len(round.labelled))
        run.report(rows[-1])
        classes.append(np.bincount(round.labels, minlength=len(names)))
        asked, told = round.labelled[before:][:40], [names[label] for label in round.labels[before:][:40]]
        inner.picture("asked", visualize.images.grid(pool.shown(asked), told, columns=10))
    accuracies = [row["top_1_accuracy_percent"] for row in rows]
    run.report({"mean_accuracy_percent": np.mean(accuracies), "test_images": len(pool.images.parts["test"].labels)})
    run.table("rounds", rows)
    numbers = [row["labelled_images"] for row in rows]
    curve = {s.query_strategy: list(zip(numbers, accuracies, strict=True))}
    run.picture("learning_curve", visualize.charts.curves(curve, "labelled images", "test images right, %"))
    labelled = [f"{number} labelled" for number in numbers]
    run.picture("classes", visualize.charts.matrix(np.stack(classes), names, labelled, "images of a class"))
    return rows


def transfer(run, beside_random=True):
    """Another architecture, trained on what the first one has chosen, and on as many images at random."""
    s, pool, rows = run.settings, run.data, []
    if s.oracle != "labels":
        raise ValueError(f"--mode=transfer asks for images at random too; --oracle={s.oracle} has no labels of them.")
    for inner, round in finished(run):
        first = round.labelled[: s.initial_size]
        others = np.random.default_rng([s.seed, 2]).permutation(np.setdiff1d(np.arange(len(pool)), first))
        sets = {"chosen": round.labelled}
        if beside_random:
            sets["random"] = np.concatenate([first, others])[: len(round.labelled)]
        row = {"labelled_images": len(round.labelled)}
        for name, images in sets.items():
            stage = f"{s.other_architecture}_{name}"
            fit(inner, images, pool.labels[images], architecture=s.other_architecture, name=stage)
            row |= measured(inner, stage + s.stage.removeprefix("model"), f"{name}_")
        rows.append(row)
    run.table("transfer", rows)
    lines = {name: [(row["labelled_images"], row[f"{name}_top_1_accuracy_percent"]) for row in rows] for name in sets}
    run.picture("transfer", visualize.charts.curves(lines, "labelled images", f"{s.other_architecture} right, %"))
    return rows


def study(run):
    """A run for each strategy and seed: learning curves with bands, and paired tests beside random."""
    s = run.settings

    def one(inner, **_):
        train(inner)
        found = {
            f"accuracy_percent_at_{row['labelled_images']}": row["top_1_accuracy_percent"] for row in evaluate(inner)
        }
        found["mean_accuracy_percent"] = inner.metrics()["mean_accuracy_percent"]
        for row in transfer(inner, beside_random=False) if s.transfer_architecture else ():
            name = f"transferred_accuracy_percent_at_{row['labelled_images']}"
            found[name] = row["chosen_top_1_accuracy_percent"]
        return found

    asked = {"query_strategy": s.query_strategies.split(","), "seed": range(s.num_seeds)}
    rows = run.study("active_learning", asked, one)
    run.table("study", rows)
    found = methods.study_summary.intervals(rows, ["query_strategy"], over="seed")
    run.table("intervals", found)
    if "random" in asked["query_strategy"] and len(asked["query_strategy"]) > 1:
        run.table("beside_random", methods.paired_tests.beside(rows, "query_strategy", "random", over="seed"))
    for which in ("accuracy", "transferred_accuracy")[: 1 + bool(s.transfer_architecture)]:
        lines = methods.study_summary.curves(found, "query_strategy", f"{which}_percent")
        run.picture(f"study/{which}", visualize.charts.curves(lines, "labelled images", "test images right, %"))


def export(run):
    s, pool = run.settings, run.data_to_measure()
    parts = pool.images.parts if pool else data.images.labelled.noise(s.size)
    served = serving.image_classifier.image_classifier(
        run.round(s.num_rounds - 1).load(s.stage),
        test=(parts["test"].store, parts["test"].labels),
        train=parts["train"].store,
        stored_size=augmentation(s).stored_size(s.size),
        exported_size=s.exported_size,
        max_measured=s.max_measured,
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def check_data(run):
    found = data.images.report.examine(run.data.images, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"classes": visualize.images.examples(found.examples)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, export, apart=(transfer,), untrained=(study, check_data))
