import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import AnnealedLatent


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_gate():
    checks.check_layer(lambda: AnnealedLatent(4, gamma=0.1, capacity=0.5, num_steps=3, name="latent"), numbers(0, 3, 5))


def test_the_distance_from_a_capacity_that_grows():
    layer, inputs = AnnealedLatent(3, gamma=7.0, capacity=10.0, num_steps=4, seed=0), numbers(2, 6, 5)
    for step in range(7):
        layer(inputs, training=True)
        expected = 7.0 * abs(float(np.mean(layer.divergence(inputs))) - 10.0 * min(1.0, step / 4))
        np.testing.assert_allclose(layer.losses, [expected], rtol=1e-5)
    layer(inputs)
    assert int(layer.step) == 7, "only training steps count"
    layer.trainable = False
    layer(inputs, training=True)
    assert int(layer.step) == 7


def test_holds_the_divergence_at_the_capacity():
    inputs = numbers(5, 256, 4)
    layer = AnnealedLatent(4, gamma=100.0, capacity=3.0, num_steps=50, seed=0, metrics_name="kl_nats")
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.Adam(0.02), "mse", steps_per_execution=4, jit_compile=False)
    history = model.fit(inputs, inputs, batch_size=64, epochs=40, verbose=0).history
    assert history["kl_nats"][-1] == pytest.approx(3.0, abs=0.2)


def test_arguments_are_checked():
    for how in ({"gamma": -1.0}, {"capacity": float("nan")}, {"num_steps": 0}):
        with pytest.raises(ValueError, match="gamma and capacity must be at least 0 and num_steps at least 1"):
            AnnealedLatent(3, **how)
