"""Settings of active learning: the pool, what is asked for and who answers."""

from toolkit.settings.fields import group, quoted, setting
from toolkit.settings.running import Run, Training

QUERY_STRATEGIES = (
    "random",
    "least_confidence",
    "margin",
    "entropy",
    "bald",
    "dbal",
    "coreset",
    "robust_coreset",
    "center_of_gravity",
    "vaal",
    "qbc",
)
_BY_DROPOUT = ("bald", "dbal")


@group
class PoolShape(Run):
    """The pool, as it is made uneven or repetitive on purpose."""

    imbalance: float = setting(
        1.0,
        "images of the pool's first class for one of its last; between, the counts fall evenly on a logarithmic scale; "
        "1: as they are",
        minimum=1.0,
        maximum=1e4,
    )
    redundancy: float = setting(
        0.0, "share of the pool that is copies of a twentieth of its other images", minimum=0.0, maximum=0.99
    )
    label_noise: float = setting(0.0, "share of the pool's images with a wrong label", minimum=0.0, maximum=1.0)
    validation_size: int | None = setting(
        None,
        "images that validate: they say which weights of a training are kept; left out: all that are held out",
        paper="2, 5 and 10 % of CIFAR-10's training images",
        minimum=1,
        maximum=100_000_000,
    )
    unlabelled: str = setting(
        "",
        "folder of images whose classes nobody has told, which are asked for; those of --data are then all labelled "
        "from the start; for --oracle=ask and csv",
        path=True,
    )

    def shaping(self) -> dict:
        """Gives what `data.images.pool.PoolShape` is asked for, by its arguments' names."""
        return self.only("imbalance", "redundancy", "validation_size", "seed")


@group
class Queries(Run):
    """What is asked for, and who answers."""

    query_strategy: str = setting(
        "entropy", "by what images are chosen; each is in docs/recipes/active_learning.md", choices=QUERY_STRATEGIES
    )
    initial_size: int = setting(
        40, "images labelled at first, drawn at random", paper="10 % of the pool", minimum=1, maximum=100_000_000
    )
    query_size: int = setting(
        20, "images asked for in a round", paper="5 and 10 % of the pool", minimum=1, maximum=100_000_000
    )
    num_rounds: int = setting(
        7,
        "trainings from scratch; after each but the last is asked",
        minimum=1,
        maximum=1000,
        changeable=True,
        remembered=True,
    )
    oracle: str = setting(
        "labels",
        "who answers: labels: the data itself; ask: you, on a page at 127.0.0.1; csv: you, in labels/round_N/ of the "
        "workdir, after which the same command goes on",
        choices=("labels", "ask", "csv"),
    )
    port: int = setting(
        0, "of the page of --oracle=ask; 0: one that is free", minimum=0, maximum=65_535, changeable=True
    )
    query_strategies: str = setting(
        "random,entropy,bald,coreset,qbc", "of --mode=study, between commas", changeable=True, maximum=1000
    )

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where a strategy is unknown, or nobody could answer.
        """
        for name in self.query_strategies.split(","):
            if name not in QUERY_STRATEGIES:
                raise ValueError(f"--query_strategies: {quoted(name)} is none of {', '.join(QUERY_STRATEGIES)}.")
        if getattr(self, "unlabelled", "") and self.oracle == "labels":
            raise ValueError("--unlabelled names images without classes: --oracle=ask or csv says who tells them.")
        if self.mode == "study" and self.oracle != "labels":
            raise ValueError(f"--mode=study asks thousands of times: --oracle={self.oracle} is for a single run.")


@group
class DropoutNetwork(Run):
    """The network, of which units are left out at random."""

    architecture: str = setting(
        "dense", "layers of --units, or one of image_classification's, such as resnet8", paper="vgg16, resnet18"
    )
    units: int = setting(64, "of each of dense's layers", minimum=1, maximum=65_536)
    num_layers: int = setting(1, "of dense", minimum=1, maximum=100)
    width: int | None = setting(
        None, "filters of other networks' first convolution; left out: as published", minimum=1, maximum=512
    )
    dropout: float = setting(
        0.25,
        "share of the last features that are left out in training, and in the passes of bald and dbal",
        minimum=0.0,
        maximum=0.95,
    )

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where passes would all be alike, without dropout.
        """
        asked = [getattr(self, "query_strategy", "")]
        asked += getattr(self, "query_strategies", "").split(",") if self.mode == "study" else []
        if not self.dropout and (by := next((name for name in asked if name in _BY_DROPOUT), "")):
            raise ValueError(
                f"--dropout=0.0: {by} compares passes with units left out; give more than 0, such as 0.25."
            )

    def network(self) -> dict:
        """Gives what `models.dropout_classifier.dropout_classifier` is asked for, by its arguments' names."""
        return self.only("units", "num_layers", "width", "dropout")


@group
class Regularization(Training):
    """What keeps the classifier from learning a few images by heart."""

    rand_augment: int = setting(
        0, "RandAugment's operations on each training image; 0: none", paper="1 to 15", minimum=0, maximum=15
    )
    rand_magnitude: int = setting(9, "their strength", paper="1 to 9", minimum=0, maximum=30)
    averaging_epochs: int = setting(
        0,
        "more epochs, of a small constant step size, in which the weights are averaged; 0: none",
        paper="50",
        minimum=0,
        maximum=1_000_000,
    )
    averaging_rate: float = setting(5e-4, "that step size", paper="5e-4", minimum=1e-12, maximum=1e3)
    averaging_every: int = setting(1, "steps from one average to the next", paper="50", minimum=1, maximum=1_000_000)
