"""A classifier with what it is trained and tested on: its optimum, its scores, its influence functions."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from toolkit.losses.smooth_hinge import SmoothHinge
from toolkit.methods.influence import Influence
from toolkit.methods.optimum import HingeMinimizer, Minimizer


class TrainedClassifier:
    """A classifier whose weights minimise 1/n Σ L(z_i, θ) + l2 / 2 |θ|², and questions about it.

    A model of one score is a support vector machine: its loss is the hinge, of which influence functions see a smooth
    one; else the loss is the cross-entropy of logits.

    Args:
        model: A Keras model, such as one of `models.small_classifiers`.
        x: By part, "train" and "test", inputs (examples, ...).
        labels: By part, integers (examples,).
        l2: The regulariser's weight.
        temperature: Of the smooth hinge.
        batch_size: Examples that are computed together.
        **solving: What else `Influence` takes, such as damping and solver.

    Attributes:
        minimizer: Brings the model to its optimum.
        loss: What influence functions see.

    Example:

    >>> from toolkit import data, models
    >>> digits = data.classified.load("embedded", classes=("1", "7"), num_train=40)
    >>> model = models.small_classifiers.logistic_regression((8, 8, 1), digits.class_names, scale=1 / 255)
    >>> classifier = TrainedClassifier(model, digits.features, digits.labels, l2=0.1)
    >>> _ = classifier.minimizer.minimize()
    >>> classifier.accuracy() > 90, classifier.influence().of_removing(classifier.queries([3])).shape
    (True, (1, 40))

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 4.
    """

    def __init__(
        self,
        model: keras.Model,
        x: Mapping[str, np.ndarray],
        labels: Mapping[str, np.ndarray],
        *,
        l2: float,
        temperature: float = 0.001,
        batch_size: int = 1024,
        **solving: Any,
    ) -> None:
        self.model, self.labels = model, labels
        self.x = {part: np.asarray(each, model.input.dtype) for part, each in x.items()}
        self._how = {"l2": l2, "batch_size": batch_size, **solving}
        how, self._made = {"l2": l2, "batch_size": batch_size}, {}
        if model.output_shape[-1] == 1:
            self.loss = SmoothHinge(temperature)
            self.minimizer = HingeMinimizer(model, self.x["train"], labels["train"], **how)
        else:
            self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            self.minimizer = Minimizer(model, self.loss, self.x["train"], labels["train"], **how)

    def scores(self, part: str = "test") -> np.ndarray:
        """Computes a score for each class; of one score, 0 for the first class.

        Args:
            part: "train" or "test".

        Returns:
            float64 (examples, classes).
        """
        found = self.minimizer.outputs(self.x[part])
        return found if found.shape[1] > 1 else np.concatenate([np.zeros_like(found), found], axis=1)

    def accuracy(self) -> float:
        """Says how many of the test examples are classified right, in per cent."""
        return 100 * float((self.scores().argmax(axis=1) == self.labels["test"]).mean())

    def losses(self, part: str = "test") -> np.ndarray:
        """Computes each example's loss, (examples,), of which training sees the mean.

        Args:
            part: "train" or "test".
        """
        return self.minimizer.losses(self.x[part], self.labels[part])

    def measures(self) -> dict[str, float]:
        """Says how good it is, and how near to its optimum.

        Returns:
            "test_accuracy_percent", "test_loss" and "training_loss"; what is minimised, "objective", and the length of
            its gradient, "gradient_norm"; and how many "weights" and "training_examples" there are.
        """
        value, gradient = self.minimizer(self.minimizer.weights)
        found = {"test_accuracy_percent": self.accuracy(), "test_loss": float(self.losses().mean())}
        found |= {"training_loss": float(self.losses("train").mean()), "objective": value, "weights": len(gradient)}
        return found | {"gradient_norm": float(np.linalg.norm(gradient)), "training_examples": len(self.minimizer.x)}

    def margins(self) -> np.ndarray:
        """Computes by how much each test example's class has a higher score than the best other one, (examples,)."""
        scores = self.scores()
        own = np.eye(scores.shape[1], dtype=bool)[self.labels["test"]]
        return scores[own] - np.where(own, -np.inf, scores).max(axis=1)

    def queries(self, numbers: Any) -> tuple[np.ndarray, np.ndarray]:
        """Takes test examples with their labels, as `Influence` is asked for.

        Args:
            numbers: Which, (queries,).
        """
        return self.x["test"][numbers], self.labels["test"][numbers]

    def influence(self, **how: Any) -> Influence:
        """Makes the influence functions at the weights and training examples of now; those made before are void.

        Args:
            **how: What `Influence` takes otherwise than the constructor said.
        """
        train, asked = (self.minimizer.x, self.minimizer.y), repr(sorted(how.items()))
        if asked not in self._made:  # its graphs take a second to be traced
            self._made[asked] = Influence(self.model, self.loss, train, **(self._how | how))
        self._made[asked] = self._made[asked].renewed(train)
        return self._made[asked]

    def most_influential(self, numbers: Any, k: int) -> list[tuple[int, str, int, float]]:
        """Finds what was most helpful, and most harmful, to test examples.

        Args:
            numbers: Which test examples, (queries,).
            k: How many training examples of each kind, at most those there are.

        Returns:
            For each test example (its number, "helpful" or "harmful", the training example's number, by how much the
            loss rises without it), the helpful ones first, those of most influence before others.
        """
        top = self.influence().top(self.queries(numbers), min(k, len(self.minimizer.x)))
        return [
            (int(number), kind, int(row), float(score))
            for place, number in enumerate(numbers)
            for kind in ("helpful", "harmful")
            for row, score in zip(getattr(top, kind)[place], getattr(top, f"{kind}_scores")[place], strict=True)
        ]
