import numpy as np
import pytest

from toolkit.methods.lissa import lissa, suggested_scale

FEATURES = np.random.default_rng(0).standard_normal((200, 6))
MATRIX = FEATURES.T @ FEATURES / 200 + 0.5 * np.eye(6)
VECTORS = np.random.default_rng(1).standard_normal((3, 6))


def sample_of(size):
    """Draws rows of FEATURES, and gives the product with their second moment and the penalty."""

    def sample(random):
        drawn = FEATURES[random.choice(200, size, replace=False)]
        return lambda rows: rows @ drawn.T @ drawn / size + 0.5 * rows

    return sample


def test_the_fixed_point_has_damping_times_scale():
    found = lissa(sample_of(200), VECTORS, scale=4.0, damping=0.1, depth=200, repeats=1)
    assert (found.scale, found.effective_damping) == (4.0, pytest.approx(0.4))
    np.testing.assert_allclose(found.vectors, np.linalg.solve(MATRIX + 0.4 * np.eye(6), VECTORS.T).T, rtol=1e-9)


def test_samples_come_near_and_more_repeats_nearer():
    expected, errors = np.linalg.solve(MATRIX, VECTORS.T).T, []
    for repeats in (1, 16):
        found = lissa(sample_of(20), VECTORS, depth=150, repeats=repeats)
        errors.append(np.linalg.norm(found.vectors - expected) / np.linalg.norm(expected))
    assert errors[1] < errors[0] < 0.3 and errors[1] < 0.1


def test_depth_one_is_hardly_more_than_the_vectors():
    found = lissa(sample_of(200), VECTORS, scale=4.0, depth=1, repeats=1)
    np.testing.assert_allclose(found.vectors, (2 * VECTORS - VECTORS @ MATRIX / 4) / 4, rtol=1e-9)


def test_the_suggested_scale_is_above_the_largest_eigenvalue():
    largest = np.linalg.eigvalsh(MATRIX).max()
    assert suggested_scale(sample_of(200), 6) == pytest.approx(1.25 * largest, rel=0.01)
    assert suggested_scale(sample_of(10), 6) > 1.25 * largest
    assert suggested_scale(lambda random: np.zeros_like, 6) == 1.0


def test_divergence_suggests_a_scale_that_does():
    with pytest.raises(ValueError, match=r"LiSSA diverges after \d+ steps with scale=0.5: give scale=") as caught:
        lissa(sample_of(50), VECTORS, scale=0.5)
    scale = float(str(caught.value).split("give scale=")[1].rstrip("."))
    assert np.isfinite(lissa(sample_of(50), VECTORS, scale=scale).vectors).all()
    with pytest.raises(ValueError, match="with scale=10: more damping, or larger samples"):
        lissa(lambda random: lambda rows: -3.0 * rows, VECTORS, scale=10.0)


def test_wrong_arguments_are_refused():
    for wrong in ({"scale": 0.0}, {"scale": -1.0}, {"damping": 1.0}, {"damping": -0.1}, {"depth": 0}, {"repeats": 0}):
        with pytest.raises(ValueError, match="Expected scale > 0, damping from 0 to below 1, depth and repeats of 1"):
            lissa(sample_of(10), VECTORS, **wrong)
