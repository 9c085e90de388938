import keras
import numpy as np
import pytest

from toolkit.models import text_rnn

TOKENS = ["<unk>", "a", "b", "c", "d"]


def alphabet(size):
    return [str(number) for number in range(size)]


@pytest.mark.parametrize(
    "tokens, units, num_layers, millions",
    # Penn Treebank by characters and by words (paper: 4.3 M and 54 M); Wikipedia's 21.3 M are five layers of 700.
    [(49, 1000, 1, 4.25), (10_000, 1000, 1, 54.0), (205, 700, 5, 21.3), (205, 700, 7, 30.5)],
)
def test_parameter_counts(tokens, units, num_layers, millions, unfilled):
    model = text_rnn.language_model(alphabet(tokens), units=units, num_layers=num_layers)
    assert abs(model.count_params() / 1e6 - millions) < 0.06
    inputs = [tokens + (units if n else 0) for n in range(num_layers)]
    lstms = sum(4 * units * (size + units + 1) for size in inputs)
    assert model.count_params() == lstms + tokens * (units * num_layers + 1)


def test_every_layer_reads_the_input_and_is_read_by_the_output():
    model = text_rnn.language_model(TOKENS, units=3, num_layers=3)
    kernels = [model.get_layer(f"lstm_{n}").cell.kernel.shape for n in (1, 2, 3)]
    assert kernels == [(5, 12), (8, 12), (8, 12)]
    assert model.get_layer("softmax").kernel.shape == (5, 9)
    plain = text_rnn.language_model(TOKENS, units=3, num_layers=3, skip_connections=False)
    assert plain.get_layer("lstm_3").cell.kernel.shape == (3, 12)
    assert plain.get_layer("softmax").kernel.shape == (5, 3)


OPTIONS = [
    {},
    {"num_layers": 2, "peepholes": True, "lstm_gradient_clip": 1.0},
    {"num_layers": 2, "skip_connections": False},
    {"num_layers": 2, "embedding_size": 3},
    {"num_layers": 2, "embedding_size": 3, "fused": True},
    {"num_layers": 3, "embedding_size": 3, "skip_connections": False, "num_sampled": 2},
]


@pytest.mark.parametrize("how", OPTIONS)
def test_streaming_is_the_model(how, tmp_path):
    model = text_rnn.language_model(TOKENS, units=4, **how)
    tokens = np.random.default_rng(0).integers(0, 5, (2, 9)).astype("int32")
    whole = np.asarray(model(tokens))
    model.save(tmp_path / "model.keras")
    for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
        stream = text_rnn.streaming(each)
        state = {name: keras.ops.zeros((2, size)) for name, size in text_rnn.state_sizes(each).items()}
        assert set(stream.input) == {"tokens", *state}
        pieces = []
        for piece in (tokens[:, :4], tokens[:, 4:5], tokens[:, 5:]):
            outputs = stream({"tokens": keras.ops.convert_to_tensor(piece), **state})
            state = {name: outputs[name] for name in state}
            pieces.append(np.asarray(outputs["logits"]))
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)


def test_scored_is_the_cross_entropy():
    model = text_rnn.language_model(TOKENS, units=4, num_layers=2)
    tokens = np.random.default_rng(1).integers(0, 5, (2, 9)).astype("int32")
    scored = text_rnn.streaming(model, scored=True)
    state = {name: keras.ops.zeros((2, size)) for name, size in text_rnn.state_sizes(model).items()}
    given = {"tokens": tokens[:, :-1], "targets": tokens[:, 1:], **state}
    nats = scored(keras.tree.map_structure(keras.ops.convert_to_tensor, given))["nats"]
    expected = keras.losses.sparse_categorical_crossentropy(tokens[:, 1:], model(tokens[:, :-1]), from_logits=True)
    np.testing.assert_allclose(nats, expected, rtol=1e-5)


def test_deeper_without_skips_is_one_lstm_on_another():
    model = text_rnn.language_model(TOKENS, units=4, num_layers=2, skip_connections=False)
    tokens = np.random.default_rng(2).integers(0, 5, (2, 6)).astype("int32")
    first, second = keras.layers.LSTM(4, return_sequences=True), keras.layers.LSTM(4, return_sequences=True)
    one_hot = np.eye(5, dtype="float32")[tokens]
    second(first(one_hot))
    first.set_weights(model.get_layer("lstm_1").get_weights())
    second.set_weights(model.get_layer("lstm_2").get_weights())
    head = model.get_layer("softmax")
    expected = np.asarray(second(first(one_hot))) @ head.kernel.numpy().T + head.bias.numpy()
    np.testing.assert_allclose(model(tokens), expected, atol=1e-5)


def test_errors():
    with pytest.raises(ValueError, match="num_layers must be at least 1; got 0"):
        text_rnn.language_model(TOKENS, num_layers=0)
    for wrong in ({"peepholes": True}, {"lstm_gradient_clip": 1.0}, {"recurrent_dropout": 0.1}, {"embedding_size": 0}):
        with pytest.raises(ValueError, match="fused=True needs embedding_size"):
            text_rnn.language_model(TOKENS, units=4, fused=True, **{"embedding_size": 3, **wrong})


def test_stateful_goes_on_where_it_ended_and_begins_anew_where_told():
    model = text_rnn.language_model(TOKENS, units=4, num_layers=2)
    tokens = np.random.default_rng(3).integers(0, 5, (2, 9)).astype("int32")
    expected = keras.losses.sparse_categorical_crossentropy(tokens[:, 1:], model(tokens[:, :-1]), from_logits=True)
    stateful = text_rnn.stateful(model, 2)

    def nats(first, last, goes_on):
        given = {"tokens": tokens[:, first:last], "targets": tokens[:, first + 1 : last + 1]}
        given["continues"] = np.full(2, goes_on, "float32")
        return np.asarray(stateful(keras.tree.map_structure(keras.ops.convert_to_tensor, given)))

    for _ in range(2):
        pieces = [nats(0, 5, 0.0), nats(5, 8, 1.0)]
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), expected, rtol=1e-4)


def test_dropout_hides_outputs_and_leaves_states_whole():
    """As of Zaremba et al.: the softmax sees outputs of which some are 0 and the others scaled; the LSTM sees all."""
    model = text_rnn.language_model(TOKENS, units=64)
    clean, dropped = (text_rnn.streaming(model, dropout=share) for share in (0.0, 0.25))
    given = {"tokens": np.random.default_rng(4).integers(0, 5, (3, 40)).astype("int32")}
    given |= {name: np.zeros((3, 64), "float32") for name in ("hidden_1", "cell_1")}
    given = keras.tree.map_structure(keras.ops.convert_to_tensor, given)
    expected, found = clean(given, training=True), dropped(given, training=True)
    for name in ("hidden_1", "cell_1"):
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_array_equal(dropped(given, training=False)["logits"], expected["logits"])
    outputs = np.asarray(model.get_layer("lstm_1")(given["tokens"])[0])
    seen = keras.Model(dropped.input, dropped.get_layer("dropout_1").output)(given, training=True)
    hidden = np.asarray(seen) == 0
    np.testing.assert_allclose(np.asarray(seen)[~hidden], outputs[~hidden] / 0.75, rtol=1e-5)
    assert hidden.mean() == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / hidden.size) ** 0.5)
    assert 0 < hidden[0, 0].sum() and (hidden[0, 0] != hidden[0, 1]).any()


@pytest.mark.parametrize(
    "noise, dropped",
    [
        ({"weight_noise": 0.5}, 0.0),
        ({"dropout": 0.5}, 0.0),
        ({"drop_connect": 0.5}, 0.0),
        ({"adaptive_weight_noise": True, "num_sequences": 10}, 0.0),
        ({}, 0.5),
    ],
)
def test_stateful_with_noise_only_in_training(noise, dropped):
    model = text_rnn.language_model(TOKENS, units=4, recurrent_dropout=dropped)
    clean, noisy = text_rnn.stateful(model, 1), text_rnn.stateful(model, 1, **noise)
    given = {"tokens": np.array([[1, 2]]), "targets": np.array([[2, 3]]), "continues": np.zeros(1, "float32")}
    given = keras.tree.map_structure(keras.ops.convert_to_tensor, given)
    np.testing.assert_allclose(noisy(given, training=False), clean(given, training=False), rtol=1e-5)
    assert np.abs(np.asarray(noisy(given, training=True)) - np.asarray(clean(given, training=True))).max() > 1e-3
