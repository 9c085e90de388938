import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import SpatialDeviation

MAPS = np.random.default_rng(0).standard_normal((3, 4, 5, 6)).astype("float32")


def test_gate():
    checks.check_layer(lambda: SpatialDeviation(name="layer"), MAPS)


def test_it_is_numpys():
    np.testing.assert_allclose(SpatialDeviation()(MAPS), MAPS.std(axis=(1, 2)), rtol=1e-5)


def test_an_even_channel_has_no_gradient_and_the_others_have():
    maps = MAPS.copy()
    maps[0, :, :, 2] = 0.25
    maps = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        loss = tf.reduce_sum(SpatialDeviation()(maps))
    gradient = tape.gradient(loss, maps).numpy()
    assert np.isfinite(gradient).all() and not gradient[0, :, :, 2].any() and gradient[0, :, :, 1].any()


def test_vectors_have_no_places():
    with pytest.raises(ValueError, match=r"expected \(batch, height, width, channels\); got the shape \(None, 3\)"):
        SpatialDeviation()(keras.Input((3,)))
