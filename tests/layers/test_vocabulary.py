import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import Vocabulary


def test_gate():
    numbers = np.array([[0, 1, 2, 5, -1], [2, 2, 1, 0, 9]], "int32")
    checks.check_layer(lambda: Vocabulary(["<unk>", "a", "b"], name="vocabulary"), numbers)


def test_says_what_its_numbers_mean(tmp_path):
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, Vocabulary(["<unk>", "ä", "of"], "word", name="vocabulary")(inputs))
    model.save(tmp_path / "model.keras")
    layer = keras.saving.load_model(tmp_path / "model.keras").get_layer("vocabulary")
    assert (layer.tokens, layer.level) == (["<unk>", "ä", "of"], "word")


def test_errors():
    for tokens in ([], ["a", "a"]):
        with pytest.raises(ValueError, match="tokens must hold each token once"):
            Vocabulary(tokens)
