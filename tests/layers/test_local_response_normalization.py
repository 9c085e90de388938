import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import LocalResponseNormalization

IMAGES = np.random.default_rng(0).normal(0.0, 30.0, (2, 3, 4, 7)).astype("float32")


def by_loops(images, size, bias, alpha, beta):
    """The formula of the paper, one value at a time."""
    result, channels = np.empty(images.shape), images.shape[-1]
    for place in np.ndindex(*images.shape):
        *here, i = place
        total = 0.0
        for j in range(max(0, i - size // 2), min(channels - 1, i + size // 2) + 1):
            total += float(images[(*here, j)]) ** 2
        result[place] = images[place] / (bias + alpha * total) ** beta
    return result


# Small enough for the gate's absolute tolerances in float16, alpha large enough to matter.
@pytest.mark.parametrize("how", [{"alpha": 0.1}, {"size": 3, "bias": 1.0, "alpha": 0.5, "beta": 0.5}])
def test_gate(how):
    checks.check_layer(lambda: LocalResponseNormalization(**how, name="lrn"), IMAGES / 30.0)


@pytest.mark.parametrize("how", [(5, 2.0, 1e-4, 0.75), (3, 1.0, 0.02, 0.5), (1, 1.0, 1.0, 1.0), (9, 0.5, 0.1, 0.75)])
def test_is_the_formula(how):
    np.testing.assert_allclose(LocalResponseNormalization(*how)(IMAGES), by_loops(IMAGES, *how), rtol=1e-5)


def test_is_that_of_tensorflow():
    for radius in (1, 2, 4):
        theirs = tf.nn.local_response_normalization(IMAGES, radius, bias=2.0, alpha=1e-3, beta=0.75)
        ours = LocalResponseNormalization(2 * radius + 1, alpha=1e-3)(IMAGES)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_large_features_in_float16():
    """300^2 is infinite in float16."""
    layer = LocalResponseNormalization(dtype="mixed_float16")
    images = np.full((1, 1, 1, 5), 300.0, "float32")
    expected = by_loops(images, 5, 2.0, 1e-4, 0.75)
    np.testing.assert_allclose(np.asarray(layer(images), "float32"), expected, rtol=2e-3)


@pytest.mark.parametrize("how", [{"size": 4}, {"size": 0}, {"bias": 0.0}, {"alpha": -1.0}])
def test_what_is_no_normalization(how):
    with pytest.raises(ValueError, match="must be"):
        LocalResponseNormalization(**how)
