"""The whole network beside its steps, and beside what is known of attention and memory."""

import keras
import numpy as np
import pytest

from toolkit.models import memory_translator

MEMORY = {"memory_size": 40, "key_size": 6, "num_neighbors": 8, "seed": 0}


def pairs(seed=0, rows=3, words=5, said=4):
    random = np.random.default_rng(seed)
    source, target = random.integers(3, 20, (rows, words)), random.integers(3, 15, (rows, said))
    source[0, 3:], target[0, 2:] = 0, -1
    before = np.concatenate([np.ones((rows, 1), int), np.maximum(target, 0)[:, :-1]], axis=1)
    return {name: each.astype("int32") for name, each in (("source", source), ("before", before), ("target", target))}


@pytest.fixture(params=[MEMORY, pytest.param(None, marks=pytest.mark.slow)], ids=["memory", "without"])
def model(request):
    keras.utils.set_random_seed(0)
    model = memory_translator.translator(20, 15, units=8, embedding_size=6, memory=request.param)
    if request.param:
        given = pairs(9, rows=4)
        memory_translator.memory_of(model).update(
            memory_translator.queries(model)({name: given[name] for name in ("source", "before")}), given["target"]
        )
    return model


def test_steps_give_the_logits_of_the_whole(model):
    given = pairs()
    expected, memory = np.asarray(model(given)), memory_translator.memory_of(model)
    state, context = memory_translator.encoded(model, given["source"])
    for place in range(given["before"].shape[1]):
        recalled = (lambda query: memory(query)) if memory else None
        logits, state = memory_translator.step(model, recalled, given["before"][:, place], state, *context)
        np.testing.assert_allclose(logits, expected[:, place], atol=1e-5)


def test_padding_and_targets_change_no_logits(model):
    given = pairs()
    longer = given | {"source": np.pad(given["source"], ((0, 0), (0, 3)))}
    other = given | {"target": np.full_like(given["target"], -1)}
    for each in (longer, other):
        np.testing.assert_allclose(model(each), model(given), atol=1e-5)


def test_the_recalled_word_is_raised():
    model = memory_translator.translator(20, 15, units=8, embedding_size=6, memory=MEMORY)
    given = pairs()
    empty = np.asarray(model(given))
    query = memory_translator.queries(model)({name: given[name] for name in ("source", "before")})
    memory_translator.memory_of(model).update(query[:, :1], np.full((3, 1), 11))
    trust = model.get_layer("trust")
    trust.set_weights([np.zeros((9, 1)), np.full(1, 7.0)])
    change = np.asarray(model(given)) - empty
    np.testing.assert_allclose(change[..., 11], 7.0, atol=1e-4)
    np.testing.assert_allclose(np.delete(change, 11, axis=-1), 0.0, atol=1e-5)


@pytest.mark.slow
def test_training_learns_and_saves(tmp_path):
    keras.utils.set_random_seed(0)
    model = memory_translator.translator(20, 15, units=8, embedding_size=6, memory=MEMORY)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    given = pairs()
    history = model.fit(given, given["target"], epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    assert np.sum(np.asarray(memory_translator.memory_of(model).values) >= 0) >= 5
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(given, verbose=0), model.predict(given, verbose=0), atol=1e-5)
    found = memory_translator.queries(again).predict({n: given[n] for n in ("source", "before")}, verbose=0)
    assert found.shape == (3, 4, 6)
