"""Images to classes, each block on an error of its own: local error signals, Nøkland and Eidnes 2019 (1901.06656).

Trains a classifier whose blocks learn each from a classifier of its own and from how alike images are, so that no
gradient goes from one block to another; beside back-propagation.

  python -m recipes.local_errors                                           all phases on scikit-learn's digits
  python -m recipes.local_errors --mode=compare                            four losses, three seeds each: one table
  python -m recipes.local_errors --mode=memory                             memory of a step by depth
  python -m recipes.local_errors --workdir=runs/bpf --loss=predsim-bpf     without any back-propagation
  python -m recipes.local_errors --workdir=runs/mnist --data=idx:FOLDER --image_size=28 --epochs=3

Here: digits, 30 epochs, 359 test images, seeds 0 to 2: errors of predsim 1.67, 0.56 and 0.56 %, of back-propagation
0.84, 0.56 and 0.56 %; 25 epochs and all phases take 80 seconds of one core's time. MNIST, 3 epochs: 0.85 and 0.51 %;
CIFAR-10, 10 epochs: 33.75 and 22.29 %. What a step of 128 images adds to memory: 118 MB with two blocks and 117 with
eight; by back-propagation 120 and 304.

Paper: CIFAR-10, VGG8B, errors of global, pred, sim and predsim: 5.99, 8.40, 7.16 and 5.58 %; MNIST 0.26, 0.40, 0.65 and
0.31 %.

Differs from the paper: widths and epochs that two cores train in minutes; grey images are three equal channels; the
weights of the best validation are kept.
"""

import numpy as np

from toolkit import data, files, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other


@settings.recipe
class Settings(
    settings.LocalErrors,
    settings.Images,
    settings.NamedImages,
    settings.Augmentation,
    settings.FallingAdam,
    settings.Devices,
    settings.SeededStudy,
    settings.ImageExport,
):
    learning_rate: float = other(
        2e-3,
        help="first step size, of which a quarter is left after 50, 75, 89 and 94 % of the steps",
        paper="5e-4, 3e-4",
    )
    batch_size: int = other(64, paper="128")
    epochs: int = other(30, paper="100, 200, 400")

    def check(self) -> None:
        if self.architecture != "mlp" and self.size < 16:
            raise ValueError(
                f"--image_size={self.size}: {self.architecture} halves its maps four times; expected at least 16."
            )
        if self.cutout > self.size:
            raise ValueError(f"--cutout={self.cutout}: expected at most --image_size={self.size}.")

    @property
    def size(self) -> int:
        return self.image_size or self.embedded_size or 32


def load(s):
    """`data.images.Images`, their batches (image, label)."""
    how = s.only("batch_size", "seed", "held_out", "skip_corrupt")
    return data.images.load(s.data, image_size=s.size, augmentation=augmentation(s), **how)


def augmentation(s):
    return data.images.Augmentation(**s.changes())


def step_sizes(s, num_steps):
    edges = [int(share * num_steps) for share in (0.5, 0.75, 0.89, 0.94)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(edges, [s.learning_rate / 4**n for n in range(5)])


def train(run):
    s, images = run.settings, run.data
    with run.scope():
        network = models.local_blocks.local_blocks(
            input_shape=(s.size, s.size, 3), class_names=images.class_names, **s.network()
        )
        if s.strategy != "single":
            models.image_blocks.synchronize(network)
        network.get_layer("standardize").adapt(*images.statistics())
        adam = keras.optimizers.Adam(step_sizes(s, run.num_steps(images.splits.train)))
        trained = methods.local_errors.compiled(network, adam, **s.learning())
    splits = images.one_hot(network.output)
    run.fit(
        trained,
        splits.train,
        splits.validation,
        network=network,
        monitor="loss" if s.loss == "global" else "logits_loss",
        pictures=lambda: {
            f"training/{name}_accuracy": share
            for name, share in block_accuracies(s, network, images.blocks("validation", 500)).items()
        },
    )


def block_accuracies(s, network, batches):
    return methods.local_errors.block_accuracies(network, batches, s.loss, seed=s.seed)


def trained_network(run):
    """The network with what its errors are computed from, and its classes."""
    network = run.load()
    return network, network.get_layer("class_names").names


# Errors on CIFAR-10 of the networks as wide as published.
PAPER = {
    "vgg8b": {"global": 5.99, "pred": 8.40, "sim": 7.16, "predsim": 5.58},
    "vgg11b": {"global": 5.56, "pred": 8.39, "sim": 6.70, "predsim": 5.30},
    "mlp": {"global": 33.56, "pred": 32.33, "sim": 33.48, "predsim": 30.93},
}


def evaluate(run):
    s, (network, names) = run.settings, trained_network(run)
    images = run.data.for_classes(names, str(run.workdir))
    classifier, test = models.image_classifier.classifier(network), images.splits.test
    labels, probabilities = methods.classification.predictions(classifier, test.dataset(num_epochs=1), "test")
    found = metrics.classification.classification(labels, probabilities)
    found |= {"error_percent": 100 - found["top_1_accuracy_percent"], "test_images": len(labels)}
    shares = block_accuracies(s, network, test.dataset(num_epochs=1))
    found |= {f"{name}_accuracy_percent": 100 * share for name, share in shares.items() if name != "network"}
    paper = PAPER[s.architecture].get(s.loss)
    run.report(found, paper={"cifar10_error_percent": paper} if paper else None)
    points = [(number, 100 * share) for number, share in enumerate(shares.values(), 1)]
    whole = {"the network": [(1, points[-1][1]), points[-1]]}
    own = {"its own classifier": points[:-1]} if len(points) > 1 else {}
    run.picture("blocks", visualize.charts.curves(own | whole, "block", "test images told right, %"))
    shown, classes = next(images.blocks("test", 60))
    found = methods.local_errors.block_similarities(network, shown, classes)
    run.picture("similarities", visualize.similarities.similarities(found, classes))


def sample(run):
    """What each block's classifier makes of images."""
    s, (network, names) = run.settings, trained_network(run)
    if s.images:
        paths, shown = data.images.read_named(s.images, s.size, augmentation=augmentation(s))
    else:
        images = run.data_if_there("test images; --images=one.jpg,two.png names others")
        if images is None:
            return
        shown, labels = next(images.for_classes(names, str(run.workdir)).blocks("test", 16))
        paths = [f"{names[label]}, test image {number}" for number, label in enumerate(labels)]
    scores = methods.local_errors.block_scores(network, shown, s.loss, seed=s.seed)
    probabilities = {name: np.asarray(keras.ops.softmax(each)) for name, each in scores.items()}
    for path, row in zip(paths, probabilities["network"], strict=True):
        print(f"  {files.names.printable(path)}: {methods.classification.best_classes(row, names)}")
    taken = probabilities["network"].argmax(axis=1)
    shares = np.stack([each[np.arange(len(taken)), taken] for each in probabilities.values()], axis=1)
    told = [f"{files.names.printable(path)}: {names[best]}" for path, best in zip(paths, taken, strict=True)]
    what = "probability of the network's class"
    run.picture("by_block", visualize.charts.matrix(shares[:32], list(probabilities), told[:32], what))


def export(run):
    s, (network, names), images = run.settings, trained_network(run), run.data_to_measure()
    parts = images.for_classes(names, str(run.workdir)).parts if images else data.images.labelled.noise(s.size)
    served = serving.image_classifier.image_classifier(
        models.image_classifier.classifier(network),
        test=(parts["test"].store, parts["test"].labels),
        train=parts["train"].store,
        stored_size=augmentation(s).stored_size(s.size),
        exported_size=s.exported_size,
        max_measured=s.max_measured,
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def compare(run):
    """A training for each of --losses and each seed: a table of errors with their intervals, and how they spread."""
    s = run.settings

    def one(inner, **_):
        train(inner)
        evaluate(inner)
        return {name: inner.metrics()[name] for name in ("error_percent", "negative_log_likelihood_nats")}

    rows = run.study("losses", {"loss": s.losses.split(","), "seed": range(s.num_seeds)}, one)
    run.table("losses", rows)
    run.table("intervals", methods.study_summary.intervals(rows, ["loss"], over="seed"))
    errors = {loss: [row["error_percent"] for row in rows if row["loss"] == loss] for loss in s.losses.split(",")}
    run.picture("losses", visualize.charts.violins(errors, "test images told wrong, %"))


def memory(run):
    """What a step takes at most, by depth and way of training; each in a process of its own."""
    s, ways, depths = run.settings, methods.training_memory.WAYS, (2, 4, 8, 16)
    how = {"filters": s.width, "image_size": s.size, "batch_size": s.batch_size}
    found = {way: [methods.training_memory.peak_memory(way, depth, **how) for depth in depths] for way in ways}
    run.table("memory", [{"way": way, **dict(zip(map(str, depths), each, strict=True))} for way, each in found.items()])
    lines = {way: list(zip(depths, each, strict=True)) for way, each in found.items()}
    run.picture("memory", visualize.charts.curves(lines, "blocks", "megabytes of a step"))


def check_data(run):
    found = data.images.report.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"classes": visualize.images.examples(found.examples)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, untrained=(compare, memory, check_data))
