"""What a model would say had a training example been missing or another, without training it again."""

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from toolkit.methods.arnoldi import arnoldi
from toolkit.methods.conjugate_gradient import NotPositiveDefinite, conjugate_gradient
from toolkit.methods.example_losses import ExampleLosses
from toolkit.methods.examples import blocks, check_labels, check_shapes, num_rows, rows
from toolkit.methods.hessian import Hessian
from toolkit.methods.lissa import lissa, suggested_scale
from toolkit.methods.solved import Solved

_LARGEST_EXACT = 10_000
_GRADIENT_NUMBERS = 2**24  # of the gradients of examples that are kept at once


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
        solver: "cg", conjugate gradient; "lissa", by samples of the training examples; "arnoldi", within the span of
            the eigenvectors of largest eigenvalues, found once for all queries; "exact", the eigenvectors of the whole
            matrix, for at most 10,000 weights.
        gauss_newton: Whether the Gauss-Newton matrix stands for H: never negative with a loss convex in the outputs.
        batch_size: Examples that are computed at once.
        **options: Of the solver: `tolerance`, `max_iterations` of `conjugate_gradient`; `scale`, `depth`, `repeats`,
            `seed` of `lissa`, whose damping this is divided by its scale, and `sample_size` (32), the examples of a
            step; `num_steps` (100), `rank` (50), `seed` of `arnoldi`.

    Attributes:
        losses: The `ExampleLosses`.
        hessian: The `Hessian`, with damping.
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
        if solver not in _OPTIONS:
            raise ValueError(f"There is no solver {solver!r}; there are: {', '.join(_OPTIONS)}.")
        if unknown := sorted(options.keys() - _OPTIONS[solver]):
            has = ", ".join(sorted(_OPTIONS[solver])) or "none"
            raise ValueError(f"Solver {solver!r} has no option {unknown[0]!r}; it has: {has}.")
        self.losses = ExampleLosses(model, loss, layers)
        self.num_weights = self.losses.num_weights
        if solver == "exact" and self.num_weights > _LARGEST_EXACT:
            raise ValueError(
                f"The exact Hessian of {self.num_weights:,} weights is too large (at most {_LARGEST_EXACT:,}): choose "
                "solver='cg', or `layers`."
            )
        self.num_examples = num_rows(train, "training examples")
        self.hessian = Hessian(self.losses, train, l2, damping, gauss_newton, batch_size)
        self._model, self._loss, self._train, self._batch_size = model, loss, train, int(batch_size)
        self._solver, self._options = solver, options
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
        for cached in ("gradient_norm", "_spectrum"):
            new.__dict__.pop(cached, None)
        new.losses.read_weights()
        new.hessian = copy.copy(self.hessian)
        new.hessian.train = new._train = train
        new.hessian.num_examples = new.num_examples = num_rows(train, "training examples")
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
        if self._solver in ("exact", "arnoldi"):
            values, vectors = self._spectrum
            projected, norms = [], []
            for gradients in self._gradients(queries):
                projected.append(gradients @ vectors.T)
                norms.append(np.sum(gradients**2, axis=1))
            projected, norms = np.concatenate(projected), np.concatenate(norms)
            # What the eigenvectors do not span is left out.
            missed = np.sqrt(np.maximum(0, norms - np.sum(projected**2, axis=1)) / np.where(norms > 0, norms, 1))
            mix = projected / values
            return Solved(vectors, mix, missed) if len(mix) > len(values) else Solved(mix @ vectors, None, missed)
        found = [self._solved(gradients) for gradients in self._gradients(queries)]
        return Solved(np.concatenate([each[0] for each in found]), None, np.concatenate([each[1] for each in found]))

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
            with_penalty = gradients + self._penalty
            if self._solver in ("exact", "arnoldi"):
                values, vectors = self._spectrum
                found.append(np.sum((gradients @ vectors.T) * (with_penalty @ vectors.T) / values, axis=1))
            else:
                found.append(np.sum(self._solved(gradients)[0] * with_penalty, axis=1))
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

    @functools.cached_property
    def _spectrum(self):
        """Eigenvalues of H with damping that are above 0, and their eigenvectors as rows."""
        if self._solver == "exact":
            matrix = self.hessian.product(np.eye(self.num_weights))
            values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
            vectors = vectors.T
        else:
            options = {"num_steps": 100, "rank": 50, **self._options}
            values, vectors = arnoldi(self.hessian.product, self.num_weights, **options)
        # A direction in which nothing changes, as of a softmax' biases all together, has an eigenvalue of 0.
        nothing = 10 * np.finfo(self.losses.dtype).eps * np.abs(values).max()
        if values.min() < -nothing:
            self._refuse(values.min())
        return values[values > nothing], vectors[values > nothing]

    def _solved(self, gradients):
        """H^-1 of rows, and their relative residuals."""
        if self._solver == "cg":
            try:
                found = conjugate_gradient(self.hessian.product, gradients, **self._options)
            except NotPositiveDefinite as error:
                self._refuse(error.eigenvalue)
            return found.vectors, found.residuals
        options = {"sample_size": 32, **self._options}
        size, seed = min(options.pop("sample_size"), self.num_examples), options.get("seed", 0)
        sample = functools.partial(self.hessian.sample, sample_size=size)
        if options.get("scale") is None:
            options["scale"] = suggested_scale(sample, self.num_weights, seed)
        found = lissa(sample, gradients, damping=self.hessian.damping / options["scale"], **options)
        norms = np.linalg.norm(gradients, axis=1)
        left = np.linalg.norm(self.hessian.product(found.vectors) - gradients, axis=1)
        return found.vectors, left / np.where(norms > 0, norms, 1)

    def _refuse(self, eigenvalue):
        """Says what damping it takes: conjugate gradient stops at the first direction of negative curvature."""
        values = arnoldi(self.hessian.product, self.num_weights, num_steps=50).values
        least = min(eigenvalue, values.min())
        more = max(-1.2 * least, 1e-3 * np.abs(values).max()) or 0.01
        raise ValueError(
            f"The Hessian is not positive definite: with damping {self.hessian.damping:g} its least eigenvalue is "
            f"about {least:.2g}. Give damping={self.hessian.damping + more:.2g} or more, or gauss_newton=True, "
            "or train the model until it lies at a minimum."
        ) from None

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


_OPTIONS = {
    "cg": {"tolerance", "max_iterations"},
    "lissa": {"scale", "depth", "repeats", "sample_size", "seed"},
    "arnoldi": {"num_steps", "rank", "seed"},
    "exact": set(),
}


def _all(indices):
    return slice(None) if indices is None else np.asarray(indices)
