import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import FrameUpsampling


def arrays(time=19):
    random = np.random.default_rng(0)
    return random.standard_normal((2, 4, 3)).astype("float32"), random.standard_normal((2, time)).astype("float32")


def test_gate():
    # The frames must be enough for the samples, of which the gate keeps the numbers.
    checks.check_layer(lambda: FrameUpsampling(5, hop=6, name="upsampling"), *arrays())


def test_is_keras_transposed_convolution():
    frames, samples = arrays()
    layer = FrameUpsampling(5, hop=6)
    layer(frames, samples)
    layer.bias.assign(np.arange(5))
    other = keras.layers.Conv1DTranspose(5, 6, strides=6)
    other.build(frames.shape)
    other.set_weights([np.transpose(layer.kernel, (0, 2, 1)), layer.bias])
    expected = np.asarray(other(frames))
    np.testing.assert_allclose(layer(frames, samples), expected[:, :19], atol=1e-5)
    for position in (0, 5, 6, 18, 23):
        np.testing.assert_allclose(layer.step(frames, position), expected[:, position], atol=1e-5)
    np.testing.assert_allclose(layer.step(frames, 24), expected[:, 18], atol=1e-5)  # beyond: the last frame goes on


def test_errors():
    with pytest.raises(ValueError, match="4 frames of 6 samples are too few for 25 samples"):
        FrameUpsampling(5, hop=6)(*arrays(25))
    with pytest.raises(ValueError, match="filters and hop must be at least 1"):
        FrameUpsampling(5, hop=0)
    with pytest.raises(ValueError, match="expected frames"):
        FrameUpsampling(5, hop=6).build((2, 3))
