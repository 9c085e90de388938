import keras
import numpy as np
import pytest

from toolkit import models
from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.lines import ALPHABET
from toolkit.generation import ctc_decoding
from toolkit.generation.line_reading import probabilities_along, read_lines


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return models.handwriting_recognition.recognition(ALPHABET, units=8, num_layers=1)


@pytest.mark.slow
def test_reading_does_not_depend_on_the_company(model):
    lines = [line.offsets for line in embedded_writers.written_lines(4)]
    greedy, beam = read_lines(model, lines, ALPHABET, beam_width=3, batch_size=2)
    assert len(set(greedy)) > 1 and all(greedy)
    for line, one, other in zip(lines, greedy, beam, strict=True):
        assert read_lines(model, [line], ALPHABET, beam_width=3) == ([one], [other])
        logits = model((line[None], np.ones((1, len(line)), bool)))
        assert ctc_decoding.greedy(logits, ALPHABET) == [one]
    greedy, beam = read_lines(model, [np.zeros((0, 3), "float32")], ALPHABET)
    assert len(greedy) == len(beam) == 1


def test_probabilities_are_the_softmax_of_each_second_point(model):
    offsets = embedded_writers.written_lines(1)[0].offsets[:21]
    found = probabilities_along(model, offsets, "aba", ALPHABET)
    logits = np.asarray(model((offsets[None], np.ones((1, 21), bool))))[0].astype("float64")
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found.shape == (21, 3)
    np.testing.assert_allclose(found[::2, 1], expected[:, 1 + ALPHABET.index("b")], rtol=1e-4)
    np.testing.assert_array_equal(found[1::2], found[:-1:2])
    np.testing.assert_array_equal(found[:, 0], found[:, 2])
