"""How much of what is generated looks real, and how much of what is real is generated: by the neighbours of each."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class PrecisionRecall(NamedTuple):
    """Shares of two sets, each from 0 to 1.

    Args:
        precision: Of the generated samples, those within the manifold of the real ones.
        recall: Of the real samples, those within the manifold of the generated ones.
    """

    precision: float
    recall: float


class FeatureManifold:
    """Where the source of some features is taken to reach: a ball round each, out to its k-th nearest other one.

    A copy of a feature is another one, at distance 0. Squared distances are |a|² + |b|² - 2 a·b in float64, of features
    from which their mean is taken, between two blocks at a time: beside the features themselves, memory is that of a
    few blocks, whatever the number of samples; time grows with its square.

    Args:
        features: (samples, dimensions), finite, more than k.
        k: Which neighbour a ball reaches to; more make the manifold larger.
        block_size: How many samples a block has.

    Raises:
        ValueError: Where the shape is another, a feature is not finite, k or block_size is below 1, or there are
            fewer than k + 1 samples.

    Example:

    >>> manifold = FeatureManifold(np.array([[0.0], [1.0], [3.0]]), k=1)
    >>> manifold.covers(np.array([[-1.0], [4.5], [5.5]])).tolist()
    [True, True, False]

    Reference: Kynkäänniemi et al. 2019, arXiv 1904.06991, section 2.
    """

    def __init__(self, features: np.ndarray, k: int = 3, block_size: int = 1024) -> None:
        if k < 1 or block_size < 1:
            raise ValueError(f"k and block_size must be at least 1; got {k} and {block_size}.")
        self.features, self.k, self._block_size = _checked(features), k, block_size
        if len(self.features) <= k:
            raise ValueError(f"the neighbour {k} of each takes at least {k + 1} samples; got {len(self.features)}.")
        self._centre = self.features.mean(axis=0, dtype="float64")
        reaches, norms = [], []
        for here, rows in self._blocks(self.features):
            nearest = np.full((len(rows), k), np.inf)
            for there, columns in self._blocks(self.features):
                squared = _squared_distances(rows, columns)
                if here == there:
                    np.fill_diagonal(squared, np.inf)
                nearest = np.partition(np.concatenate([nearest, squared], axis=1), k - 1, axis=1)[:, :k]
            reaches.append(nearest.max(axis=1))
            norms.append(np.sum(rows**2, axis=1))
        reach = np.maximum(np.concatenate(reaches), 0)
        # What lies on a ball's edge is within: the same distance comes out otherwise in another block, by this at most.
        rounding = 16 * self.features.shape[1] * np.finfo("float64").eps
        self._squared_radii = reach + rounding * (np.concatenate(norms) + reach)

    def _blocks(self, features: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(features), self._block_size):
            yield start, features[start : start + self._block_size] - self._centre

    def covers(self, features: np.ndarray) -> np.ndarray:
        """Tells which features lie within the manifold: in at least one ball, or on its edge.

        Args:
            features: (samples, dimensions), of as many dimensions as its own.

        Returns:
            bool (samples,).

        Raises:
            ValueError: Where the shape is another, or a feature is not finite.
        """
        features = _checked(features)
        if features.shape[1] != self.features.shape[1]:
            raise ValueError(f"expected features of one length; got {self.features.shape[1]} and {features.shape[1]}.")
        covered = np.zeros(len(features), bool)
        for here, rows in self._blocks(features):
            for there, columns in self._blocks(self.features):
                radii = self._squared_radii[there : there + len(columns)]
                covered[here : here + len(rows)] |= (_squared_distances(rows, columns) <= radii).any(axis=1)
        return covered


def improved_precision_recall(
    real: FeatureManifold | np.ndarray, generated: FeatureManifold | np.ndarray, k: int = 3
) -> PrecisionRecall:
    """Computes the share of generated features within the manifold of the real ones, and the reverse.

    Only shares over the same features, with as many samples on both sides and the same k, compare. Copies of real
    samples have precision 1, and generated samples that are far from one another have balls that cover much, and so
    recall 1: look at both.

    Args:
        real: Features of real samples (samples, dimensions), or their manifold, which serves for many comparisons.
        generated: Those of generated samples, likewise.
        k: Which neighbour a ball reaches to, of sets that are not manifolds yet; the paper's is 3.

    Returns:
        Precision and recall.

    Raises:
        ValueError: As `FeatureManifold`, or where the dimensions differ.

    Example:

    >>> real = np.arange(8.0)[:, None]
    >>> improved_precision_recall(real, np.array([[0.5], [1.0], [90.0], [90.5]]), k=1)
    PrecisionRecall(precision=0.5, recall=0.25)

    Reference: Kynkäänniemi et al. 2019, arXiv 1904.06991, equations 1 and 2.
    """
    real, generated = (
        each if isinstance(each, FeatureManifold) else FeatureManifold(each, k) for each in (real, generated)
    )
    precision, recall = real.covers(generated.features), generated.covers(real.features)
    return PrecisionRecall(float(precision.mean()), float(recall.mean()))


def _squared_distances(rows, columns):
    squared = rows @ columns.T
    squared *= -2
    squared += np.sum(rows**2, axis=1)[:, None]
    squared += np.sum(columns**2, axis=1)
    return squared


def _checked(features):
    features = np.asarray(features)
    if features.ndim != 2 or not features.shape[1]:
        raise ValueError(f"features: expected shape (samples, dimensions); got {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("features: expected finite numbers; got NaN or infinity.")
    return features
