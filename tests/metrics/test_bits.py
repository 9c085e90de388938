import math

import keras
import numpy as np

from toolkit.metrics.bits import Bits, bits_per_character, perplexity, summary


def test_fair_dice():
    """A die of 8 sides takes 3 bits a throw, and is as good as 8 equally likely words."""
    nats = np.full(1000, math.log(8), "float32")
    assert abs(bits_per_character(nats, 1000) - 3) < 1e-6
    assert abs(perplexity(nats, 1000) - 8) < 1e-4
    # Graves' rule: 2 to the bits of a word's 5.6 characters.
    np.testing.assert_allclose(perplexity(nats, 1000 / 5.6), 2 ** (5.6 * 3), rtol=1e-5)
    assert perplexity(np.full(10, 1e5), 10) < float("inf")
    told = summary(nats, 2000, 500)
    expected = {"bits_per_character": 1.5, "perplexity_per_word": 64, "bits_per_token": 3}
    assert list(told) == list(expected)
    np.testing.assert_allclose(list(told.values()), list(expected.values()), rtol=1e-5)


def test_a_text_without_words_has_no_figure_for_them():
    """A Chinese paragraph: white space ends it, not its words, and the figure would be beyond all numbers."""
    nats = np.full(4000, math.log(300), "float32")
    assert list(summary(nats, 4000, 10)) == ["bits_per_character", "bits_per_token"]
    assert list(summary(nats, 4000, 0)) == ["bits_per_character", "bits_per_token"]
    assert "perplexity_per_word" in summary(nats, 4000, 4000 / 30)


def test_metric_leaves_out_what_weighs_nothing():
    metric = Bits("bits_per_word")
    metric.update_state(None, np.array([[math.log(2), 99.0]]), np.array([[1.0, 0.0]]))
    metric.update_state(None, np.array([[math.log(8)]]))
    np.testing.assert_allclose(float(metric.result()), 2.0, rtol=1e-6)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.name == "bits_per_word"
