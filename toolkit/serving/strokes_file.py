"""Writing by an exported strokes writer, as a program without the network would."""

import json
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from toolkit.export.interpreter import tflite_caller


class StrokesFile:
    """The `.tflite` of a strokes writer that reads text, with LiteRT's interpreter alone.

    Args:
        folder: What an export of `strokes_writer` wrote: `model.tflite` and `card.json`.

    Attributes:
        num_characters: Characters that a text may have, the zero at its end among them.
        num_steps: Most points of a line.

    Raises:
        FileNotFoundError: Where one of the two files is missing.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        folder = pathlib.Path(folder)
        inputs = json.loads((folder / "card.json").read_text("utf-8"))["signatures"]["generate_from_noise"]["inputs"]
        self.num_characters = inputs["text"]["shape"][1]
        _, self.num_steps, self._num_noise = inputs["noise"]["shape"]
        self._call = tflite_caller(folder / "model.tflite")

    def write(self, texts: Sequence[str], *, bias: float = 0.0, seed: int | Sequence[int] = 0) -> list[np.ndarray]:
        """Writes texts, one after the other.

        Args:
            texts: The texts.
            bias: Sampling bias: 0 as the data, 2 neat.
            seed: Seed of the noise.

        Returns:
            For each text offsets (points, 3), in the unit of the data that the network was trained on.

        Raises:
            ValueError: Where a text is too long for the file.
        """
        random, written = np.random.default_rng(seed), []
        for text in texts:
            if len(text) >= self.num_characters:
                raise ValueError(f"{text!r} is too long: this file takes at most {self.num_characters - 1} characters.")
            codes = np.zeros((1, self.num_characters), "int32")
            codes[0, : len(text)] = list(map(ord, text))
            # A uniform number, two normal ones, a uniform one: see the signature.
            noise = random.standard_normal((1, self.num_steps, self._num_noise)).astype("float32")
            noise[..., [0, -1]] = random.uniform(size=(1, self.num_steps, 2))
            line = self._call("generate_from_noise", text=codes, bias=np.array([bias], "float32"), noise=noise)
            written.append(line["strokes"][0, : line["length"][0]])
        return written
