"""Data sets of TensorFlow Datasets, an optional package: what all readers of such data do first."""

import dataclasses
import importlib
from collections.abc import Iterator
from typing import Any

PARTS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A data set that lies on the disk.

    Args:
        name: Its name in TensorFlow Datasets.
        builder: Its `tfds.core.DatasetBuilder`.
    """

    name: str
    builder: Any

    @property
    def features(self) -> Any:
        """Its features by name, as `tfds` describes them."""
        return self.builder.info.features

    @property
    def parts(self) -> list[str]:
        """Those of "train", "validation" and "test" that it has."""
        return [part for part in PARTS if part in self.builder.info.splits]

    def examples(self, part: str) -> Iterator[dict[str, Any]]:
        """Reads a part's examples, one after the other.

        Args:
            part: Its name.

        Yields:
            Feature name to NumPy array, number or bytes.
        """
        yield from _package(self.name).as_numpy(self.builder.as_dataset(split=part))

    def lacks(self, what: str) -> ValueError:
        """Makes the error of a data set that is of another kind.

        Args:
            what: What it should have.

        Returns:
            An exception, to be raised, that names the features there are.
        """
        return ValueError(f"--data=tfds:{self.name} has no {what}: its features are {', '.join(self.features)}.")


def data_set(name: str, *, such_as: str) -> DataSet:
    """Finds a data set by its name, and downloads it where it is not on the disk.

    Args:
        name: Its name.
        such_as: A name that an error gives as an example.

    Returns:
        The data set.

    Raises:
        ValueError: Where there is no name, or the package is not installed.
    """
    if not name:
        raise ValueError(f"--data=tfds: expected tfds:NAME, such as tfds:{such_as}.")
    builder = _package(name).builder(name)
    builder.download_and_prepare()
    return DataSet(name, builder)


def _package(name):
    try:
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise ValueError(
            f"--data=tfds:{name} needs TensorFlow Datasets: ./run python -m pip install tensorflow-datasets."
        ) from error
