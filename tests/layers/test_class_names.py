import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import ClassNames

LOGITS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def test_gate():
    checks.check_layer(lambda: ClassNames(["a", "b", "c"], name="class_names"), LOGITS)


def test_says_what_the_classes_are(tmp_path):
    inputs = keras.Input((3,))
    names = ["cät", "dog", "犬"]
    model = keras.Model(inputs, ClassNames(names, name="class_names")(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("class_names").names == names
    np.testing.assert_array_equal(loaded(LOGITS), LOGITS)


def test_logits_stay_in_their_dtype():
    assert ClassNames(["a", "b", "c"], dtype="mixed_float16")(LOGITS).dtype == "float32"


def test_labels_pass_too():
    """They have no axis of the classes, whose length would be checked."""
    labels = np.array([2, 0, 1, 1], "int32")
    layer = ClassNames(["a", "b", "c"])
    found = keras.Model(inputs := keras.Input((), dtype="int32"), layer(inputs))(labels)
    np.testing.assert_array_equal(found, labels)
    assert keras.backend.standardize_dtype(found.dtype) == "int32"


def test_errors():
    with pytest.raises(ValueError, match="names: expected each class once, and one at least; got a."):
        ClassNames(["a", "b", "a"])
    with pytest.raises(ValueError, match="got none"):
        ClassNames([])
    with pytest.raises(ValueError, match=r"2 names, but logits of shape \(4, 3\)"):
        ClassNames(["a", "b"])(LOGITS)
