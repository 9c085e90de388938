import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import TokenLSTM


def numbers(seed, *shape, below=7):
    return np.random.default_rng(seed).integers(0, below, shape).astype("int32")


def floats(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_gate():
    def make():
        return TokenLSTM(7, 4, gradient_clip=5.0, peepholes=True, name="lstm")

    checks.check_layer(make, numbers(0, 3, 6), floats(1, 3, 6, 2))


@pytest.mark.slow
def test_gate_tokens_only():
    checks.check_layer(lambda: TokenLSTM(7, 4, return_state=True, name="lstm"), numbers(0, 3, 6))


@pytest.mark.parametrize("has_below", [False, True])
def test_is_keras_lstm_on_one_hot_vectors(has_below):
    tokens, below = numbers(2, 3, 5), floats(3, 3, 5, 2)
    ours = TokenLSTM(7, 4, return_state=True)
    theirs = keras.layers.LSTM(4, return_sequences=True, return_state=True)
    one_hot = np.eye(7, dtype="float32")[tokens]
    dense = np.concatenate([one_hot, below], axis=-1) if has_below else one_hot
    given = (tokens, below) if has_below else (tokens,)
    ours(*given), theirs(dense)
    weights = [floats(4 + i, *w.shape) for i, w in enumerate(theirs.get_weights())]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in weights]
    ours.set_weights(weights), theirs.set_weights(weights)
    gradients = []
    for layer, inputs in ((ours, given), (theirs, (dense,))):
        with tf.GradientTape() as tape:
            outputs = layer(*inputs)
            loss = tf.add_n([tf.reduce_sum(tf.sin(y * (i + 1.5))) for i, y in enumerate(outputs)])
        found = tape.gradient(loss, [v.value for v in layer.trainable_variables])
        gradients.append([*outputs, *map(tf.convert_to_tensor, found)])
    for mine, its in zip(*gradients, strict=True):
        np.testing.assert_allclose(mine, its, atol=2e-5)


def test_one_step_is_a_step_of_the_sequence():
    """A sequence of one is computed without a loop."""
    layer, tokens = TokenLSTM(7, 4, return_state=True), numbers(5, 2, 6)
    whole, *last = layer(tokens)
    state, outputs = None, []
    for t in range(6):
        output, *state = layer(tokens[:, t : t + 1], initial_state=state)
        outputs.append(output)
    np.testing.assert_allclose(np.concatenate(outputs, axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(state, last, atol=1e-6)


def test_first_rows():
    layer = TokenLSTM(500, 100)
    layer.build((None, None), (None, None, 300))
    kernel = layer.cell.kernel.numpy()
    assert abs(kernel[:500].std() - 1.0) < 0.01
    assert np.abs(kernel[500:]).max() <= np.sqrt(6 / 700) < 0.1  # Glorot's limit, for 300 inputs and 400 outputs


def test_errors():
    with pytest.raises(ValueError, match="vocabulary_size must be at least 1; got 0"):
        TokenLSTM(0, 4)
    with pytest.raises(ValueError, match=r"expected tokens \(batch, time\)"):
        TokenLSTM(7, 4).build((None, None, 3))
    with pytest.raises(ValueError, match=r"expected below \(batch, time, features\)"):
        TokenLSTM(7, 4).build((None, None), (None, 3))
