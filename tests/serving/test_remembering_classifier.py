"""A classifier that learns from one picture, in a file: what LiteRT says, with the memory in the program's hands."""

import keras
import numpy as np
import pytest

from toolkit import export
from toolkit.data.characters.glyphs import glyphs
from toolkit.export.interpreter import tflite_caller
from toolkit.layers import memory_state
from toolkit.models.embedding_cnn import embedding_cnn
from toolkit.serving.remembering_classifier import remembering_classifier

IMAGES = glyphs(8, 4, 12)[..., None]
LABELS = np.repeat(np.arange(8), 4)


def nothing(slots):
    return {
        "keys": np.zeros((slots, 6), "float32"),
        "values": np.full(slots, -1, "int32"),
        "ages": np.zeros(slots, "int32"),
    }


@pytest.fixture(scope="module")
def embedding():
    keras.utils.set_random_seed(0)
    return embedding_cnn(12, key_size=6, filters=3)


@pytest.fixture(scope="module")
def written(embedding, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    flat = IMAGES.reshape(32, 12, 12, 1)
    served = remembering_classifier(embedding, 7, measured=(flat, LABELS), num_episodes=3, typical=flat[:4])
    card = export.write(folder / "export", **served.arguments(), quantize="int8").card
    return card, tflite_caller(folder / "export" / "model.tflite")


def test_five_new_classes_of_one_picture_each(written, embedding):
    card, call = written
    assert (
        card["slots"] == 7 and card["key_size"] == 6 and set(card["measured"]) >= {"model.tflite", "model_int8.tflite"}
    )
    assert card["measured"]["model.tflite"]["episodes"] == 3
    state = nothing(7)
    assert call("classify", image=IMAGES[0, :1], keys=state["keys"], values=state["values"])["label"] == [-1]
    for label in range(5):
        state = call("remember", image=IMAGES[label, :1], label=np.array([10 * label], "int32"), **state)
    assert sorted(state["values"].tolist()) == [-1, -1, 0, 10, 20, 30, 40]
    expected = memory_state.empty(7, 6)
    for label in range(5):
        key = embedding(IMAGES[label, :1].astype("float32"))
        expected = memory_state.remembered(*expected, key, np.array([10 * label]), np.zeros(7, "float32"))
    for name, each in zip(("keys", "values", "ages"), expected, strict=True):
        np.testing.assert_allclose(state[name], each, atol=1e-5)
    for label in range(5):
        found = call("classify", image=IMAGES[label, :1], keys=state["keys"], values=state["values"])
        key = call("embed", image=IMAGES[label, :1])["key"]
        # Of all 7 slots, five of which hold something, t = ln(0.2 * 7) / 0.1; the nearest has a cosine of 1.
        weights = np.exp(np.log(0.2 * 7) / 0.1 * (state["keys"] @ key[0] - 1)) * (state["values"] >= 0)
        assert found["label"] == [10 * label]
        assert found["confidence"][0] == pytest.approx(1 / weights.sum(), abs=0.01)
        np.testing.assert_allclose(state["keys"][found["slot"][0]], key[0], atol=1e-5)
        assert np.linalg.norm(key) == pytest.approx(1, abs=1e-5)


def test_the_same_class_again_moves_its_key_and_a_full_memory_forgets_the_oldest(written):
    _, call = written
    state = call("remember", image=IMAGES[0, :1], label=np.array([4], "int32"), **nothing(7))
    again = call("remember", image=IMAGES[0, :1], label=np.array([4], "int32"), **state)
    np.testing.assert_allclose(again["keys"], state["keys"], atol=1e-5)
    assert (again["values"] == state["values"]).all() and sorted(again["ages"].tolist()) == [0, *[2] * 6]
    for label in range(5, 5 + 7):  # the same picture with other labels: each takes a slot
        state = call("remember", image=IMAGES[0, :1], label=np.array([label], "int32"), **state)
    assert sorted(state["values"].tolist()) == [*range(5, 12)]


def test_each_measured_episode_begins_with_nothing(embedding):
    flat, held = IMAGES.reshape(32, 12, 12, 1), []

    def call(name, **given):
        if name == "classify":
            return {"label": np.array([4])}
        held.append(int(np.sum(given["values"] >= 0)))
        state = {name: given[name].copy() for name in ("keys", "values", "ages")}
        state["values"][held[-1]] = given["label"][0]
        return state

    measured = remembering_classifier(embedding, 7, measured=(flat, LABELS), num_episodes=3).measure(call)
    assert held == [*range(5)] * 3 and measured == {"accuracy_percent": pytest.approx(20), "episodes": 3}


def test_fewer_slots_than_classes(embedding):
    with pytest.raises(ValueError, match="num_slots=3: expected 5 or more"):
        remembering_classifier(embedding, 3, measured=(IMAGES.reshape(32, 12, 12, 1), LABELS))
