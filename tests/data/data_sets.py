"""Data sets of TensorFlow Datasets for tests, by its interface: the package is not needed."""

import sys
import types


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
