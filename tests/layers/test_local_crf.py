"""Against mean field with the sums over each pixel's window written out."""

import numpy as np
import pytest
from scipy import special

from tests import checks
from toolkit.layers import LocalCRF

RANDOM = np.random.default_rng(0)
HEIGHT, WIDTH, CLASSES = 9, 11, 3
IMAGE = RANDOM.integers(0, 256, (2, HEIGHT, WIDTH, 3)).astype("float32")
LOGITS = RANDOM.normal(0, 1.5, (2, HEIGHT, WIDTH, CLASSES)).astype("float32")
HOW = {"position_stddev": 4.0, "color_stddev": 60.0, "spatial_stddev": 1.5, "bilateral_weight": 4.0}


def mean_field(logits, image, window, dilation_rate, num_iterations):
    places = np.stack(np.mgrid[:HEIGHT, :WIDTH], -1).reshape(-1, 2).astype(float)
    between = places[:, None] - places
    apart, colors = (between**2).sum(-1), image.reshape(-1, 3).astype(float)
    near = (np.abs(between) <= window // 2 * dilation_rate).all(-1) & (between % dilation_rate == 0).all(-1)
    unlike = ((colors[:, None] - colors) ** 2).sum(-1)
    kernels = [
        near * np.exp(-apart / (2 * HOW["position_stddev"] ** 2) - unlike / (2 * HOW["color_stddev"] ** 2)),
        near * np.exp(-apart / (2 * HOW["spatial_stddev"] ** 2)),
    ]
    kernels = [kernel / np.sqrt(np.outer(kernel.sum(0), kernel.sum(1))) for kernel in kernels]
    unary = found = logits.reshape(-1, CLASSES)
    for _ in range(num_iterations):
        belief = special.softmax(found, -1)
        message = HOW["bilateral_weight"] * kernels[0] @ belief + 3.0 * kernels[1] @ belief
        found = unary - message @ (1 - np.eye(CLASSES))
    return found.reshape(HEIGHT, WIDTH, CLASSES)


@pytest.mark.parametrize(("window", "dilation_rate"), [(3, 1), (5, 2), (1, 1)])
def test_is_mean_field_within_the_window(window, dilation_rate):
    found = LocalCRF(3, **HOW, window=window, dilation_rate=dilation_rate)(LOGITS, IMAGE)
    for each, logits, image in zip(np.asarray(found), LOGITS, IMAGE, strict=True):
        np.testing.assert_allclose(each, mean_field(logits, image, window, dilation_rate, 3), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_gate():
    # Half precision rounds the image itself: 255 grey levels by one.
    layer = lambda: LocalCRF(2, **HOW, window=3, dilation_rate=2, name="crf")  # noqa: E731
    checks.check_layer(layer, LOGITS, IMAGE, precision_tolerance=8.0)


@pytest.mark.parametrize("capacity", [None, 1000])
def test_there_is_no_lattice(capacity):
    with pytest.raises(ValueError, match="capacity is for the lattice of DenseCRF"):
        LocalCRF(capacity=capacity)
    assert "capacity" not in LocalCRF().get_config()


@pytest.mark.parametrize("how", [{"window": 4}, {"window": -1}, {"dilation_rate": 0}])
def test_errors(how):
    with pytest.raises(ValueError, match="window must be odd and dilation_rate at least 1"):
        LocalCRF(**how)
