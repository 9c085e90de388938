import keras
import numpy as np
import pytest

from toolkit.methods.stochastic_weight_averaging import AveragingAdam, renew_normalization
from toolkit.training.averaging import AveragedWeights

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(48, 3)).astype("float32")
Y = (X @ RANDOM.normal(size=(3, 1))).astype("float32")


def linear(optimizer):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", jit_compile=False)
    optimizer = getattr(model, "optimizer", optimizer)
    optimizer.build(model.trainable_variables)
    return model


class Trace(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append([np.array(each) for each in self.model.get_weights()])


@pytest.mark.parametrize("every", [1, 4])
def test_it_is_adam_and_keeps_the_plain_mean(every):
    trace, plain = Trace(), linear(keras.optimizers.Adam(0.05))
    plain.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0, callbacks=[trace])
    model = linear(AveragingAdam(0.05, every=every))
    averaged = AveragedWeights([model.optimizer])
    model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    for found, expected in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    averaged.show()
    taken = trace.weights[every - 1 :: every]
    assert len(taken) == 12 // every
    for found, *expected in zip(model.get_weights(), *taken, strict=True):
        np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-5)
    averaged.hide()


def test_before_the_first_mean_the_weights_stand_for_it():
    model = linear(AveragingAdam(0.05, every=100))
    averaged = AveragedWeights([model.optimizer])
    model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    weights = model.get_weights()
    averaged.show()
    for found, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_under_mixed_precision_and_from_its_config():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = linear(AveragingAdam(0.05))
        averaged = AveragedWeights([model.optimizer])
        assert averaged
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        averaged.show()
        assert all(np.isfinite(each).all() for each in model.get_weights())
    finally:
        keras.config.set_dtype_policy("float32")
    again = keras.optimizers.deserialize(keras.optimizers.serialize(AveragingAdam(0.01, every=7)))
    assert again.every == 7 and again.use_ema and float(again.learning_rate) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="every=0: expected 1 step or more"):
        AveragingAdam(0.1, every=0)


def test_normalization_is_that_of_all_batches():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4, 4, 2))
    x = keras.layers.BatchNormalization(name="first")(inputs)
    x = keras.layers.Dropout(0.5)(x)
    x = keras.layers.Conv2D(3, 1, name="convolution")(x)
    x = keras.layers.BatchNormalization(name="second")(x)
    model = keras.Model(inputs, x)
    batches = RANDOM.normal(3, 2, (5, 8, 4, 4, 2)).astype("float32")
    before = [np.array(each) for each in model.trainable_variables]
    assert renew_normalization(model, batches) == 2
    first = model.get_layer("first")
    means, variances = batches.mean(axis=(1, 2, 3)), batches.var(axis=(1, 2, 3))
    np.testing.assert_allclose(first.moving_mean, means.mean(0), rtol=1e-4)
    np.testing.assert_allclose(first.moving_variance, variances.mean(0), rtol=1e-4)
    kernel, bias = (np.asarray(each) for each in model.get_layer("convolution").weights)
    normalized = (batches - means[:, None, None, None]) / np.sqrt(variances[:, None, None, None] + first.epsilon)
    seen = normalized @ kernel[0, 0] + bias  # nothing is dropped
    second = model.get_layer("second")
    np.testing.assert_allclose(second.moving_mean, seen.mean(axis=(1, 2, 3)).mean(0), atol=1e-4)
    np.testing.assert_allclose(second.moving_variance, seen.var(axis=(1, 2, 3)).mean(0), rtol=1e-3)
    assert first.momentum == 0.99 and model.layers[2].rate == 0.5
    for found, expected in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_model_that_normalizes_nothing():
    model = linear("adam")
    assert renew_normalization(model, iter([X])) == 0
