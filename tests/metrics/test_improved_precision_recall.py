import tracemalloc

import numpy as np
import pytest

from toolkit.metrics.improved_precision_recall import FeatureManifold, improved_precision_recall


def features(seed, num_samples, dimensions=6, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=(num_samples, dimensions))


def covered(manifold, points, k):
    """By every distance there is, of differences: whole numbers have none that is rounded."""
    within = []
    distances = np.array([[np.sum((one - other) ** 2) for other in manifold] for one in manifold])
    radii = np.sort(distances + np.diag(np.full(len(manifold), np.inf)), axis=1)[:, k - 1]
    for point in points:
        within.append(np.any(np.sum((manifold - point) ** 2, axis=1) <= radii))
    return np.array(within)


@pytest.mark.parametrize(("k", "block_size"), [(1, 7), (3, 1024), (3, 2), (5, 13)])
def test_is_brute_force_whatever_the_blocks(k, block_size):
    real, generated = features(0, 60), features(1, 45) + 0.5
    expected = covered(real, generated, k), covered(generated, real, k)
    assert 0.1 < expected[0].mean() < 0.9 and 0.1 < expected[1].mean() < 0.9
    manifolds = FeatureManifold(real, k, block_size), FeatureManifold(generated, k, block_size)
    np.testing.assert_array_equal(manifolds[0].covers(generated), expected[0])
    np.testing.assert_array_equal(manifolds[1].covers(real), expected[1])
    shares = tuple(float(each.mean()) for each in expected)
    assert improved_precision_recall(*manifolds) == improved_precision_recall(real, generated, k) == shares


@pytest.mark.parametrize(("far", "dimensions"), [(0, 2), (1_000_000_003, 2), (0, 40)])
def test_what_lies_on_an_edge_is_within(far, dimensions):
    """On a grid many distances are equal, and many features too; products in blocks do not round them alike."""
    random = np.random.default_rng(2)
    basis = random.integers(0, 3, (2, dimensions)) if dimensions > 2 else np.eye(2, dtype=int)
    real, generated = (random.integers(0, 9, (80, 2)) @ basis + far for _ in range(2))
    for some, others in ((real, generated), (generated, real)):
        for block_size in (3, 32):
            found = FeatureManifold(some.astype("float64"), 1, block_size).covers(others)
            np.testing.assert_array_equal(found, covered(some, others, 1))


def test_perfect_disjoint_collapsed_and_cheats():
    real, more = features(3, 400), features(4, 400)
    assert improved_precision_recall(real, real) == (1, 1)  # copying is not told from sampling
    perfect = improved_precision_recall(real, more)
    assert min(perfect) > 0.75
    assert improved_precision_recall(real, more + 100) == (0, 0)
    # One real sample again and again: its ball has no size, and covers it alone.
    assert improved_precision_recall(real, real[[7] * 400]) == (1, 1 / 400)
    assert improved_precision_recall(np.zeros((4, 2)), np.zeros((5, 2))) == (1, 1)
    # A mode of two.
    modes = real + np.where(np.arange(400) % 2, 30, 0)[:, None]
    assert improved_precision_recall(modes, modes[::2] * 0.99).precision > 0.95
    assert 0.4 < improved_precision_recall(modes, modes[::2]).recall <= 0.51
    # Close to the mean: less recall; scattered widely: balls that cover everything real.
    truncated, scattered = improved_precision_recall(real, more * 0.5), improved_precision_recall(real, more * 8)
    assert truncated.precision > perfect.precision and truncated.recall < perfect.recall - 0.3
    assert scattered.precision < 0.05 and scattered.recall > 0.95


def test_memory_does_not_grow_with_the_square_of_the_samples():
    some = features(5, 6000, 4).astype("float32")
    tracemalloc.start()
    FeatureManifold(some, block_size=256).covers(some[:500])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6  # 6000² distances would take 288 MB


def test_what_cannot_be_measured_is_refused():
    x = features(6, 10)
    for real, generated in ((x, x[:3]), (x[:3], x)):
        with pytest.raises(ValueError, match="at least 4 samples; got 3"):
            improved_precision_recall(real, generated)
    assert improved_precision_recall(x, x[:4]).precision == 1
    with pytest.raises(ValueError, match="features of one length; got 6 and 5"):
        improved_precision_recall(x, x[:, :5])
    with pytest.raises(ValueError, match=r"expected shape \(samples, dimensions\); got \(10, 6, 1\)"):
        improved_precision_recall(x, x[..., None])
    with pytest.raises(ValueError, match="NaN"):
        improved_precision_recall(x, x * np.nan)
    for k, block_size in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="k and block_size must be at least 1"):
            FeatureManifold(x, k, block_size)
