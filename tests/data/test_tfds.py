"""By its interface: the package is not needed here."""

import sys
import types

import pytest

from toolkit.data import tfds


def stand_in(monkeypatch, parts, features):
    """Puts one in the place of the package; gives the names that were asked for and prepared."""
    asked = []

    def builder(name):
        return types.SimpleNamespace(
            download_and_prepare=lambda: asked.append(name),
            info=types.SimpleNamespace(features=features, splits=parts),
            as_dataset=lambda split: parts[split],
        )

    package = types.SimpleNamespace(builder=builder, as_numpy=lambda dataset: dataset)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", package)
    return asked


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
