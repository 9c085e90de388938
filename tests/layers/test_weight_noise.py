import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit import layers, models
from toolkit.layers import WeightNoise


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


LSTMS = {
    "keras": lambda: keras.layers.LSTM(4, return_sequences=True, name="lstm"),
    "clipped": lambda: layers.ClippedLSTM(4, gradient_clip=5.0, peepholes=True, name="lstm"),
}


def test_gate():
    checks.check_layer(lambda: WeightNoise(LSTMS["clipped"](), name="noise"), numbers(0, 3, 6, 2), masked=4)


def noise_of(layer, **how):
    """The noise on a dense layer's kernel and bias in one call, told from its outputs on unit vectors and on zero."""
    rows = layer.layer.kernel.shape[0]
    outputs = np.asarray(layer(np.concatenate([np.eye(rows), np.zeros((1, rows))]).astype("float32"), **how))
    kernel, bias = layer.layer.get_weights()
    return np.concatenate([outputs[:-1] - outputs[-1:] - kernel, outputs[-1:] - bias])


def test_noise_is_normal_fresh_in_each_call_and_none_at_inference():
    layer = WeightNoise(keras.layers.Dense(200), stddev=0.3)
    layer(np.zeros((1, 50), "float32"))
    before = layer.get_weights()
    first, second = noise_of(layer, training=True), noise_of(layer, training=True)
    for noise in (first, second):
        assert abs(noise.mean()) < 4 * 0.3 / np.sqrt(noise.size)
        np.testing.assert_allclose(noise.std(), 0.3, rtol=0.03)
        np.testing.assert_allclose((np.abs(noise) < 0.3).mean(), 0.683, atol=0.02)
    np.testing.assert_allclose(noise[-1].std(), 0.3, rtol=0.2)  # biases too
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.04
    np.testing.assert_allclose(noise_of(layer), 0.0, atol=1e-6)
    for left, right in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_gradient_is_that_at_the_noisy_weights():
    """With outputs y = x (W + N) + b + n, L = sum sin(y) has the derivatives x' cos(y) and sum cos(y)."""
    layer = WeightNoise(keras.layers.Dense(3), stddev=0.5)
    inputs = tf.constant(numbers(0, 5, 4))
    layer(inputs)
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(outputs))
    d_kernel, d_bias = tape.gradient(loss, [v.value for v in layer.trainable_variables])
    assert np.abs(outputs - layer(inputs)).max() > 0.1
    np.testing.assert_allclose(d_kernel, np.transpose(inputs) @ np.cos(outputs), atol=1e-5)
    np.testing.assert_allclose(d_bias, np.cos(outputs).sum(0), atol=1e-5)


@pytest.mark.parametrize("lstm", LSTMS)
def test_recurrent_layers_see_noise_in_every_weight(lstm):
    """The outputs, and all gradients, are those of a second layer that holds the noisy weights."""
    inner, inputs = LSTMS[lstm](), tf.constant(numbers(1, 2, 6, 3))
    layer, other = WeightNoise(inner, seed=5), LSTMS[lstm]()
    layer(inputs), other(inputs)
    sizes = [w.size for w in inner.get_weights()]
    draw = np.asarray(keras.random.normal((sum(sizes),), seed=keras.random.SeedGenerator(5)))
    draws = np.split(draw, np.cumsum(sizes)[:-1])
    other.set_weights([w + 0.075 * d.reshape(w.shape) for w, d in zip(inner.get_weights(), draws, strict=True)])
    results = [checks.outputs_and_gradients(each, inputs) for each in (layer, other)]
    assert len(results[0]) > 3 and np.abs(results[0][0] - layer(inputs)).max() > 0.01
    for mine, its in zip(*results, strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-5)


def test_what_the_layer_itself_changes_is_kept():
    inner = keras.Sequential([keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)])
    layer = WeightNoise(inner, stddev=0.0)
    inputs = 3.0 + numbers(2, 64, 4)
    layer(inputs)
    outputs = [np.asarray(layer(inputs, training=True)) for _ in range(2)]
    np.testing.assert_allclose(inner.layers[0].moving_mean, (1 - 0.99**2) * inputs.mean(0), rtol=1e-4)
    assert ((outputs[0] == 0) != (outputs[1] == 0)).any(), "dropout draws anew"


def test_frozen_weights_get_no_noise():
    layer = WeightNoise(keras.layers.Dense(3))
    inputs = numbers(3, 5, 4)
    expected = layer(inputs)
    layer.layer.trainable = False
    np.testing.assert_array_equal(layer(inputs, training=True), expected)


def test_losses_of_the_layer_are_passed_on_once():
    layer = WeightNoise(keras.layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1"), stddev=0.0)
    model = keras.Sequential([keras.Input((4,)), layer])
    inputs = numbers(4, 5, 4)
    outputs = model(inputs, training=True)
    kernel = layer.layer.get_weights()[0]
    expected = sorted([0.01 * np.abs(outputs).sum() / 5, 0.01 * (kernel**2).sum()])
    np.testing.assert_allclose(sorted(map(float, model.losses)), expected, rtol=1e-5)


def sums(**how):
    """A small recurrent model and its noisy self, compiled, to learn the sum of what it has seen."""
    inputs = keras.Input((5, 2))
    model = keras.Model(inputs, keras.layers.Dense(1)(layers.ClippedLSTM(8, peepholes=True)(inputs)))
    noisy = keras.Model(model.input, WeightNoise(model, stddev=0.05)(model.input))
    noisy.compile(keras.optimizers.Adam(0.02), loss="mse", **how)
    inputs = numbers(5, 32, 5, 2)
    return model, noisy, inputs, inputs.sum(axis=-1, keepdims=True).cumsum(axis=1)


@pytest.mark.parametrize(
    "precision",
    [
        pytest.param("float32", marks=pytest.mark.slow),
        "mixed_float16",
        pytest.param("mixed_bfloat16", marks=pytest.mark.slow),
    ],
)
def test_trains_in_every_precision_and_under_xla(precision, tmp_path):
    keras.config.set_dtype_policy(precision)
    try:
        model, noisy, inputs, targets = sums(jit_compile=precision == "float32")
    finally:
        keras.config.set_dtype_policy("float32")
    noisy.fit(inputs, targets, epochs=40, verbose=0)
    # Validation and the network by itself use the clean weights.
    expected = np.asarray(model(inputs), "float32")
    assert np.mean((expected - targets) ** 2) < 0.5 * np.mean(targets**2)
    np.testing.assert_allclose(noisy(inputs), expected, atol=1e-6)
    noisy.save(tmp_path / "noisy.keras")
    loaded = np.asarray(keras.saving.load_model(tmp_path / "noisy.keras", compile=False)(inputs), "float32")
    np.testing.assert_allclose(loaded, expected, atol=1e-6 if precision == "float32" else 0.05)


def test_the_next_draw_is_among_the_variables():
    """A model that takes over all variables goes on with the same noise."""
    _, first, inputs, targets = sums(jit_compile=False)
    _, second, *_ = sums(jit_compile=False)
    first.fit(inputs, targets, epochs=2, verbose=0)
    second.fit(inputs, targets, verbose=0)

    def variables(model):
        return model.variables + model.optimizer.variables

    for mine, its in zip(variables(second), variables(first), strict=True):
        mine.assign(its)
    for model in (first, second):
        model.fit(inputs, targets, epochs=2, shuffle=False, verbose=0)
    for mine, its in zip(variables(second), variables(first), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_a_model_of_several_inputs():
    model = models.handwriting.synthesis(" abc", units=4, num_layers=2, num_mixtures=2, num_gaussians=2)
    noisy = keras.Model(model.input, WeightNoise(model)(model.input))
    inputs = [numbers(6, 2, 7, 3), np.array([[97, 98, 0]] * 2, "int32")]
    np.testing.assert_array_equal(noisy(inputs), model(inputs))
    assert 1e-3 < np.abs(noisy(inputs, training=True) - model(inputs)).max() < 1.0
    assert all(np.abs(gradient).max() > 0 for gradient in gradients(noisy, inputs))


def gradients(model, inputs):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(model(inputs, training=True)))
    return tape.gradient(loss, [v.value for v in model.trainable_variables])


def test_bad_arguments():
    with pytest.raises(ValueError, match="stddev must be at least 0"):
        WeightNoise(keras.layers.Dense(3), stddev=-1.0)
