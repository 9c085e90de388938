import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.losses.margin import L1Hinge
from toolkit.losses.smooth_hinge import SmoothHinge

GRID = np.linspace(-6, 6, 241)


@pytest.mark.parametrize("temperature", [0.001, 0.1, 2.0])
def test_it_is_the_papers_formula_with_its_derivatives(temperature):
    loss, a = SmoothHinge(temperature), tf.constant(GRID)
    with tf.GradientTape() as outer:
        outer.watch(a)
        with tf.GradientTape() as inner:
            inner.watch(a)
            value = loss.value(a)
        slope = inner.gradient(value, a)
    curvature = outer.gradient(slope, a)
    assert value.dtype == tf.float64
    np.testing.assert_allclose(value, temperature * np.logaddexp(0, (1 - GRID) / temperature), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(loss.derivative(a), slope, rtol=1e-9, atol=1e-12)
    with np.errstate(over="ignore"):
        expected = 1 / (4 * temperature * np.cosh((GRID - 1) / (2 * temperature)) ** 2)
    np.testing.assert_allclose(curvature, expected, rtol=1e-6, atol=1e-12)


def test_it_is_the_hinge_where_it_is_cold():
    y, scores = np.array([1, 0, 1, -1]), np.array([[3.0], [2.0], [0.5], [-4.0]])
    hinge, smooth = L1Hinge()(y, scores), SmoothHinge(1e-3)(y, scores)
    assert float(hinge) == pytest.approx(float(smooth), abs=1e-6) and float(hinge) == pytest.approx(3.5 / 4)
    gap = np.asarray(SmoothHinge(0.1).value(GRID)) - np.asarray(L1Hinge().value(GRID))
    assert gap.min() > -1e-6 and gap.max() == pytest.approx(0.1 * np.log(2), rel=1e-5)


def test_it_is_saved_and_refuses_no_temperature():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(SmoothHinge(0.25)))
    assert again.temperature == 0.25 and again.name == "smooth_hinge"
    with pytest.raises(ValueError, match="temperature must be positive; got 0"):
        SmoothHinge(0)
