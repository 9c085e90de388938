import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit import layers
from toolkit.layers import DropConnect


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


LAYERS = {
    "lstm": lambda: keras.layers.LSTM(4, return_sequences=True, name="inner"),
    "gru": lambda: keras.layers.GRU(4, return_sequences=True, name="inner"),
    "clipped": lambda: layers.ClippedLSTM(4, gradient_clip=5.0, peepholes=True, name="inner"),
}


def test_gate():
    checks.check_layer(lambda: DropConnect(LAYERS["clipped"](), 0.25, name="drop"), numbers(0, 3, 6, 2), masked=4)


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_are_those_without_the_dropped_weights(name):
    """Of a second layer that holds the masked kernel, whose gradient is masked and scaled once more."""
    inner, other, inputs = LAYERS[name](), LAYERS[name](), tf.constant(numbers(1, 2, 6, 3))
    layer = DropConnect(inner, 0.4, seed=7)
    layer(inputs), other(inputs)
    names = [variable.name for variable in inner.weights]
    at = names.index("recurrent_kernel")
    ones = np.ones(inner.weights[at].shape, "float32")
    mask = np.asarray(keras.random.dropout(ones, 0.4, seed=keras.random.SeedGenerator(7)))
    assert 0 < (mask == 0).mean() < 1
    np.testing.assert_allclose(mask[mask > 0], 1 / 0.6, rtol=1e-6)
    factors = [mask if index == at else 1.0 for index in range(len(names))]
    other.set_weights([weight * factor for weight, factor in zip(inner.get_weights(), factors, strict=True)])
    results = [checks.outputs_and_gradients(each, inputs) for each in (layer, other)]
    assert np.abs(results[0][0] - layer(inputs)).max() > 0.01
    for mine, its, factor in zip(*results, [1.0, *factors], strict=True):
        np.testing.assert_allclose(mine, its * factor, atol=1e-5)


def test_share_is_the_rate_and_masks_are_drawn_anew():
    inner = keras.layers.SimpleRNN(100, "linear", use_bias=False)
    layer, rows = DropConnect(inner, 0.25, seed=0), np.eye(100, dtype="float32")
    given = np.stack([rows, np.zeros_like(rows)], axis=1)
    layer(given)
    inner.set_weights([rows, np.ones((100, 100), "float32")])
    first, second = (np.asarray(layer(given, training=True)) for _ in range(2))
    for seen in (first, second):
        np.testing.assert_allclose(seen[seen != 0], 1 / 0.75, rtol=1e-5)
        assert (seen == 0).mean() == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / seen.size) ** 0.5)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.04
    np.testing.assert_array_equal(layer(given), np.ones((100, 100)))


def test_frozen_layers_keep_their_weights():
    layer, inputs = DropConnect(LAYERS["lstm"](), 0.5), numbers(2, 2, 6, 3)
    expected = layer(inputs)
    layer.layer.trainable = False
    np.testing.assert_array_equal(layer(inputs, training=True), expected)


@pytest.mark.parametrize("precision", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
def test_trains_in_mixed_precision(precision, tmp_path):
    keras.config.set_dtype_policy(precision)
    try:
        inputs = keras.Input((5, 2))
        model = keras.Model(inputs, keras.layers.Dense(1)(layers.ClippedLSTM(8)(inputs)))
        dropped = keras.Model(inputs, DropConnect(model, 0.2)(inputs))
        dropped.compile(keras.optimizers.Adam(0.02), loss="mse")
    finally:
        keras.config.set_dtype_policy("float32")
    given = numbers(3, 32, 5, 2)
    targets = given.sum(axis=-1, keepdims=True).cumsum(axis=1)
    dropped.fit(given, targets, epochs=40, verbose=0)
    expected = np.asarray(model(given), "float32")
    assert np.mean((expected - targets) ** 2) < 0.5 * np.mean(targets**2)
    dropped.save(tmp_path / "dropped.keras")
    loaded = keras.saving.load_model(tmp_path / "dropped.keras", compile=False)(given)
    np.testing.assert_allclose(np.asarray(loaded, "float32"), expected, atol=0.05)


def test_bad_arguments():
    for rate in (-0.1, 1.0):
        with pytest.raises(ValueError, match="rate must be at least 0 and less than 1"):
            DropConnect(LAYERS["lstm"](), rate)
    layer = DropConnect(keras.layers.Dense(3, name="dense"))
    with pytest.raises(ValueError, match="'dense' has no recurrent_kernel"):
        layer(numbers(4, 2, 3), training=True)
