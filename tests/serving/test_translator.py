"""A program that is shown one sentence with a new word, on LiteRT without TensorFlow's kernels."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from toolkit import data, export, generation
from toolkit.models import memory_translator
from toolkit.serving.translator import numbers, translator

MEMORY = {"memory_size": 200, "key_size": 16, "num_neighbors": 8, "age_noise": 0.0, "seed": 0}


@pytest.fixture(scope="module")
def pairs():
    return data.translation.load("embedded:40", seed=1)


@pytest.fixture(scope="module")
def model(pairs):
    keras.utils.set_random_seed(0)
    model = memory_translator.translator(
        len(pairs.source.tokens), len(pairs.target.tokens), units=16, embedding_size=16, memory=MEMORY
    )
    generation.translation.read(model, {name: each[:8] for name, each in pairs.arrays("train").items()})
    # What is recalled is said: this network was never trained.
    model.get_layer("trust").set_weights([np.zeros((17, 1)), np.full(1, 50.0)])
    return model


@pytest.fixture(scope="module")
def served(model, pairs):
    return translator(
        model,
        source=pairs.source,
        target=pairs.target,
        measured=pairs.arrays("test"),
        typical=pairs.arrays("train"),
        max_measured=3,
    )


def test_a_program_learns_words_from_a_sentence(model, pairs, served, tmp_path):
    export.save_traced(tmp_path / "saved", {name: export.trace(each) for name, each in served.signatures.items()})
    export.convert_to_tflite(tmp_path / "saved", tmp_path / "model.tflite", list(served.signatures))
    file = Interpreter(str(tmp_path / "model.tflite"))
    call = {name: file.get_signature_runner(name) for name in served.signatures}
    trained = call["memory"](used=np.ones(1, "int32"))
    for name, each in zip(("keys", "values", "ages"), memory_translator.memory_of(model).state, strict=True):
        np.testing.assert_allclose(trained[name], each, atol=1e-6)
    memory = call["memory"](used=np.zeros(1, "int32"))
    assert np.all(memory["values"] == -1) and not np.any(memory["keys"])
    source, target = pairs.source.decode_batch(pairs.sentences["test"][:1])[0], pairs.translations["test"][:1]
    sentence = numbers(served.card["source_words"], source, pairs.sentences["test"].shape[1])
    np.testing.assert_array_equal(sentence, pairs.sentences["test"][:1])
    taught = call["remember"](source=sentence, words=target, **memory)
    assert np.sum(taught["values"] >= 0) == np.count_nonzero(target)
    found = call["translate"](source=sentence, keys=taught["keys"], values=taught["values"])
    assert found["words"][0, 0] == target[0, 0] and found["length"].shape == (1,)
    expected = generation.translation.translated(
        model, sentence, num_words=target.shape[1], start=1, end=2, state=(taught["keys"], taught["values"])
    )
    length = int(found["length"][0])
    np.testing.assert_array_equal(found["words"][0, :length], expected[0, :length])
    # Numbers that no word has are the unknown word's.
    odd, unknown = np.array([5, 10**9, -7]), np.array([5, pairs.source.unknown_number, pairs.target.unknown_number])
    assert unknown[1] == unknown[2] == 3
    found = []
    for numbers_given in (odd, unknown):
        asked, words = sentence.copy(), target.copy()
        asked[0, :3] = words[0, :3] = numbers_given
        taught = call["remember"](source=asked, words=words, **memory)
        translated = call["translate"](source=asked, keys=taught["keys"], values=taught["values"])
        found.append([*taught.values(), *translated.values()])
        assert np.count_nonzero(taught["values"] == 3) >= 1 and taught["values"].max() < len(pairs.target.tokens)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_examples_and_measure(served):
    assert set(served.examples) == set(served.signatures) == {"memory", "translate", "remember"}
    calibration = list(served.calibrate())
    assert len(calibration) == 20 and set(calibration[0]) == set(served.signatures)

    def right(name, source, keys, values):
        row = next(row for row in range(10) if np.array_equal(pairs_source[row], source[0]))
        words = np.where(pairs_target[row] > 2, pairs_target[row], 0)
        return {"words": words[None], "length": np.array([np.count_nonzero(words)])}

    test = data.translation.load("embedded:40", seed=1).arrays("test")
    pairs_source, pairs_target = test["source"], test["target"]
    assert served.measure(right) == {
        "sentences_right_percent": 100.0, "words_right_percent": 100.0, "sentences": 3,
    }  # fmt: skip
    silent = served.measure(lambda name, **given: {"words": np.zeros((1, pairs_target.shape[1]), "int32")})
    assert silent["sentences_right_percent"] == silent["words_right_percent"] == 0.0


@pytest.mark.parametrize(
    ("text", "length", "message"),
    [("ka nothing", 9, "the network does not know 'nothing'"), ("ka ka ka", 3, "has 3 words; at most 2 are read")],
)
def test_sentences_that_cannot_be_given(served, text, length, message):
    with pytest.raises(ValueError, match=message):
        numbers(served.card["source_words"], text, length)
