"""Greedy translation beside the whole network's own next words; reading beside the memory's own rule."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.generation import translation
from toolkit.layers import memory_state
from toolkit.models import memory_translator

MEMORY = {"memory_size": 60, "key_size": 6, "num_neighbors": 8, "age_noise": 0.0, "seed": 0}


def pairs(seed=0, rows=4, words=5, said=4):
    random = np.random.default_rng(seed)
    source, target = random.integers(3, 20, (rows, words)), random.integers(3, 15, (rows, said))
    source[0, 3:], target[0, 2:] = 0, -1
    before = np.concatenate([np.ones((rows, 1), int), np.maximum(target, 0)[:, :-1]], axis=1)
    return {name: each.astype("int32") for name, each in (("source", source), ("before", before), ("target", target))}


@pytest.fixture(params=[True, pytest.param(False, marks=pytest.mark.slow)], ids=["memory", "without"])
def model(request):
    keras.utils.set_random_seed(1)
    model = memory_translator.translator(20, 15, units=8, embedding_size=6, memory=MEMORY if request.param else None)
    if request.param:
        translation.read(model, pairs(5))
    return model


def test_each_word_is_the_networks_most_probable_one(model):
    given = pairs()["source"]
    found = translation.translated(model, given, batch_size=3, num_words=6, start=1, end=2)
    written = np.zeros((4, 6), "int32")
    for place in range(6):
        before = np.concatenate([np.ones((4, 1), "int32"), written[:, :-1]], axis=1)
        logits = model({"source": given, "before": before, "target": np.full_like(before, -1)})
        written[:, place] = np.argmax(logits[:, place], axis=-1)
    for row, expected in zip(found, written, strict=True):
        end = list(expected).index(2) if 2 in expected else 6
        np.testing.assert_array_equal(row[:end], expected[:end])
        assert end == 6 or (row[end] == 2 and not np.any(row[end + 1 :]))


@pytest.mark.slow
def test_a_wider_beam_is_never_less_probable(model):
    given = pairs()["source"]
    one, four = (translation.translate(model, given, num_words=5, start=1, end=2, beam_width=w) for w in (1, 4))
    assert np.all(four.score[:, 0] >= one.score[:, 0] - 1e-4)


@pytest.mark.slow
def test_reading_is_the_memorys_rule_and_changes_no_weight():
    keras.utils.set_random_seed(0)
    model = memory_translator.translator(20, 15, units=8, embedding_size=6, memory=MEMORY)
    weights = [np.asarray(weight) for weight in model.trainable_variables]
    state, noise = memory_state.empty(60, 6), tf.zeros(60)
    for seed in range(3):
        given = pairs(seed)
        translation.read(model, given)
        state = translation.remembered(model, given, state, noise)
    for one, other in zip(memory_translator.memory_of(model).state, state, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.sum(np.asarray(state[1]) >= 0) > 10
    for one, other in zip(weights, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_memory_is_asked():
    keras.utils.set_random_seed(0)
    model = memory_translator.translator(20, 15, units=8, embedding_size=6, memory=MEMORY)
    given = pairs()
    model.get_layer("trust").set_weights([np.zeros((9, 1)), np.full(1, 50.0)])
    query = memory_translator.queries(model)({name: given[name] for name in ("source", "before")})
    other = memory_state.remembered(
        *memory_state.empty(60, 6), query[:, 0], np.array([7, 8, 9, 10]), np.zeros(60, "float32")
    )
    found = translation.translated(model, given["source"], num_words=1, start=1, end=2, state=other[:2])
    np.testing.assert_array_equal(found[:, 0], [7, 8, 9, 10])


def test_after_the_end_are_zeros():
    keras.utils.set_random_seed(0)
    model = memory_translator.translator(20, 15, units=8, embedding_size=6, memory=MEMORY)
    model.get_layer("trust").set_weights([np.zeros((9, 1)), np.full(1, 50.0)])
    given = pairs()
    query = memory_translator.queries(model)({name: given[name] for name in ("source", "before")})
    ends = memory_state.remembered(*memory_state.empty(60, 6), query[:1, 0], np.array([2]), np.zeros(60, "float32"))
    found = translation.translated(model, given["source"], num_words=3, start=1, end=2, state=ends[:2])
    np.testing.assert_array_equal(found, [[2, 0, 0]] * 4)
