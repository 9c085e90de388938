"""The Hessian of a training loss, of which only products with vectors are computed, block by block of examples."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from toolkit.methods.example_losses import ExampleLosses
from toolkit.methods.examples import blocks, num_rows, rows

_VECTORS_AT_ONCE = 128
_NUMBERS_AT_ONCE = 1 << 22  # in all of them: of a large network fewer are taken


class Hessian:
    """H + damping I, H the Hessian of R(w) = 1/n sum_i l_i(w) + penalty(w), at the weights w of a model.

    The penalty is l2 / 2 ||w||^2 over the weights with two axes or more (kernels, embeddings; not biases or scales),
    and what the variables' own regularizers give.

    Args:
        losses: The losses of examples as a function of w.
        train: (x, y), the training examples, arrays or nests of them, n rows each.
        l2: Weight of the penalty, 0 or more.
        damping: What is added to each eigenvalue, 0 or more.
        gauss_newton: Whether the Gauss-Newton matrix stands for the Hessian of l_i.
        batch_size: Examples that are computed at once.

    Attributes:
        num_examples: n.
        size: Number of weights, H being of shape (size, size).

    Raises:
        ValueError: Where x and y differ in length, or l2 or damping is negative.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    >>> losses = ExampleLosses(model, keras.losses.MeanSquaredError())
    >>> hessian = Hessian(losses, (np.array([[1.0], [2.0]]), np.zeros((2, 1))), l2=0.5, damping=0.25)
    >>> hessian.product(np.array([[1.0]]))  # (2 * 1 + 2 * 4) / 2 + 0.5 + 0.25
    array([[5.75]])

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 3.
    """

    def __init__(
        self,
        losses: ExampleLosses,
        train: tuple[Any, Any],
        l2: float = 0.0,
        damping: float = 0.0,
        gauss_newton: bool = False,
        batch_size: int = 256,
    ) -> None:
        for name, value in {"l2": l2, "damping": damping}.items():
            if not 0 <= value < np.inf:
                raise ValueError(f"{name} must be 0 or more; got {value}.")
        self.losses, self.train, self.damping = losses, train, float(damping)
        self.num_examples = num_rows(train, "training examples")
        self.size, self.batch_size = losses.num_weights, int(batch_size)
        self._at_once = min(_VECTORS_AT_ONCE, max(1, _NUMBERS_AT_ONCE // self.size))
        self._products = losses.gauss_newton_products if gauss_newton else losses.hessian_products
        sizes = [(int(np.prod(variable.shape)), len(variable.shape) > 1) for variable in losses.variables]
        self._l2 = np.concatenate([np.full(size, float(l2) * counts) for size, counts in sizes])
        self._regularized = any(getattr(variable, "regularizer", None) is not None for variable in losses.variables)
        self._curved = tf.function(self._regularizer_products, autograph=False, reduce_retracing=True)

    def product(self, vectors: np.ndarray) -> np.ndarray:
        """Multiplies H + damping I with vectors, (vectors, size) -> float64 (vectors, size)."""
        return self._product(vectors, blocks(self.train, self.batch_size), self.num_examples)

    def sample(self, random: np.random.Generator, sample_size: int) -> Callable[[np.ndarray], np.ndarray]:
        """Draws examples, and gives the product with the Hessian of their mean loss with the penalty, undamped.

        Args:
            random: Where they are drawn from, without replacement.
            sample_size: How many, at most n.

        Returns:
            (vectors, size) -> float64 (vectors, size).
        """
        drawn = rows(self.train, np.sort(random.choice(self.num_examples, sample_size, replace=False)))
        return lambda vectors: self._product(vectors, [drawn], sample_size) - self.damping * vectors

    def penalty_gradient(self) -> np.ndarray:
        """Computes the gradient of the penalty by the weights, float64 (size,)."""
        gradient = self._l2 * np.asarray(self.losses.weights, "float64")
        return gradient + np.asarray(self._regularizer_gradient(self.losses.weights)) if self._regularized else gradient

    def gradient(self) -> np.ndarray:
        """Computes the gradient of R, float64 (size,): 0 at its minimum."""
        total = self.penalty_gradient()
        for x, y in blocks(self.train, self.batch_size):
            total += self.losses.sum_gradient(x, y) / self.num_examples
        return total

    def _product(self, vectors, batches, count):
        vectors = np.asarray(vectors, "float64")
        if vectors.ndim != 2 or vectors.shape[1] != self.size:
            raise ValueError(f"Expected vectors of shape (vectors, {self.size}); got {vectors.shape}.")
        result = (self.damping + self._l2) * vectors
        starts = range(0, len(vectors), self._at_once)
        if self._regularized:
            for start in starts:
                some = slice(start, start + self._at_once)
                result[some] += self._curved(self.losses.weights, self.losses.tensors(vectors[some]))
        for x, y in batches:
            for start in starts:
                some = slice(start, start + self._at_once)
                result[some] += self._products(x, y, vectors[some]) / count
        return result

    def _regularizer_gradient(self, weights):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            total = tf.zeros((), weights.dtype)
            for variable, part in zip(self.losses.variables, self.losses.split(weights), strict=True):
                if getattr(variable, "regularizer", None) is not None:
                    total += tf.cast(variable.regularizer(part), total.dtype)
        return tf.convert_to_tensor(tape.gradient(total, weights, unconnected_gradients="zero"))

    def _regularizer_products(self, weights, vectors):
        def one(vector):
            with tf.autodiff.ForwardAccumulator(weights, vector) as forward:
                gradient = self._regularizer_gradient(weights)
            return forward.jvp(gradient, tf.UnconnectedGradients.ZERO)

        return tf.vectorized_map(one, vectors)
