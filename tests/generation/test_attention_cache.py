import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.generation.attention_cache import AttentionCache
from toolkit.models import pixelcnn, pixelsnail


def filled(model):
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / 2 for w in model.get_weights()])
    return model


def test_places_one_by_one_are_the_layers_at_once():
    model = filled(pixelsnail.pixelsnail(3, 4, 6, 4, 1, 3, attention_every=1, num_heads=2, num_output_blocks=0))
    codes = np.random.default_rng(1).integers(0, 6, (2, 3, 4)).astype("int32")
    before, after = model.get_layer("block_1").output[1], model.get_layer("attention_1_added").output
    features, expected = (
        np.asarray(each).reshape(2, 12, 4) for each in keras.Model(model.input, [before, after])({"codes": codes})
    )
    cache = AttentionCache(model)
    lookup = np.concatenate([np.asarray(model.get_layer("lookup").embeddings), np.zeros((1, 4), "float32")])
    prepared, state, code = cache.prepare(tf.constant(lookup)), cache.initial_state(2), np.full(2, 6)
    assert {name: each.shape.as_list() for name, each in state.items()} == {
        "place": [1],
        "keys_1": [2, 2, 12, 2],
        "values_1": [2, 2, 12, 2],
        "left_1": [2, 8],
    }
    for place in range(12):
        found, seen = cache.attend(1, tf.constant(features[:, place]), code, state, prepared)
        np.testing.assert_allclose(found, expected[:, place], atol=1e-5)
        state, code = {**seen, "place": state["place"] + 1}, codes.reshape(2, 12)[:, place]
    assert not np.any(state["values_1"][:, :, 11]) and np.all(state["values_1"][:, :, 10])


@pytest.mark.parametrize(
    "make",
    [
        lambda: pixelcnn.pixelcnn(2, 2, 6, 4, 2, head_filters=4),
        lambda: pixelsnail.pixelsnail(2, 2, 6, 4, 2, attention_every=0, num_output_blocks=1),
    ],
    ids=["pixelcnn", "pixelsnail"],
)
def test_without_attention_there_is_no_state(make):
    cache, h = AttentionCache(make()), tf.ones((1, 4))
    assert cache.initial_state(1) == {} and cache.prepare(tf.ones((7, 4))) == {}
    assert cache.attend(1, h, tf.zeros(1, tf.int32), {}, {})[0] is h
