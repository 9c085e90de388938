import keras
import numpy as np
import pytest

from toolkit.models.weight_noise import noisy


def dense():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(2)(inputs))


@pytest.mark.parametrize("how", [{"weight_noise": 0.5}, {"adaptive": True, "scale": 0.01}])
def test_noise_in_training_alone(how):
    network, inputs = dense(), np.ones((4, 3), "float32")
    trainee = noisy(network, **how)
    np.testing.assert_array_equal(trainee(inputs), network(inputs))
    assert np.abs(np.asarray(trainee(inputs, training=True) - network(inputs))).max() > 0.01
    assert all(any(own is other for other in trainee.trainable_weights) for own in network.trainable_weights)
    trainee.compile("sgd", loss="mse")
    before = network.get_weights()
    trainee.fit(inputs, np.zeros((4, 2)), verbose=0)
    assert np.abs(network.get_weights()[0] - before[0]).max() > 0


def test_scale_is_of_the_nats_that_the_weights_take():
    losses = {}
    for scale in (1.0, 0.25):
        trainee = noisy(dense(), adaptive=True, scale=scale)
        trainee(np.ones((4, 3), "float32"), training=True)
        losses[scale] = float(trainee.losses[0])
    assert losses[0.25] == pytest.approx(losses[1.0] / 4, rel=1e-5) and losses[1.0] > 0


def test_none_and_both():
    network = dense()
    assert noisy(network) is network
    with pytest.raises(ValueError, match="weight_noise=0.1 and adaptive=True exclude each other"):
        noisy(network, weight_noise=0.1, adaptive=True)


def test_recurrent_weights_are_dropped_and_all_that_is_left_is_noisy():
    """A linear recurrence whose weights are 0 and 1: each is doubled or gone, and noisy where that is asked for."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2, 16))
    outputs = keras.layers.SimpleRNN(16, "linear", recurrent_initializer="identity", use_bias=False)(inputs)
    network = keras.Model(inputs, outputs)
    network.set_weights([np.eye(16), np.eye(16)])
    given = np.stack([np.eye(16), np.zeros((16, 16))], axis=1).astype("float32")  # a state of e_i is read back: row i
    dropped = np.asarray(noisy(network, drop_connect=0.5)(given, training=True))
    assert set(np.unique(dropped)) == {0.0, 2.0} and 0 < np.count_nonzero(dropped) < 16
    both = np.asarray(noisy(network, drop_connect=0.5, weight_noise=0.01)(given, training=True))
    np.testing.assert_allclose(np.sort(np.diag(both).round()), np.sort(np.diag(both)), atol=0.2)
    assert not np.isin(np.diag(both), (0.0, 2.0)).all()
