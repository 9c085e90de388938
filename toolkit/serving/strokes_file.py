"""Writing by an exported strokes writer, as a program without the network would."""

import os
from collections.abc import Sequence

import numpy as np

from toolkit.export.interpreter import tflite_caller
from toolkit.files import binary
from toolkit.files import text as text_files

_EXPECTED = "the card of an exported handwriting_synthesis"
# Of any axis of its inputs: lines have hundreds of points.
_MOST = 100_000


class StrokesFile:
    """The `.tflite` of a strokes writer that reads text, with LiteRT's interpreter alone.

    Args:
        folder: What an export of `strokes_writer` wrote: `model.tflite` and `card.json`.

    Attributes:
        num_characters: Characters that a text may have, the zero at its end among them.
        num_steps: Most points of a line.

    Raises:
        FileNotFoundError: Where one of the two files is missing.
        ValueError: Where one of them is damaged, or of another model.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        folder = binary.expanded(folder)
        card = text_files.read_json(folder / "card.json", _EXPECTED, fields={"signatures": dict})
        try:
            inputs = card["signatures"]["generate_from_noise"]["inputs"]
            shapes = [inputs["text"]["shape"], inputs["noise"]["shape"]]
            (_, self.num_characters), (_, self.num_steps, self._num_noise) = shapes
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{folder / 'card.json'} is not {_EXPECTED}: it says nothing of such inputs.") from error
        if not all(type(size) is int and 0 < size <= _MOST for size in (*shapes[0], *shapes[1])):
            raise ValueError(f"{folder / 'card.json'} is not {_EXPECTED}: its inputs are of shapes {shapes}."[:300])
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
