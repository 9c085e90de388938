"""Speech by an exported WaveNet, as a program without the network would write it."""

import os
from collections.abc import Sequence

import numpy as np

from toolkit.data.audio import tracks
from toolkit.export.interpreter import tflite_caller
from toolkit.files import binary
from toolkit.files import text as text_files

_EXPECTED = "the card of an exported wavenet"
_MOST = 100_000_000  # of any axis of its inputs: hours of sound


class SpeechFile:
    """The `.tflite` of a WaveNet, with LiteRT's interpreter alone.

    Args:
        folder: What an export of `serving.wavenet.wavenet` wrote: `model.tflite` and `card.json`.

    Attributes:
        sample_rate: In Hz.
        max_seconds: Longest sound that the file writes.
        inventory: What its speech is made of, as `layers.SpeechInventory` has it.

    Raises:
        FileNotFoundError: Where one of the two files is missing.
        ValueError: Where one of them is damaged, or of another model.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        folder = binary.expanded(folder)
        card = text_files.read_json(
            folder / "card.json", _EXPECTED, fields={"signatures": dict, "inventory": dict, "sample_rate": int}
        )
        lists = ("speakers", "units", "unit_lengths")
        try:
            self._inputs = card["signatures"]["generate_from_noise"]["inputs"]
            self._noise = self._inputs["noise"]["shape"]
            self._hop = card["samples_per_frame"] if "units" in self._inputs else 1
            self.inventory = card["inventory"]
            sizes = [self._hop, card["sample_rate"], self.inventory["num_states"], *self._noise]
            good = all(isinstance(self.inventory[name], list) and self.inventory[name] for name in lists)
            good = good and all(type(size) is int and 0 < size <= _MOST for size in sizes)
            good = good and len(self.inventory["units"]) == len(self.inventory["unit_lengths"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{folder / 'card.json'} is not {_EXPECTED}: it says nothing of such inputs.") from error
        if not good:
            raise ValueError(f"{folder / 'card.json'} is not {_EXPECTED}: its numbers are none of such a model.")
        self.sample_rate = card["sample_rate"]
        self.max_seconds = self._noise[1] / self.sample_rate
        self._call = tflite_caller(folder / "model.tflite")

    def write(
        self,
        units: str = "",
        speaker: str = "",
        *,
        seconds: float | None = None,
        temperature: float = 1.0,
        seed: int | Sequence[int] = 0,
    ) -> np.ndarray:
        """Writes a sound.

        Args:
            units: What is said, between spaces, for a model that reads units.
            speaker: Who says it, for a model that reads speakers; empty: the first.
            seconds: How long; None: as long as the units last on average, without these as long as can be.
            temperature: 1: as the model expects; less: less noise.
            seed: Seed of the noise.

        Returns:
            float32 (samples,), in [-1, 1].

        Raises:
            ValueError: Where a name is unknown, something is missing or not read, or the sound would be too long.
        """
        for name, given in (("units", units), ("speaker", speaker)):
            if given and name not in self._inputs:
                raise ValueError(f"--{name}={given}: this model reads none.")
        length, inputs = None if seconds is None else round(seconds * self.sample_rate), {}
        if "units" in self._inputs:
            if not units.split():
                names = " ".join(self.inventory["units"])
                raise ValueError(f"--units: what is to be said? There are: {names}.")
            track = tracks.track(units.split(), self.inventory, length)
            length = len(track)
        length = self._noise[1] if length is None else length
        if not 0 < length <= self._noise[1]:
            raise ValueError(
                f"{length / self.sample_rate:g} s: this model writes more than 0 and at most {self.max_seconds:g} s; "
                "--max_seconds at export decides."
            )
        if "units" in self._inputs:
            num_frames = self._inputs["units"]["shape"][1]
            middles = np.minimum(np.arange(num_frames) * self._hop + self._hop // 2, length - 1)
            inputs["units"] = track[middles][None]
        if "speaker" in self._inputs:
            names = tuple(self.inventory["speakers"])
            inputs["speaker"] = np.array([tracks.number(speaker, names, "--speaker") if speaker else 0], "int32")
        noise = np.random.default_rng(seed).uniform(size=self._noise)
        inputs["noise"] = np.minimum(noise, 1 - 2**-24).astype("float32")
        inputs["seconds"] = np.array([length / self.sample_rate], "float32")
        inputs["temperature"] = np.array([temperature], "float32")
        written = self._call("generate_from_noise", **inputs)
        return written["audio"][0, : written["length"][0]]
