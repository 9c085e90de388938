"""What a model would say had a training example been missing or another, without training it again."""

import copy
import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from toolkit.methods.example_losses import ExampleLosses
from toolkit.methods.examples import blocks, check_labels, check_shapes, num_rows, rows
from toolkit.methods.hessian import Hessian
from toolkit.methods.inverse_hessian import InverseHessian

_GRADIENT_NUMBERS = 2**24  # of the gradients of examples that are kept at once


@dataclasses.dataclass(frozen=True)
class Solved:
    """H^-1 grad of the loss of each query, as `mix @ directions`.

    Args:
        directions: (directions, num_weights).
        mix: (queries, directions); None: each direction is a query's.
        residuals: ||H x - grad|| / ||grad|| of each query, (queries,).
    """

    directions: np.ndarray
    mix: np.ndarray | None
    residuals: np.ndarray

    @property
    def vectors(self) -> np.ndarray:
        """H^-1 grad of each query, (queries, num_weights)."""
        return self.directions if self.mix is None else self.mix @ self.directions

    def mixed(self, values: np.ndarray) -> np.ndarray:
        """Turns values (directions, ...), linear in each direction, into those of the queries, (queries, ...)."""
        return values if self.mix is None else np.tensordot(self.mix, values, 1)


class Top(NamedTuple):
    """The training examples of most influence on each query.

    Args:
        helpful: Those whose removal raises the query's loss most, the first the most; int64 (queries, k).
        helpful_scores: By how much, (queries, k).
        harmful: Those whose removal lowers it most, likewise.
        harmful_scores: By how much, below 0.
    """

    helpful: np.ndarray
    helpful_scores: np.ndarray
    harmful: np.ndarray
    harmful_scores: np.ndarray


class Influence:
    """The influence of training examples on the loss of other examples, for any model that lies at a minimum.

    The weights w minimise R(w) = 1/n sum_i l(z_i, w) + penalty(w), H its Hessian. Each method predicts, to first order
    in 1/n, **by how much the loss l(q, w) of a query q changes** once something is done to z_i and w is trained again:

        removing z_i:              grad l(q) . H^-1 (grad l(z_i) + grad penalty) / n
        relabelling z_i as z':     grad l(q) . H^-1 (grad l(z_i) - grad l(z')) / n
        moving the input of z_i:   -grad l(q) . H^-1 grad_x grad_w l(z_i) / n, for each unit of each number of the input

    So where removing is above 0 the example was helpful. After removal R is the mean of n - 1 losses and the same
    penalty. The loss of a query has no penalty. No array of points by weights is made: grad l(q) . H^-1 is found once,
    and its products with all the grad l(z_i) are derivatives forwards.

    Args:
        model: A built model, called as in inference; rolled recurrent layers are to be unrolled.
        loss: A `keras.losses.Loss`, whose elements are averaged for each example, or (y, outputs) -> losses (batch,).
        train: (x, y), what it was trained on: arrays, or nests of them, of n rows.
        l2: Weight of the penalty l2 / 2 ||w||^2, on weights with two axes or more; the variables' own regularizers
            count besides.
        damping: What is added to each eigenvalue of H.
        layers: Names of the layers whose weights would change, the others staying; None: all.
        solver: "cg", "lissa", "arnoldi" or "exact", as in `InverseHessian`.
        gauss_newton: Whether the Gauss-Newton matrix stands for H: never negative with a loss convex in the outputs.
        batch_size: Examples that are computed at once.
        **options: Of the solver, as in `InverseHessian`.

    Attributes:
        losses: The `ExampleLosses`.
        hessian: The `Hessian`, with damping.
        inverse: The `InverseHessian`.
        num_examples, num_weights: n, and the length of w.

    Raises:
        ValueError: Where layers, labels, shapes or options are wrong, a training example's loss is not finite, H is not
            positive definite (with the damping that it takes) or LiSSA diverges (with the scale that it takes).

    Example:

    >>> x, y = np.array([[1.0], [2.0], [3.0]], "float32"), np.array([[2.0], [4.0], [9.0]], "float32")
    >>> slope = float(x[:, 0] @ y[:, 0] / (x[:, 0] @ x[:, 0]))  # least squares
    >>> start = keras.initializers.Constant(slope)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer=start)])
    >>> influence = Influence(model, keras.losses.MeanSquaredError(), (x, y))
    >>> influence.of_removing((x[:1], y[:1])).round(3)  # without the third point the first fits better
    array([[ 0.059,  0.236, -0.295]])

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 2; Schioppa et al. 2022, arXiv 2112.03052 (Arnoldi).
    """

    def __init__(
        self,
        model: keras.Model,
        loss: keras.losses.Loss | Callable,
        train: tuple[Any, Any],
        l2: float = 0.0,
        damping: float = 0.0,
        layers: Sequence[str] | None = None,
        solver: str = "cg",
        gauss_newton: bool = False,
        batch_size: int = 256,
        **options: Any,
    ) -> None:
        self.losses = ExampleLosses(model, loss, layers)
        self.num_weights = self.losses.num_weights
        self.num_examples = num_rows(train, "training examples")
        self.hessian = Hessian(self.losses, train, l2, damping, gauss_newton, batch_size)
        self._model, self._loss, self._train, self._batch_size = model, loss, train, int(batch_size)
        self.inverse = InverseHessian(self.hessian, solver, **options)
        self._check(train, "training examples")
        self._penalty = self.hessian.penalty_gradient()

    def renewed(self, train: tuple[Any, Any]) -> "Influence":
        """Gives the same for the weights that the model has now, and other training examples, without new graphs.

        Args:
            train: As in the constructor.

        Returns:
            The new influence functions. The one it was called on has the new weights too: use it no more.
        """
        new = copy.copy(self)
        new.__dict__.pop("gradient_norm", None)
        new.losses.read_weights()
        new.hessian = copy.copy(self.hessian)
        new.hessian.train = new._train = train
        new.hessian.num_examples = new.num_examples = num_rows(train, "training examples")
        new.inverse = InverseHessian(new.hessian, self.inverse.solver, **self.inverse.options)
        new._check(train, "training examples")
        new._penalty = new.hessian.penalty_gradient()
        return new

    @functools.cached_property
    def gradient_norm(self) -> float:
        """Length of R's gradient at w: near 0 where the model was trained until it no longer changes."""
        return float(np.linalg.norm(self.hessian.gradient()))

    def solve(self, queries: tuple[Any, Any]) -> Solved:
        """Finds H^-1 grad l(q) of each query, which every method below takes in place of the queries.

        Args:
            queries: (x, y), inputs and labels as in training.
        """
        self._check(queries, "queries")
        # Many queries within the span of few eigenvectors are kept as what they are made of.
        basis = self.inverse.spectrum.vectors if self.inverse.has_spectrum else None
        mixed = basis is not None and num_rows(queries, "queries") > len(basis)
        solved = [self.inverse.solve(gradients) for gradients in self._gradients(queries)]
        residuals = np.concatenate([each for _, each in solved])
        if mixed:
            return Solved(basis, np.concatenate([each @ basis.T for each, _ in solved]), residuals)
        return Solved(np.concatenate([each for each, _ in solved]), None, residuals)

    def of_removing(self, queries: tuple[Any, Any] | Solved, indices: Any = None) -> np.ndarray:
        """Predicts the change of each query's loss where a training example is removed.

        Args:
            queries: (x, y), or what `solve` returned.
            indices: Which training examples; None: all.

        Returns:
            float64 (queries, examples), above 0 where the example was helpful.
        """
        solved, examples = self._both(queries, indices)
        return np.concatenate([self._removing(solved, *block) for block in blocks(examples, self._batch_size)], axis=1)

    def of_relabelling(self, queries: tuple[Any, Any] | Solved, labels: Any, indices: Any = None) -> np.ndarray:
        """Predicts the change of each query's loss where a training example has another label.

        Args:
            queries: (x, y), or what `solve` returned.
            labels: The other label of each of these training examples, as y of `train`.
            indices: Which training examples; None: all.

        Returns:
            float64 (queries, examples).
        """
        solved, examples = self._both(queries, indices)
        labels = np.asarray(labels) if isinstance(labels, list) else labels
        self._check((examples[0], labels), "new labels")
        before, after = (
            np.concatenate(
                [self.losses.directional(*block, solved.directions) for block in blocks(each, self._batch_size)], axis=1
            )
            for each in (examples, (examples[0], labels))
        )
        return solved.mixed(before - after) / self.num_examples

    def of_perturbing(self, queries: tuple[Any, Any] | Solved, indices: Any = None) -> np.ndarray:
        """Predicts the change of each query's loss for each unit that a number of a training input is raised by.

        Args:
            queries: (x, y), or what `solve` returned.
            indices: Which training examples, whose x is one float array; None: all.

        Returns:
            float64 (queries, examples, *shape of an input).
        """
        solved, examples = self._both(queries, indices)
        if not isinstance(examples[0], np.ndarray) or not np.issubdtype(examples[0].dtype, np.floating):
            raise ValueError("Only inputs that are one array of floats can be moved; give x as such.")
        found = [
            solved.mixed(self.losses.input_gradients(*block, solved.directions))
            for block in blocks(examples, self._batch_size)
        ]
        return -np.concatenate(found, axis=1) / self.num_examples

    def self_influence(self, indices: Any = None) -> np.ndarray:
        """Predicts the change of a training example's own loss where it is removed: large where the others disagree.

        Args:
            indices: Which training examples; None: all.

        Returns:
            float64 (examples,); the largest first, this is an order in which to look for wrong labels.
        """
        found = []
        for gradients in self._gradients(rows(self._train, _all(indices))):
            found.append(np.sum(self.inverse.solve(gradients)[0] * (gradients + self._penalty), axis=1))
        return np.concatenate(found) / self.num_examples

    def top(self, queries: tuple[Any, Any] | Solved, k: int = 10) -> Top:
        """Finds the training examples of most influence on each query, without keeping the influence of all.

        Args:
            queries: (x, y), or what `solve` returned.
            k: How many of each kind.
        """
        if not 1 <= k <= self.num_examples:
            raise ValueError(f"k must be from 1 to {self.num_examples}, the training examples; got {k}.")
        solved, examples = self._both(queries, None)
        kept, numbers, start = None, None, 0
        for x, y in blocks(examples, self._batch_size):
            scores = self._removing(solved, x, y)
            where = np.broadcast_to(np.arange(start, start + scores.shape[1]), scores.shape)
            start += scores.shape[1]
            if kept is not None:
                scores, where = np.concatenate([kept, scores], axis=1), np.concatenate([numbers, where], axis=1)
            order = np.argsort(-scores, axis=1, kind="stable")
            if order.shape[1] > 2 * k:
                order = np.concatenate([order[:, :k], order[:, -k:]], axis=1)
            kept, numbers = (np.take_along_axis(each, order, axis=1) for each in (scores, where))
        return Top(numbers[:, :k], kept[:, :k], numbers[:, ::-1][:, :k], kept[:, ::-1][:, :k])

    def _gradients(self, examples):
        """The gradients of examples without the penalty, some rows at a time."""
        size = max(1, min(self._batch_size, _GRADIENT_NUMBERS // self.num_weights))
        for x, y in blocks(examples, size):
            yield self.losses.gradients(x, y)

    def _removing(self, solved, x, y):
        along = self.losses.directional(x, y, solved.directions) + (solved.directions @ self._penalty)[:, None]
        return solved.mixed(along) / self.num_examples

    def _both(self, queries, indices):
        solved = queries if isinstance(queries, Solved) else self.solve(queries)
        return solved, rows(self._train, _all(indices))

    def _check(self, examples, name):
        """Refuses examples whose labels or losses cannot be."""
        check_shapes(self._model, examples, name)
        check_labels(self._model, self._loss, examples, name)
        values = np.concatenate([self.losses.values(*block) for block in blocks(examples, self._batch_size)])
        if values.shape != (num_rows(examples, name),):
            raise ValueError(f"Expected a loss for each of the {name}; got losses of shape {values.shape}.")
        if not np.isfinite(values).all():
            raise ValueError(f"Loss {np.flatnonzero(~np.isfinite(values))[0]} of the {name} is not finite.")


def _all(indices):
    return slice(None) if indices is None else np.asarray(indices)
