"""Settings of influence functions and of what is asked of them."""

import re

from toolkit.settings.fields import group, quoted, setting
from toolkit.settings.lists import numbers
from toolkit.settings.running import Run


@group
class ExplainedNetwork(Run):
    """The network that is explained."""

    model: str = setting(
        "",
        "workdir of an image_classification, on whose features its last layer is trained anew, to its optimum, by the "
        "same data; empty: --network",
        path=True,
    )
    network: str = setting(
        "logistic_regression",
        "what is trained: svm is of two classes, cnn of images; of --model its last layer",
        choices=("logistic_regression", "svm", "cnn"),
    )
    layers: str = setting(
        "last",
        "whose weights --mode=explain looks at in --model: the last one's at their optimum, or all as they are",
        choices=("last", "all"),
        changeable=True,
    )

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where --model is asked for with what it brings, or all layers without it.
        """
        if self.model and (self.network == "cnn" or getattr(self, "classes", "")):
            raise ValueError("--model brings its network and classes: leave out --network=cnn and --classes.")
        if self.layers == "all" and not self.model:
            raise ValueError("--layers=all is of --model; of a --network all weights are looked at.")


@group
class InfluenceFunctions(Run):
    """The influence functions."""

    temperature: float = setting(
        0.001, "of the smooth hinge that stands for an svm's", paper="0.001", minimum=1e-6, maximum=1e3, changeable=True
    )
    damping: float | None = setting(
        None,
        "added to each eigenvalue of the Hessian; left out: 0.01 of what has several layers, else 0",
        paper="0.01",
        minimum=0.0,
        maximum=1e6,
        changeable=True,
    )
    gauss_newton: bool = setting(False, "the Gauss-Newton matrix stands for the Hessian", changeable=True)
    solver: str | None = setting(
        None,
        "of systems with the Hessian; left out: exact of at most 3,000 weights in one layer, else cg",
        choices=("exact", "cg", "lissa", "arnoldi"),
        changeable=True,
    )

    def solving(self, one_layer: bool, num_weights: int) -> dict:
        """Gives what `methods.influence.Influence` is asked for, but for the regulariser, by its arguments' names.

        Args:
            one_layer: Whether all weights are in one layer.
            num_weights: How many there are.
        """
        damping = (0.0 if one_layer else 0.01) if self.damping is None else self.damping
        solver = self.solver or ("exact" if one_layer and num_weights <= 3000 else "cg")
        found = {"damping": damping, "gauss_newton": self.gauss_newton, "solver": solver}
        return found | ({"max_iterations": 2000, "tolerance": 1e-8} if solver == "cg" else {})


@group
class InfluenceQuestions(Run):
    """What is asked."""

    examples: str = setting(
        "",
        "numbers of test examples, between commas; empty: those of the greatest loss, to attack those that are hardly "
        "right",
        changeable=True,
        maximum=10_000,
    )
    num_examples: int = setting(4, "test examples, without --examples", minimum=1, maximum=10_000, changeable=True)
    num_shown: int = setting(
        5, "most helpful, and most harmful, training examples that are shown", minimum=1, maximum=100, changeable=True
    )
    num_points: int = setting(
        40,
        "of --mode=verify: training examples of most influence on each test example, without each of which is trained",
        paper="500",
        minimum=2,
        maximum=1_000_000,
        changeable=True,
    )
    flipped_share: float = setting(
        0.1, "of --mode=find_mislabelled: share of the labels made wrong", paper="0.1", minimum=0.001, maximum=0.9
    )
    num_changed: str = setting(
        "1,10,100,1000",
        "of --mode=attack: training images that are changed, one number after the other until the prediction flips",
        paper="1,2,10",
        changeable=True,
        maximum=1000,
    )
    num_steps: int = setting(
        3, "of --mode=attack: changes, each with a training", paper="100", minimum=1, maximum=10_000, changeable=True
    )
    num_patients: int = setting(
        4000, "of --mode=mismatch, trained on", paper="20000", minimum=100, maximum=1_000_000, changeable=True
    )
    patients_l2: float = setting(
        1e-4, "of --mode=mismatch: weight of the regulariser", minimum=1e-9, maximum=1e3, changeable=True
    )

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where numbers of test examples, or of images to change, are none.
        """
        if not all(re.fullmatch("[0-9]{1,9}", word.strip()) for word in self._words):
            raise ValueError(f"--examples must be whole numbers between commas; got {quoted(self.examples)}.")
        if not self.counts:
            raise ValueError("--num_changed must be whole numbers over 0 between commas; got none.")

    @property
    def _words(self):
        return self.examples.split(",") if self.examples else []

    @property
    def counts(self) -> tuple[int, ...]:
        """How many training images an attack changes, one number after the other."""
        return numbers(self.num_changed, "num_changed", int)

    def chosen(self, order: list[int]) -> list[int]:
        """Gives the test examples that are asked for.

        Args:
            order: All of them, those first that are taken where none is named.

        Raises:
            ValueError: Where one that is named is not there.
        """
        named = list(dict.fromkeys(int(word) for word in self._words))
        if named and max(named) >= len(order):
            raise ValueError(f"--examples={self.examples[:60]}: the test examples are 0 to {len(order) - 1}.")
        return named or list(order[: self.num_examples])
