"""Scalars and pictures for TensorBoard."""

import pathlib
from collections.abc import Mapping

from toolkit.lazy import tensorflow as tf


class Board:
    """TensorBoard's files: one folder for each split.

    Args:
        folder: The log folder; None: nothing is written.
    """

    def __init__(self, folder: pathlib.Path | None) -> None:
        self.folder = folder
        self._writers = {}

    def _writer(self, split):
        if split not in self._writers:
            self._writers[split] = tf.summary.create_file_writer(str(self.folder / split))
        return self._writers[split].as_default()

    def scalars(self, split: str, values: Mapping[str, float], step: int) -> None:
        """Writes scalars.

        Args:
            split: "train", "validation" or "test".
            values: The scalars by tag.
            step: The step they belong to.
        """
        if values and self.folder:
            with self._writer(split):
                for name, value in values.items():
                    tf.summary.scalar(name, value, step=step)
            self._writers[split].flush()

    def image(self, name: str, image, step: int) -> None:
        """Writes a picture.

        Args:
            name: Its tag.
            image: uint8 (height, width, channels).
            step: The step it belongs to.
        """
        with self._writer("pictures"):
            tf.summary.image(name, image[None], step=step)
        self._writers["pictures"].flush()
