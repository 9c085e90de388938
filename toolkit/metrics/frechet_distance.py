"""How far apart two sets of features lie, each taken for one Gaussian."""

import numpy as np


class FeatureMoments:
    """Mean and covariance of features, kept up to date batch by batch: memory grows with the dimensions alone.

    Each batch is centred by itself and merged with what was there (Chan, Golub and LeVeque 1979), all in float64, so
    that features far from 0 lose no digits.

    Args:
        features: The first batch, as `update` takes it; None: none yet.

    Example:

    >>> moments = FeatureMoments().update(np.array([[0.0, 1.0], [2.0, 1.0]])).update(np.array([[4.0, 4.0]]))
    >>> moments.count, moments.mean.tolist(), moments.covariance.tolist()
    (3, [2.0, 2.0], [[4.0, 3.0], [3.0, 3.0]])
    """

    def __init__(self, features: np.ndarray | None = None) -> None:
        self.count = 0
        self.mean = self._scatter = None
        if features is not None:
            self.update(features)

    def update(self, features: np.ndarray) -> "FeatureMoments":
        """Adds a batch.

        Args:
            features: (batch, dimensions), finite; a batch may be empty.

        Returns:
            Itself.

        Raises:
            ValueError: Where the shape is another, or other than before, or a feature is not finite.
        """
        features = np.asarray(features, "float64")
        known = "dimensions" if self.mean is None else len(self.mean)
        if features.ndim != 2 or not features.shape[1] or (self.count and features.shape[1] != known):
            raise ValueError(f"features: expected shape (batch, {known}); got {features.shape}.")
        if not np.isfinite(features).all():
            raise ValueError("features: expected finite numbers; got NaN or infinity.")
        if not len(features):
            return self
        if self.mean is None:
            self.mean, self._scatter = np.zeros(features.shape[1]), np.zeros((features.shape[1],) * 2)
        count, mean = len(features), features.mean(axis=0)
        centred, moved = features - mean, mean - self.mean
        total = self.count + count
        self._scatter += centred.T @ centred + np.outer(moved, moved) * (self.count * count / total)
        self.mean = self.mean + moved * (count / total)
        self.count = total
        return self

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance, float64 (dimensions, dimensions); two samples are the least."""
        if self.count < 2:
            raise ValueError(f"a covariance takes at least 2 samples; got {self.count}.")
        return self._scatter / (self.count - 1)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """F with F F' = covariance, a column for each direction in which there is any variance."""
    values, vectors = np.linalg.eigh(covariance)
    # What is below rounding is none: its root would be 1e-8 of the largest.
    seen = values > len(values) * np.finfo("float64").eps * max(values[-1], 0.0)
    return vectors[:, seen] * np.sqrt(values[seen])


def frechet_distance(first: FeatureMoments | np.ndarray, second: FeatureMoments | np.ndarray) -> float:
    """Computes the Fréchet distance between two Gaussians: |m1 - m2|² + Tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    With C1 = F F' and C2 = G G', the trace of the root is the sum of the singular values of F' G: there is no root of a
    matrix that is not symmetric, nothing complex, and a singular covariance is one like others. Over the features of an
    Inception network this is the FID; any features will do, but only distances over the same ones compare, and only
    with the same number of samples: few samples make it larger.

    Args:
        first: Moments of one set, or its features (samples, dimensions).
        second: Those of the other.

    Returns:
        The distance, squared as the formula has it, 0 or more, in the features' unit squared.

    Raises:
        ValueError: Where a set has fewer than 2 samples, or the dimensions differ.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(100, 3))
    >>> round(frechet_distance(features, features + [3.0, 4.0, 0.0]), 6)
    25.0

    Reference: Heusel et al. 2017, arXiv 1706.08500, equation 6; Dowson and Landau 1982.
    """
    first, second = (each if isinstance(each, FeatureMoments) else FeatureMoments(each) for each in (first, second))
    covariances = first.covariance, second.covariance
    if len(first.mean) != len(second.mean):
        raise ValueError(f"expected features of one length; got {len(first.mean)} and {len(second.mean)} dimensions.")
    one, other = map(_factor, covariances)
    root = np.linalg.svd(one.T @ other, compute_uv=False).sum()
    spread = np.trace(covariances[0]) + np.trace(covariances[1]) - 2.0 * root
    return float(np.sum((first.mean - second.mean) ** 2) + max(spread, 0.0))
