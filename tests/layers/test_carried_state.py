import keras
import numpy as np
import pytest

from toolkit.layers import CarriedState, WeightNoise
from toolkit.models import text_rnn

TOKENS = ["<unk>", "a", "b", "c"]


def network():
    return text_rnn.language_model(TOKENS, units=5, num_layers=2)


def carried(model, batch_size=2, wrap=lambda stream: stream):
    stream = text_rnn.streaming(model)
    layer = CarriedState(wrap(stream), text_rnn.state_sizes(model), batch_size, name="carried")
    inputs = {
        "tokens": keras.Input((None,), batch_size=batch_size, dtype="int32", name="tokens"),
        "continues": keras.Input((), batch_size=batch_size, name="continues"),
    }
    return keras.Model(inputs, layer(inputs))


def batch(tokens, continues):
    return {"tokens": np.asarray(tokens, "int32"), "continues": np.asarray(continues, "float32")}


def test_pieces_are_the_whole():
    model, tokens = network(), np.random.default_rng(0).integers(0, 4, (2, 12))
    whole, stateful = model(tokens), carried(model)
    pieces = [stateful(batch(tokens[:, t : t + 4], [t > 0] * 2)) for t in (0, 4, 8)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-6)


def test_a_row_begins_anew_by_itself():
    model, tokens = network(), np.random.default_rng(1).integers(0, 4, (2, 4))
    stateful, fresh = carried(model), model(tokens)
    first = stateful(batch(tokens, [0, 0]))
    np.testing.assert_allclose(first, fresh, atol=1e-6)
    again = np.asarray(stateful(batch(tokens, [0, 1])))
    np.testing.assert_allclose(again[0], fresh[0], atol=1e-6)
    assert np.abs(again[1] - fresh[1]).max() > 1e-3
    stateful.get_layer("carried").reset_state()
    np.testing.assert_allclose(stateful(batch(tokens, [1, 1])), fresh, atol=1e-6)


def test_a_state_that_is_not_finite_can_be_left():
    model, tokens = network(), np.ones((2, 3))
    stateful = carried(model)
    layer = stateful.get_layer("carried")
    for state in layer.states.values():
        state.assign(np.full(state.shape, np.nan))
    np.testing.assert_allclose(stateful(batch(tokens, [0, 0])), model(tokens), atol=1e-6)


def test_states_are_kept_with_the_model(tmp_path):
    stateful = carried(network())
    tokens = np.random.default_rng(2).integers(0, 4, (2, 4))
    stateful(batch(tokens, [0, 0]))
    stateful.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(batch(tokens, [1, 1])), stateful(batch(tokens, [1, 1])), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
def test_trains_with_noise_in_half_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        stateful = carried(network(), wrap=lambda stream: WeightNoise(stream, 0.05))
        stateful.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        tokens = np.random.default_rng(3).integers(0, 4, (2, 8))
        before = [np.asarray(w) for w in stateful.trainable_variables]
        losses = [float(stateful.train_on_batch(batch(tokens, [1, 1]), tokens)) for _ in range(3)]
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(losses).all()
    assert any(np.abs(w - np.asarray(v)).max() > 0 for w, v in zip(before, stateful.trainable_variables, strict=True))
    states = stateful.get_layer("carried").states.values()
    assert all(np.abs(state.numpy()).max() > 0 and state.dtype == "float32" for state in states)


def test_shapes_are_known_and_errors_told():
    stateful = carried(network())
    assert stateful.output_shape == (2, None, 4)
    layer = stateful.get_layer("carried")
    assert layer.compute_output_shape({"tokens": (2, 7), "continues": (2,)}) == (2, 7, 4)
    with pytest.raises(ValueError, match="batch_size must be at least 1; got 0"):
        carried(network(), batch_size=0)
