import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import Subsampling2D

IMAGES = np.random.default_rng(0).normal(size=(2, 5, 8, 3)).astype("float32")


def test_gate():
    checks.check_layer(lambda: Subsampling2D(2, name="fewer"), IMAGES)


@pytest.mark.parametrize("strides", [1, 2, 3, 9])
def test_keeps_what_a_strided_convolution_sees(strides):
    kernel = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    expected = np.stack([[image[i, ::strides] @ kernel for i in range(0, 5, strides)] for image in IMAGES])
    found = Subsampling2D(strides)(IMAGES)
    assert Subsampling2D(strides).compute_output_shape(IMAGES.shape) == found.shape
    np.testing.assert_allclose(keras.ops.matmul(found, kernel), expected, atol=1e-5)
    strided = keras.layers.Conv2D(4, 1, strides=strides, use_bias=False)
    strided.build(IMAGES.shape)
    strided.set_weights([kernel[None, None]])
    np.testing.assert_allclose(strided(IMAGES), expected, atol=1e-5)


@pytest.mark.parametrize("strides", [0, -1, 2.0, True])
def test_strides_that_are_none(strides):
    with pytest.raises(ValueError, match=f"strides must be an integer, at least 1; got {strides}"):
        Subsampling2D(strides)


def test_what_is_no_image():
    with pytest.raises(ValueError, match=r"expected \(batch, height, width, channels\); got shape \(2, 5, 8\)"):
        Subsampling2D(2)(IMAGES[..., 0])
