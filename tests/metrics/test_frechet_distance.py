import warnings

import numpy as np
import pytest
from scipy import linalg

from toolkit.metrics.frechet_distance import FeatureMoments, frechet_distance


def features(seed, num_samples=400, dimensions=6):
    random = np.random.default_rng(seed)
    return random.normal(size=(num_samples, dimensions)) @ random.normal(size=(dimensions,) * 2) + random.normal()


def by_sqrtm(first, second):
    c1, c2 = np.cov(first.T), np.cov(second.T)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of matrices that are singular
        root = linalg.sqrtm(c1 @ c2)
    return np.sum((first.mean(0) - second.mean(0)) ** 2) + np.trace(c1 + c2 - 2 * root.real)


@pytest.mark.parametrize("dimensions", [1, 6, 40])
def test_is_that_of_scipys_root(dimensions):
    first, second = features(0, 400, dimensions), features(1, 90, dimensions)
    first, second = first.reshape(-1, dimensions), second.reshape(-1, dimensions)
    c1, c2 = (np.atleast_2d(np.cov(each.T)) for each in (first, second))
    expected = np.sum((first.mean(0) - second.mean(0)) ** 2) + np.trace(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2).real)
    np.testing.assert_allclose(frechet_distance(first, second), expected, rtol=1e-9)


def test_moments_are_numpys_however_the_batches_fall():
    every = features(2) + 1e6  # far from 0, where a sum of squares would lose its digits
    moments = FeatureMoments()
    for start, end in ((0, 1), (1, 1), (1, 130), (130, 400)):
        moments.update(every[start:end])
    assert moments.count == 400
    np.testing.assert_allclose(moments.mean, every.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(every.T), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(FeatureMoments(every.astype("float32")).mean, every.astype("float32").mean(0, "float64"))


def test_closed_forms():
    x = features(3)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    shift = np.arange(6.0)
    assert frechet_distance(x, x + shift) == pytest.approx(shift @ shift, rel=1e-9)
    # Scaled by a: (1 - a)² Tr C, beside how the mean moves.
    centred = x - x.mean(0)
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * np.trace(np.cov(x.T)), rel=1e-9)
    # Covariances that commute: the sum of (s1 - s2)² over the axes.
    axes = np.eye(3).repeat(2, axis=0) * np.array([1.0, -1.0] * 3)[:, None]
    deviations = np.sqrt(np.diag(np.cov(axes.T)))
    scales = np.array([1.0, 2.0, 5.0])
    assert frechet_distance(axes, axes * scales) == pytest.approx(np.sum((deviations * (scales - 1)) ** 2), rel=1e-9)


def test_fewer_samples_than_dimensions():
    """Both covariances are singular: the distance is that within the few directions, embedded in many."""
    first, second = features(4, 12, 5), features(5, 9, 5)
    basis = np.linalg.qr(np.random.default_rng(6).normal(size=(80, 5)))[0]
    expected = by_sqrtm(first, second)
    assert frechet_distance(first @ basis.T, second @ basis.T) == pytest.approx(expected, rel=1e-9)
    few = np.random.default_rng(7).normal(size=(2, 10, 200))
    assert frechet_distance(*few) == pytest.approx(by_sqrtm(*few), rel=1e-4)
    assert frechet_distance(few[0], few[0]) == pytest.approx(0, abs=1e-9)
    # Sets without any variance: how far the means are apart.
    assert frechet_distance(np.zeros((3, 4)), np.ones((5, 4))) == 4.0


def test_perfect_constant_and_cheat():
    """Other samples of the same source are near; one that says always the mean, and one that shows a few, are not."""
    real, more = np.split(np.random.default_rng(8).normal(size=(4000, 4)), 2)
    perfect = frechet_distance(real, more)
    constant = frechet_distance(real, np.broadcast_to(real.mean(0), real.shape))
    cheat = frechet_distance(real, np.tile(real[:3], (500, 1)))
    assert perfect < 0.02 and constant == pytest.approx(4, rel=0.1) and 0.5 < cheat


@pytest.mark.parametrize("distance", [frechet_distance, lambda a, b: frechet_distance(b, a)])
def test_what_cannot_be_measured_is_refused(distance):
    x = np.zeros((5, 3))
    with pytest.raises(ValueError, match="at least 2 samples; got 1"):
        distance(x, x[:1])
    with pytest.raises(ValueError, match="at least 2 samples; got 0"):
        distance(x, FeatureMoments())
    with pytest.raises(ValueError, match="features of one length; got"):
        distance(x, x[:, :2])
    with pytest.raises(ValueError, match=r"expected shape \(batch, dimensions\); got \(5, 3, 1\)"):
        distance(x, x[..., None])
    with pytest.raises(ValueError, match="NaN"):
        distance(x, x * np.nan)
    with pytest.raises(ValueError, match=r"expected shape \(batch, 3\); got \(5, 2\)"):
        FeatureMoments(x).update(x[:, :2])
