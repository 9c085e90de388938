"""Scalars, pictures, sounds, films, tables, graphs and profiles for TensorBoard."""

import contextlib
import html
import json
import math
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.lazy import tensorflow as tf

_LARGEST = (2 - 2**-23) * 2.0**127  # float32


class Board:
    """TensorBoard's files: one folder for each split.

    Args:
        folder: The log folder; None: nothing is written.
        profile_steps: Training steps to profile.
    """

    def __init__(self, folder: pathlib.Path | None, profile_steps: int = 0) -> None:
        self.folder = folder
        self._writers = {}
        # The first steps are left out: they compile, and fill caches and queues.
        self._profiled = range(5, 5 + profile_steps) if folder and profile_steps else range(0)
        self._steps = 0

    @contextlib.contextmanager
    def _writing(self, split):
        """Has what TensorFlow summarizes inside go to a split's folder, or, where none is kept, nowhere."""
        if split not in self._writers:
            made = tf.summary.create_file_writer(str(self.folder / split)) if self.folder else None
            self._writers[split] = made or tf.summary.create_noop_writer()
        with self._writers[split].as_default():
            yield
        self._writers[split].flush()

    def scalars(self, split: str, values: Mapping[str, float], step: int) -> None:
        """Writes scalars.

        Args:
            split: "train", "validation" or "test".
            values: The scalars by tag; what is too large for TensorBoard's float32 is infinite there.
            step: The step they belong to.
        """
        if values:
            with self._writing(split):
                for name, value in values.items():
                    tf.summary.scalar(name, _representable(value), step=step)

    def image(self, name: str, image, step: int) -> None:
        """Writes a picture.

        Args:
            name: Its tag.
            image: uint8 (height, width, channels).
            step: The step it belongs to.
        """
        with self._writing("pictures"):
            tf.summary.image(name, image[None], step=step)

    def sound(self, name: str, samples, rate: int, step: int) -> None:
        """Writes a sound.

        Args:
            name: Its tag.
            samples: Floats (samples, channels), -1 to 1.
            rate: Samples a second.
            step: The step it belongs to.
        """
        with self._writing("sounds"):
            tf.summary.audio(name, samples[None], rate, step=step)

    def film(self, name: str, content: bytes, size: tuple[int, int], step: int) -> None:
        """Writes moving pictures, which TensorBoard shows among the images.

        Args:
            name: Its tag.
            content: The GIF.
            size: (height, width) of a frame.
            step: The step it belongs to.
        """
        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = "images"
        height, width = (str(side) for side in size)
        with self._writing("pictures"):
            tf.summary.write(name, tf.constant([width.encode(), height.encode(), content]), step, metadata)

    def rows(self, name: str, rows: Sequence[Mapping[str, Any]], step: int) -> None:
        """Writes a text: a table of rows that have the same columns.

        Args:
            name: Its tag.
            rows: Each by the columns' names.
            step: The step it belongs to.
        """
        self._cells("test", name, rows[0], (row.values() for row in rows), step)

    def _cells(self, split, name, header, rows, step):
        lines = [map(_markdown, header), ["-"] * len(header), *(map(_markdown, row) for row in rows)]
        with self._writing(split):
            tf.summary.text(name, "\n".join(f"| {' | '.join(line)} |" for line in lines), step=step)

    def table(self, name: str, values: Mapping[str, Any], step: int) -> None:
        """Writes a text: a table of names and values.

        Args:
            name: Its tag.
            values: What it says, by name.
            step: The step it belongs to.
        """
        self._cells("train", name, ["", ""], values.items(), step)

    def graph(self, name: str, model: Any) -> None:
        """Writes a Keras model's layers and what goes from one to the other.

        Args:
            name: Its tag.
            model: The model; one of a class of its own that does not say what it is made of is left out.
        """
        if not self.folder:
            return
        try:
            config = json.loads(model.to_json())
        except (NotImplementedError, TypeError):
            return
        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = "graph_keras_model"  # what TensorBoard's Graphs looks for
        metadata.plugin_data.content = b"1"
        with self._writing("train"):
            tf.summary.write(name, json.dumps(_opened(config)), step=0, metadata=metadata)

    def after_step(self) -> None:
        """To be called after each training step: begins and ends the profile."""
        self._steps += 1
        if not self._profiled:
            return
        if self._steps == self._profiled.start:
            tf.profiler.experimental.start(str(self.folder / "train"))
        elif self._steps == self._profiled.stop:
            self.end_profile()

    def end_profile(self) -> None:
        """Writes what has been profiled until here, if anything has."""
        if self._profiled and self._steps >= self._profiled.start:
            self._profiled = range(0)
            tf.profiler.experimental.stop()


def _representable(value):
    """A number, or infinity where float32, in which TensorBoard keeps scalars, has none so large."""
    return math.copysign(math.inf, value) if abs(value) > _LARGEST else value


def _markdown(value):
    """A value as text that means itself in a table of Markdown."""
    text = str(value).encode("utf-8", "backslashreplace").decode()  # half characters, as in a file's name
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def _opened(config):
    """A model's configuration in which TensorBoard sees what is inside of wrapped models too, and what goes in."""
    config = {**config, "config": dict(config["config"])}
    wrapped = config["config"].get("layer")
    if isinstance(wrapped, dict) and "layers" in wrapped["config"]:
        config["config"].update(
            {key: wrapped["config"].get(key) for key in ("layers", "input_layers", "output_layers")}
        )
    if "layers" in config["config"]:
        config["config"]["layers"] = [_opened(layer) for layer in config["config"]["layers"]]
    return config
