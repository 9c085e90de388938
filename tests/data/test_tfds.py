"""By its interface: the package is not needed here."""

import sys

import pytest

from tests.data.data_sets import stand_in
from toolkit.data import tfds


def test_a_data_set_is_prepared_and_read(monkeypatch):
    asked = stand_in(monkeypatch, {"test": [{"text": b"b"}], "extra": [], "train": [{"text": b"a"}]}, {"text": None})
    found = tfds.data_set("any", such_as="other")
    assert asked == ["any"] and found.parts == ["train", "test"] and list(found.features) == ["text"]
    assert list(found.examples("test")) == [{"text": b"b"}]
    with pytest.raises(ValueError, match="--data=tfds:any has no image: its features are text."):
        raise found.lacks("image")


def test_errors(monkeypatch):
    with pytest.raises(ValueError, match="--data=tfds: expected tfds:NAME, such as tfds:other."):
        tfds.data_set("", such_as="other")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match="--data=tfds:any needs TensorFlow Datasets: .*pip install"):
        tfds.data_set("any", such_as="other")
