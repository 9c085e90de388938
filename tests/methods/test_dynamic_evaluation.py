import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.methods.dynamic_evaluation import dynamic_evaluation, token_nats
from toolkit.models import text_rnn


def squared(y, outputs):
    return tf.reduce_sum((y - outputs) ** 2, axis=-1)


def linear(weights):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.asarray(weights, "float32")[:, None]])
    return model


def stream(seed, num_batches=5, rows=3):
    random = np.random.default_rng(seed)
    return [
        (
            random.normal(size=(rows, 2)).astype("float32"),
            random.normal(size=(rows, 1)).astype("float32"),
            np.ones(rows),
        )
        for _ in range(num_batches)
    ]


@pytest.mark.parametrize("decay", [0.0, 0.25])
def test_is_gradient_descent_written_out(decay):
    batches, rate, first = stream(0), 0.05, np.array([0.3, -0.2])
    expected, w = [], first
    for x, y, _ in batches:
        error = x @ w - y[:, 0]
        expected.extend(error**2)
        w = w - rate * 2 * (error[:, None] * x).mean(axis=0) + decay * (first - w)
    model = linear([0.3, -0.2])
    found = dynamic_evaluation(model, batches, squared, keras.optimizers.SGD(rate), decay)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_leaves_the_model_as_it_was():
    model = linear([0.3, -0.2])
    dynamic_evaluation(model, stream(1), squared, keras.optimizers.SGD(0.05))
    np.testing.assert_array_equal(model.get_weights()[0][:, 0], np.array([0.3, -0.2], "float32"))

    def ends_early():
        yield from stream(2)[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dynamic_evaluation(model, ends_early(), squared, keras.optimizers.Adam(0.05))
    np.testing.assert_array_equal(model.get_weights()[0][:, 0], np.array([0.3, -0.2], "float32"))


def test_static_is_the_models_own_loss_and_leaves_out_what_weighs_nothing():
    batches, model = stream(3), linear([0.3, -0.2])
    weighed = [(x, y, np.array([1.0, 0.0, 1.0])) for x, y, _ in batches]
    found = dynamic_evaluation(model, weighed, squared)
    every = np.concatenate([squared(y, model(x)) for x, y, _ in batches]).reshape(-1, 3)
    np.testing.assert_allclose(found, every[:, [0, 2]].ravel(), rtol=1e-6)


def test_what_weighs_nothing_is_not_learned_from():
    batches = stream(4)
    spoiled = [
        (x.copy(), np.where(np.arange(3)[:, None] == 1, 1e6, y).astype("float32"), np.array([1.0, 0.0, 1.0]))
        for x, y, _ in batches
    ]
    kept = [(x[[0, 2]], y[[0, 2]], np.ones(2)) for x, y, _ in batches]
    left_out = dynamic_evaluation(linear([0.3, -0.2]), spoiled, squared, keras.optimizers.SGD(0.05))
    absent = dynamic_evaluation(linear([0.3, -0.2]), kept, squared, keras.optimizers.SGD(0.05))
    np.testing.assert_allclose(left_out, absent, rtol=1e-4)


def test_keras_stateful_layers_go_on_and_come_back():
    """Any stateful model: here Keras' own LSTM with stateful=True."""
    inputs = keras.Input((4, 2), batch_size=1)
    model = keras.Model(inputs, keras.layers.LSTM(3, stateful=True, return_sequences=True)(inputs))
    whole = keras.layers.LSTM(3, return_sequences=True)
    random = np.random.default_rng(5)
    x = random.normal(size=(1, 12, 2)).astype("float32")
    whole(x)
    whole.set_weights([w for w in model.get_weights() if w.ndim != 2 or w.shape[0] != 1][: len(whole.get_weights())])
    for variable, value in zip(model.trainable_variables, whole.get_weights(), strict=True):
        variable.assign(value)
    y = np.zeros((1, 4, 3), "float32")
    batches = [(x[:, t : t + 4], y, np.ones((1, 4))) for t in (0, 4, 8)]
    found = dynamic_evaluation(model, batches, squared)
    np.testing.assert_allclose(found, np.sum(np.asarray(whole(x))[0] ** 2, axis=-1), atol=1e-5)
    assert all(np.abs(v.numpy()).max() == 0 for v in model.non_trainable_variables if v.dtype == "float32")


def test_too_large_a_step_is_told():
    with pytest.raises(ValueError, match=r"batch \d+ is not finite: take a smaller step"):
        dynamic_evaluation(linear([0.3, -0.2]), stream(6, 400), squared, keras.optimizers.SGD(1e6))
    assert dynamic_evaluation(linear([0, 0]), [], squared).shape == (0,)
    with pytest.raises(ValueError, match="decay=1.5: expected a share from 0 to 1"):
        dynamic_evaluation(linear([0, 0]), stream(7), squared, keras.optimizers.SGD(0.05), 1.5)


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_nats_of_a_stream_are_those_of_the_whole_text(rate):
    """Batches carry states on, what is after the end is left out; dynamic, the first batch is as it was."""
    tokens = np.random.default_rng(0).integers(1, 5, 23)
    model = text_rnn.language_model(list("?abcd"), units=4)
    ends = [(0, 10), (10, 20), (20, 30)]
    read, targets = np.pad([0, *tokens[:-1]], (0, 7)), np.pad(tokens, (0, 7), constant_values=-1)
    batches = [
        {"tokens": read[None, a:b], "targets": targets[None, a:b], "continues": np.float32([a > 0])} for a, b in ends
    ]
    found = token_nats(text_rnn.stateful(model, 1), batches, rate)
    wears_off = token_nats(text_rnn.stateful(model, 1), batches, rate, decay=1.0)  # first felt after two steps
    np.testing.assert_allclose(wears_off[: 20 if rate else 23], found[: 20 if rate else 23], rtol=1e-4)
    assert not rate or np.abs(wears_off - found)[20:].max() > 1e-2
    logits = np.asarray(model(np.array([[0, *tokens[:-1]]])))
    expected = keras.losses.sparse_categorical_crossentropy(tokens[None], logits, from_logits=True)[0]
    np.testing.assert_allclose(found[: 10 if rate else 23], expected[: 10 if rate else 23], rtol=1e-4)
    assert found.shape == (23,) and (not rate or np.abs(found - expected)[10:].max() > 1e-2)
