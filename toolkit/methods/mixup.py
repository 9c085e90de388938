"""Mixup as learning from shrunk data with noise, and what follows for testing: Carratino et al. 2020.

Mixup's loss, (1/n²) Σ_ij E_λ l(λ y_i + (1 - λ) y_j, h(λ x_i + (1 - λ) x_j)), is, with θ = max(λ, 1 - λ), θ̄ = E θ
and the means x̄, ȳ,

    (1/n) Σ_i E_θj l(ỹ_i + ε_ij, h(x̃_i + δ_ij)),    x̃_i = x̄ + θ̄ (x_i - x̄),    ỹ_i = ȳ + θ̄ (y_i - ȳ),
    δ_ij = (θ - θ̄) (x_i - x̄) + (1 - θ) (x_j - x̄),    ε_ij = (θ - θ̄) (y_i - ȳ) + (1 - θ) (y_j - ȳ),

whose noise has mean 0 for each i (theorem 1). So a network learns of shrunk examples, and is to be asked about such.
"""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from toolkit.layers.shrinkage import Shrinkage


class Moments(NamedTuple):
    """Moments of θ = max(λ, 1 - λ), λ ~ Beta(α, α).

    Args:
        mean: θ̄ = E θ, from 1/2 to 1.
        variance: Var θ.
        partner: E (1 - θ)².
    """

    mean: float
    variance: float
    partner: float


def moments(alpha: float) -> Moments:
    """Computes the moments of the share that an example keeps, θ, exactly.

    With d = E |λ - 1/2| = 4^-α / (α B(α, α)) and q = E λ² = (α + 1) / (4 α + 2): θ̄ = 1/2 + d, E θ² = q + d and
    E (1 - θ)² = q - d.

    Args:
        alpha: α, more than 0.

    Raises:
        ValueError: Where alpha is not over 0.

    Example:

    >>> found = moments(1.0)
    >>> round(found.mean, 6), round(1 / found.variance, 6), round(12 * found.partner, 6)
    (0.75, 48.0, 1.0)

    Reference: Carratino et al. 2020, arXiv 2006.06049, theorem 1.
    """
    if not 0 < alpha < float("inf"):
        raise ValueError(f"alpha must be more than 0; got {alpha}.")
    log_beta = 2 * math.lgamma(alpha) - math.lgamma(2 * alpha)
    deviation = math.exp(-2 * alpha * math.log(2) - math.log(alpha) - log_beta)
    square, mean = (alpha + 1) / (4 * alpha + 2), 0.5 + deviation
    return Moments(mean, max(0.0, square + deviation - mean**2), max(0.0, square - deviation))


def shrunk(values: np.ndarray, factor: float) -> np.ndarray:
    """Draws examples to their mean: x̄ + θ̄ (x - x̄).

    Args:
        values: (examples, ...).
        factor: θ̄.

    Example:

    >>> shrunk(np.array([0.0, 4.0]), 0.75)
    array([0.5, 3.5])
    """
    values = np.asarray(values)
    mean = values.mean(axis=0)
    return mean + factor * (values - mean)


def noise(share: np.ndarray, values: np.ndarray, partners: np.ndarray, alpha: float) -> np.ndarray:
    """Computes what mixup adds to shrunk examples: (θ - θ̄) (x_i - x̄) + (1 - θ) (x_j - x̄).

    Args:
        share: θ, (examples,), 1/2 to 1.
        values: x, (examples, ...), whose mean is x̄.
        partners: (examples,), the number j of each one's partner.
        alpha: α.

    Returns:
        (examples, ...).

    Example:

    >>> values = np.array([0.0, 4.0])
    >>> mixed = 0.9 * values + 0.1 * values[::-1]
    >>> bool(np.allclose(shrunk(values, 0.75) + noise(np.array([0.9, 0.9]), values, np.array([1, 0]), 1.0), mixed))
    True
    """
    values = np.asarray(values)
    centred = values - values.mean(axis=0)
    share = np.reshape(share, (-1, *[1] * (values.ndim - 1)))
    return (share - moments(alpha).mean) * centred + (1 - share) * centred[partners]


class NoiseCovariances(NamedTuple):
    """The covariances of the noise that mixup adds to each shrunk example.

    Args:
        inputs: E δ δ^T, (examples, features, features).
        cross: E ε δ^T, (examples, targets, features).
        targets: E ε ε^T, (examples, targets, targets).
    """

    inputs: np.ndarray
    cross: np.ndarray
    targets: np.ndarray


def noise_covariances(inputs: np.ndarray, targets: np.ndarray, alpha: float) -> NoiseCovariances:
    """Computes the covariances of mixup's noise exactly: Var θ (x_i - x̄)(x_i - x̄)^T + E (1 - θ)² Σ, Σ that of the x.

    Args:
        inputs: (examples, features).
        targets: (examples, targets).
        alpha: α.

    Returns:
        They are as large as examples times features squared.

    Raises:
        ValueError: Where the shapes do not fit.

    Example:

    >>> found = noise_covariances(np.array([[0.0], [4.0]]), np.array([[1.0], [0.0]]), 1.0)
    >>> np.round(found.inputs.ravel(), 4)  # 4 / 48 + 4 / 12
    array([0.4167, 0.4167])

    Reference: Carratino et al. 2020, arXiv 2006.06049, section 3 (there written by the shrunk points).
    """
    x, y = (np.asarray(each, "float64") for each in (inputs, targets))
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
        raise ValueError(f"expected (examples, features) and (examples, targets); got {x.shape} and {y.shape}.")
    x, y, found = x - x.mean(axis=0), y - y.mean(axis=0), moments(alpha)

    def covariance(left, right):
        own = left[:, :, None] * right[:, None, :]
        return found.variance * own + found.partner * own.mean(axis=0)

    return NoiseCovariances(covariance(x, x), covariance(y, x), covariance(y, y))


def linear_minimizer(inputs: np.ndarray, targets: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Solves linear regression under mixup's squared error, by theorem 1: least squares of shrunk data and their noise.

    W = (Ỹ^T X̃ / n + mean Σ_yx)(X̃^T X̃ / n + mean Σ_xx)⁻¹ of centred shrunk data, Σ the noise's covariances. Both
    corrections are here the same multiple of the data's own covariances: what comes out is plain least squares.

    Args:
        inputs: (examples, features).
        targets: (examples, targets).
        alpha: α.

    Returns:
        (weights, offset): (targets, features) and (targets,).

    Example:

    >>> weights, offset = linear_minimizer(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [5.0]]), 0.4)
    >>> weights.round(6), offset.round(6)
    (array([[2.]]), array([1.]))
    """
    x, y = (np.asarray(each, "float64") for each in (inputs, targets))
    found, factor = noise_covariances(x, y, alpha), moments(alpha).mean
    small_x, small_y = (shrunk(each, factor) - each.mean(axis=0) for each in (x, y))
    left = small_y.T @ small_x / len(x) + found.cross.mean(axis=0)
    right = small_x.T @ small_x / len(x) + found.inputs.mean(axis=0)
    weights = np.linalg.lstsq(right, left.T, rcond=None)[0].T
    return weights, y.mean(axis=0) - weights @ x.mean(axis=0)


def rescaled(
    classifier: keras.Model,
    alpha: float,
    input_mean: np.ndarray,
    class_shares: np.ndarray,
    *,
    outputs: bool = True,
    least: float = 1e-3,
) -> keras.Model:
    """Wraps a classifier that mixup has trained, so that it is asked about what it has learned of: the input mode.

    p(x) = ȳ + (q(x̄ + θ̄ (x - x̄)) - ȳ) / θ̄, q the classifier's probabilities. What comes out below `least` becomes that,
    and the sum 1 again.

    Args:
        classifier: A functional model of one input to logits (batch, classes).
        alpha: α of its training.
        input_mean: x̄, of an input's shape.
        class_shares: ȳ, (classes,), which sum to 1.
        outputs: Whether probabilities are scaled too, or inputs alone.
        least: The least probability of a class.

    Returns:
        A model of the same input to logits, whose softmax is p; it shares the classifier's weights.

    Raises:
        ValueError: Where shapes do not fit, or the shares are none.

    Example:

    >>> inputs = keras.Input((2,))
    >>> classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    >>> model = rescaled(classifier, 1.0, np.zeros(2), np.ones(3) / 3)
    >>> model.output_shape, bool(np.allclose(ops.sum(ops.softmax(model(np.ones((4, 2)))), axis=1), 1))
    ((None, 3), True)

    Reference: Carratino et al. 2020, arXiv 2006.06049, section 4.
    """
    shares, factor = np.asarray(class_shares, "float32"), moments(alpha).mean
    if shares.shape != tuple(classifier.output_shape[1:]) or (shares < 0).any() or abs(shares.sum() - 1) > 1e-3:
        raise ValueError(
            f"class_shares: expected {classifier.output_shape[1:]} shares with sum 1; got {shares.shape}, sum "
            f"{shares.sum():g}."
        )
    if not 0 < least < 1 / len(shares):
        raise ValueError(f"least: expected more than 0 and less than 1 of {len(shares)} classes; got {least}.")
    inputs = keras.Input(classifier.input_shape[1:], name=classifier.inputs[0].name)
    shrinks = Shrinkage(factor, name="shrunk")
    logits = classifier(shrinks(inputs))
    shrinks.adapt(input_mean)
    if outputs:
        spreads = Shrinkage(1 / factor, name="spread")
        probabilities = ops.maximum(spreads(ops.softmax(ops.cast(logits, "float32"))), least)
        spreads.adapt(shares)
        logits = ops.log(probabilities / ops.sum(probabilities, axis=-1, keepdims=True))
    return keras.Model(inputs, logits, name=f"{classifier.name}_rescaled")
