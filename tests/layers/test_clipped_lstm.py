import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import ClippedLSTM


def sequence(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize(
    "last_only, state, peepholes, share",
    [pytest.param(False, False, False, 0.0, marks=pytest.mark.slow), (True, True, True, 0.3)],
)
def test_gate(last_only, state, peepholes, share):
    def make():
        return ClippedLSTM(
            4,
            gradient_clip=5.0,
            return_sequences=not last_only,
            return_state=state,
            peepholes=peepholes,
            recurrent_dropout=share,
            seed=3,
            name="lstm",
        )

    checks.check_layer(make, sequence(0, 3, 6, 2), masked=4)


def both(units=5):
    ours, theirs = (
        ClippedLSTM(units, return_state=True),
        keras.layers.LSTM(units, return_sequences=True, return_state=True),
    )
    inputs = sequence(1, 3, 7, 4)
    ours(inputs), theirs(inputs)
    weights = [sequence(2 + i, *w.shape) for i, w in enumerate(theirs.get_weights())]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return ours, theirs, tf.constant(inputs)


def derivatives(layer, inputs, state):
    watched = [inputs, *state]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        outputs = layer(inputs, initial_state=state)
        loss = tf.add_n([tf.reduce_sum(tf.sin(y * (i + 1.5))) for i, y in enumerate(outputs)])
    return outputs, tape.gradient(loss, watched + [v.value for v in layer.trainable_variables])


def test_is_keras_lstm_without_clipping():
    ours, theirs, inputs = both()
    state = [tf.constant(sequence(9, 3, 5)), tf.constant(sequence(10, 3, 5))]
    outputs, gradients = derivatives(ours, inputs, state)
    keras_outputs, keras_gradients = derivatives(theirs, inputs, state)
    for mine, its in zip([*outputs, *gradients], [*keras_outputs, *keras_gradients], strict=True):
        np.testing.assert_allclose(mine, its, atol=2e-5)


def test_clips_each_step_inside_the_loop():
    """Against NumPy's back-propagation through time, written out from the LSTM's equations."""
    limit, units = 0.05, 3
    layer = ClippedLSTM(units, gradient_clip=limit)
    inputs = sequence(3, 2, 6, 2)
    layer(inputs)
    kernel, recurrent, bias = (3.0 * sequence(4 + i, *w.shape) for i, w in enumerate(layer.get_weights()))
    layer.set_weights([kernel, recurrent, bias])
    tensor = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        loss = tf.reduce_sum(layer(tensor) ** 2)
    gradients = tape.gradient(loss, [tensor] + [v.value for v in layer.trainable_variables])

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    h, c, steps = np.zeros((2, units)), np.zeros((2, units)), []
    for t in range(6):
        i, f, g, o = np.split(inputs[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        before, c_before = h, c
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((before, c_before, i, f, g, o, c, h))
    d_kernel, d_recurrent, d_bias = np.zeros_like(kernel), np.zeros_like(recurrent), np.zeros_like(bias)
    d_inputs, d_h, d_c, clipped = np.zeros_like(inputs), 0.0, 0.0, 0
    for t in reversed(range(6)):
        before, c_before, i, f, g, o, c, h = steps[t]
        d_h = d_h + 2 * h
        d_c = d_c + d_h * o * (1 - np.tanh(c) ** 2)
        raw = np.concatenate(
            [d_c * g * i * (1 - i), d_c * c_before * f * (1 - f), d_c * i * (1 - g**2), d_h * np.tanh(c) * o * (1 - o)],
            1,
        )
        d_gates = np.clip(raw, -limit, limit)
        clipped += (raw != d_gates).sum()
        d_kernel += inputs[:, t].T @ d_gates
        d_recurrent += before.T @ d_gates
        d_bias += d_gates.sum(0)
        d_inputs[:, t] = d_gates @ kernel.T
        d_h, d_c = d_gates @ recurrent.T, d_c * f
    assert clipped > 10
    for mine, its in zip(gradients, [d_inputs, d_kernel, d_recurrent, d_bias], strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-5)


@pytest.mark.parametrize(
    "limit, has_peepholes, share", [(None, True, 0.0), (0.05, True, 0.0), (0.05, True, 0.4), (None, False, 0.4)]
)
def test_peepholes_and_recurrent_dropout(limit, has_peepholes, share):
    """Against automatic differentiation of the paper's equations 7 to 11, written out, the candidates dropped as in
    Semeniuta et al. 2016; what is to be clipped passes through an identity that clips what comes back."""
    drawn = keras.random.dropout(np.ones((6, 2, 3), "float32"), share, seed=keras.random.SeedGenerator(5))
    assert not share or 5 < np.count_nonzero(drawn) < 31

    @tf.custom_gradient
    def passed(pre_activations):
        return pre_activations, lambda d: d if limit is None else tf.clip_by_value(d, -limit, limit)

    def equations(inputs, h, c, kernel, recurrent, bias, *peepholes):
        w_ci, w_cf, w_co = peepholes[0] if peepholes else np.zeros((3, 3), "float32")
        kernels, recurrents, biases = (tf.split(w, 4, axis=-1) for w in (kernel, recurrent, bias))
        outputs = []
        for t in range(inputs.shape[1]):
            i, f, g, o = (inputs[:, t] @ w + h @ r + b for w, r, b in zip(kernels, recurrents, biases, strict=True))
            i, f = tf.sigmoid(passed(i + w_ci * c)), tf.sigmoid(passed(f + w_cf * c))
            c = f * c + i * (tf.tanh(passed(g)) * drawn[t])
            h = tf.sigmoid(passed(o + w_co * c)) * tf.tanh(c)
            outputs.append(h)
        return tf.stack(outputs, axis=1), h, c

    how = {"peepholes": has_peepholes, "recurrent_dropout": share, "seed": 5}
    layer = ClippedLSTM(3, gradient_clip=limit, return_state=True, **how)
    layer(sequence(0, 2, 6, 4))
    layer.set_weights([1.5 * sequence(1 + i, *w.shape) for i, w in enumerate(layer.get_weights())])
    weights = [v.value for v in layer.trainable_variables]
    arguments = [tf.constant(sequence(seed, *shape)) for seed, shape in ((7, (2, 6, 4)), (8, (2, 3)), (9, (2, 3)))]

    def derived(function):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            outputs = function()
            loss = tf.add_n([tf.reduce_sum(tf.sin(y * (i + 1.5))) for i, y in enumerate(outputs)])
        return [*outputs, *tape.gradient(loss, arguments + weights)]

    mine = derived(lambda: layer(arguments[0], initial_state=arguments[1:], training=True))
    reference = derived(lambda: equations(*arguments, *weights))
    assert len(mine) == 3 + 3 + 3 + has_peepholes
    for left, right in zip(mine, reference, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5 * max(1.0, float(np.abs(right).max())))


def test_recurrent_dropout_is_for_training_alone():
    layer, plain = ClippedLSTM(4, recurrent_dropout=0.5, seed=1), ClippedLSTM(4)
    inputs = sequence(0, 2, 6, 3)
    layer(inputs), plain(inputs)
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(inputs), plain(inputs))
    first, second = (np.asarray(layer(inputs, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 0.01 and np.abs(first - np.asarray(plain(inputs))).max() > 0.01


@pytest.mark.parametrize("peepholes", [False, True])
def test_the_cell_is_one_step(peepholes):
    layer = ClippedLSTM(4, peepholes=peepholes)
    inputs = sequence(5, 2, 3, 3)
    layer(inputs)
    layer.set_weights([w + 0.3 * sequence(6 + i, *w.shape) for i, w in enumerate(layer.get_weights())])
    expected = np.asarray(layer(inputs))
    state = [np.zeros((2, 4), "float32")] * 2
    for t in range(3):
        output, state = layer.cell(inputs[:, t], state)
        np.testing.assert_allclose(output, expected[:, t], atol=1e-6)


@pytest.mark.parametrize("clip", [0.0, -1.0])
def test_refuses_a_limit_that_is_none(clip):
    with pytest.raises(ValueError, match="gradient_clip must be positive"):
        ClippedLSTM(4, gradient_clip=clip)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_refuses_a_share_that_is_none(share):
    with pytest.raises(ValueError, match="recurrent_dropout must be at least 0 and less than 1"):
        ClippedLSTM(4, recurrent_dropout=share)


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"expected inputs \(batch, time, features\)"):
        ClippedLSTM(4).build((None, 3))
