"""A classifier's weights at the minimum of its regularised loss, found by all examples at once."""

import dataclasses
import warnings
from typing import Any

import keras
import numpy as np

from toolkit.lazy import tensorflow as tf
from toolkit.methods.example_losses import ExampleLosses
from toolkit.methods.hessian import blocks


@dataclasses.dataclass(frozen=True)
class Minimum:
    """What a search for a minimum has found.

    Args:
        loss: The mean loss of the training examples with the regulariser.
        gradient_norm: The Euclidean norm of its gradient there; of the hinge NaN.
        iterations: How many it took.
    """

    loss: float
    gradient_norm: float
    iterations: int


class Minimizer:
    """R(θ) = 1/n Σ L(z_i, θ) + l2 / 2 |θ|² of a model's weights θ, and its minimum by L-BFGS.

    The regulariser is on weights with two axes or more, kernels, as in `methods.hessian.Hessian`.

    Args:
        model: A Keras model without randomness or batch statistics. Its weights are where a search begins and ends.
        loss: As in `methods.example_losses.ExampleLosses`.
        x: Inputs (examples, ...).
        y: Targets (examples, ...), as the loss takes them.
        l2: The regulariser's weight.
        batch_size: Examples that are looked at together: it decides memory, not the result.

    Raises:
        ValueError: Where inputs and targets are not as many, or there is none.

    Example:

    >>> from toolkit import models
    >>> model = models.small_classifiers.logistic_regression((1,), ["no", "yes"])
    >>> x, y = np.array([[-1.0], [1.0], [2.0], [-0.5]]), np.array([0, 1, 1, 1])
    >>> found = Minimizer(model, keras.losses.SparseCategoricalCrossentropy(from_logits=True), x, y, l2=0.1).minimize()
    >>> round(found.loss, 3), found.gradient_norm < 1e-8
    (0.448, True)

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 2; Nocedal 1980 (L-BFGS).
    """

    def __init__(self, model: keras.Model, loss: Any, x: Any, y: Any, *, l2: float, batch_size: int = 4096) -> None:
        self.model, self.l2, self.batch_size = model, l2, batch_size
        self._losses = ExampleLosses(model, loss)
        self._kernels = np.concatenate(
            [np.full(int(np.prod(each.shape)), float(len(each.shape) > 1)) for each in self._losses.variables]
        )
        self._graph = tf.function(self._value_and_gradient, autograph=False, reduce_retracing=True)
        self._outputs = tf.function(self._losses.outputs, autograph=False, reduce_retracing=True)
        self.replace(x, y)

    def replace(self, x: Any, y: Any) -> None:
        """Takes other examples; the weights stay.

        Args:
            x, y: As in the constructor.
        """
        if len(x) != len(y) or not len(x):
            raise ValueError(f"expected as many inputs as targets, and one at least; got {len(x)} and {len(y)}.")
        self.x, self.y = np.asarray(x), np.asarray(y)

    @property
    def weights(self) -> np.ndarray:
        """The model's weights as one vector, float64."""
        return np.concatenate([np.asarray(each, "float64").ravel() for each in self._losses.variables])

    @weights.setter
    def weights(self, vector: np.ndarray) -> None:
        """Gives the model the weights of a vector (weights,)."""
        self._losses.weights = tf.cast(tf.convert_to_tensor(vector), self._losses.dtype)
        for variable, part in zip(self._losses.variables, self._losses.split(self._losses.weights), strict=True):
            variable.assign(part)

    def outputs(self, x: Any) -> np.ndarray:
        """Computes the model's outputs; `predict` would round float64 to float32 on the way.

        Args:
            x: As in the constructor.

        Returns:
            float64 (examples, ...).
        """
        weights = self._losses.tensors(self.weights)
        parts = (self._outputs(weights, self._losses.tensors(part)) for part, _ in blocks((x, x), self.batch_size))
        return np.concatenate([np.asarray(part, "float64") for part in parts])

    def losses(self, x: Any, y: Any) -> np.ndarray:
        """Computes the loss of each of some examples, without the regulariser.

        Args:
            x, y: As in the constructor.

        Returns:
            float64 (examples,).
        """
        self.weights = self.weights  # the model's may have been set
        return np.concatenate([self._losses.values(*block) for block in blocks((x, y), self.batch_size)])

    def _value_and_gradient(self, weights, x, y, shares):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = tf.reduce_sum(shares * self._losses(weights, x, y))
        return value, tape.gradient(value, weights)

    def __call__(self, vector: np.ndarray, without: int | None = None) -> tuple[float, np.ndarray]:
        """Computes R and its gradient at other weights than the model's.

        Args:
            vector: The weights, (weights,).
            without: The number of an example that is left out; None: of none.

        Returns:
            (value, gradient), float and float64 (weights,).
        """
        shares = np.full(len(self.x), 1.0 / (len(self.x) - (without is not None)))
        if without is not None:
            shares[without] = 0.0
        weights = self._losses.tensors(vector)
        value = self.l2 / 2 * float(vector @ (self._kernels * vector))
        gradient = self.l2 * self._kernels * vector
        for (x, y), (own, _) in zip(
            blocks((self.x, self.y), self.batch_size), blocks((shares, shares), self.batch_size), strict=True
        ):
            found = self._graph(weights, *map(self._losses.tensors, (x, y, own)))
            value, gradient = value + float(found[0]), gradient + np.asarray(found[1], "float64")
        return value, gradient

    def minimize(self, *, without: int | None = None, tolerance: float = 1e-9, max_iterations: int = 2000) -> Minimum:
        """Searches from the model's weights on, and leaves them at the minimum.

        Args:
            without: As in the call.
            tolerance: The gradient's largest part at which it ends.
            max_iterations: After how many it ends in any case.

        Returns:
            What was found.

        Raises:
            ValueError: Where the loss is not finite.
        """
        from scipy.optimize import minimize

        options = {"maxiter": max_iterations, "maxfun": 20 * max_iterations, "maxcor": 30, "gtol": tolerance, "ftol": 0}
        found = minimize(self, self.weights, (without,), method="L-BFGS-B", jac=True, options=options)
        if not np.isfinite(found.fun):
            raise ValueError("The loss is not a finite number: are there infinite or missing numbers in the data?")
        self.weights = found.x
        return Minimum(float(found.fun), float(np.linalg.norm(found.jac)), int(found.nit))

    def optimum(self) -> dict[str, np.ndarray]:
        """Searches as `minimize` does, and gives the weights, (weights,) under this name, to be kept."""
        self.minimize()
        return {"weights": self.weights}


class HingeMinimizer(Minimizer):
    """The same of a linear model's hinge max(0, 1 - y f(x)), which has no derivative at 1, by liblinear.

    Args:
        model: What `models.small_classifiers.linear_svm` returned.
        x: Inputs (examples, ...).
        y: Labels (examples,), 0 or 1.
        l2: The regulariser's weight.
        batch_size: As in `Minimizer`.

    Example:

    >>> from toolkit import models
    >>> x, y = np.array([[-1.0], [1.0], [2.0], [-3.0]]), np.array([0, 1, 1, 0])
    >>> round(HingeMinimizer(models.small_classifiers.linear_svm((1,)), x, y, l2=0.1).minimize().loss, 4)
    0.05

    Reference: Fan et al. 2008, LIBLINEAR; Hsieh et al. 2008 (dual coordinate descent).
    """

    def __init__(self, model: keras.Model, x: Any, y: Any, *, l2: float, batch_size: int = 4096) -> None:
        super().__init__(model, _hinge, x, y, l2=l2, batch_size=batch_size)
        self._seen = keras.Model(model.input, model.get_layer("logits").input)  # without weights

    def minimize(self, *, without: int | None = None, tolerance: float = 1e-9, max_iterations: int = 2000) -> Minimum:
        """Does what `Minimizer.minimize` does, from the beginning, whatever the model's weights are.

        Args:
            without, tolerance: As there; the tolerance is liblinear's.
            max_iterations: In thousands of passes over the examples, which become fewer.

        Returns:
            What was found.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.svm import LinearSVC

        kept = np.arange(len(self.x)) != without
        features = np.asarray(self._seen(self._losses.tensors(self.x[kept])), "float64")
        how = {"loss": "hinge", "C": 1 / (self.l2 * kept.sum()), "fit_intercept": False, "random_state": 0}
        machine = LinearSVC(tol=tolerance, max_iter=1000 * max_iterations, **how)  # each is one pass at most
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the iterations say it
            machine.fit(features, self.y[kept] > 0)
        self.weights = machine.coef_[0]
        return Minimum(self(self.weights, without)[0], float("nan"), int(np.max(machine.n_iter_)))


def _hinge(y, outputs):
    return tf.nn.relu(1 - tf.where(y > 0, outputs[:, 0], -outputs[:, 0]))  # not `losses.margin.L1Hinge`, of float32
