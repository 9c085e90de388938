"""Handwriting as pen offsets, with or without its text: embedded writers, published sets, one's own files."""

import dataclasses
import math
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from toolkit.data import sources
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import bucketed_plan
from toolkit.data.strokes import embedded_writers, iam_ondb
from toolkit.data.strokes.arrays import read_arrays
from toolkit.data.strokes.inkml import read_inkml
from toolkit.data.strokes.lines import ALPHABET, FRACTION, Line
from toolkit.data.strokes.omniglot import read_omniglot
from toolkit.data.strokes.quickdraw import read_quickdraw
from toolkit.data.strokes.recordings import read_recordings
from toolkit.data.strokes.resampling import distance_between_points, resample
from toolkit.data.strokes.selection import select
from toolkit.data.strokes.sketch_rnn import read_sketch_rnn
from toolkit.files import binary, limits
from toolkit.lazy import tensorflow as tf

SPLITS = ("train", "validation", "test")


class Statistics(NamedTuple):
    """What is measured on training lines.

    Shapes:
        mean: (3,), mean offset in the data's unit; 0 for the third channel.
        scale: (3,), standard deviation in the data's unit; 1 for the third channel.
        points_per_character: Mean number of points in a character; 0 without text.
    """

    mean: np.ndarray
    scale: np.ndarray
    points_per_character: float


def load(
    source: str,
    *,
    batch_size: int,
    seed: int,
    text: bool,
    alphabet: str = ALPHABET,
    max_points: int = 600,
    max_characters: int = 64,
    spacing: float = 0.0,
    points_per_character: float = 0.0,
    points_per_label: int = 0,
    skip_corrupt: bool = False,
) -> Splits:
    """Reads handwriting.

    Args:
        source: "embedded", "embedded:LINES" or "embedded:LINES:WRITERS"; "iam:FOLDER", IAM-OnDB as published (see
            `read_iam_ondb`); "inkml:PATH", InkML files (see `read_inkml`), or "inkml_whole:PATH", whole sentences of
            them; "json:PATH", recordings (see `read_recordings`); "npy:FOLDER", NAME.npy of shape (points, 3) with
            NAME.txt beside it; and drawings without text: "omniglot:PATH", the published zip of strokes or its folder,
            "quickdraw:PATH", .ndjson files, and "sketch_rnn:PATH", .npz files.
        batch_size: Lines in a batch.
        seed: Decides the batches, what is held out of npy data, and the embedded writers.
        text: Whether texts are wanted.
        alphabet: Every character that a text may have. A few lines with others are left out, and counted.
        max_points: Longer lines are left out, and counted.
        max_characters: Longer texts are left out, and counted.
        spacing: Units between the points of a stroke, which is resampled along its way (see `resampling`); 0: as it
            was recorded.
        points_per_character: Points that a character of the training lines has on average: strokes are resampled at
            the distance that makes it so, in place of `spacing`; 0: as `spacing` says.
        points_per_label: Points that a network trained with CTC takes for each label it may give; lines with too few
            for their text are left out, and counted. 0: no matter.
        skip_corrupt: Whether to leave out files that cannot be read, and say so, instead of stopping.

    Returns:
        Splits of {"offsets": (batch, points, 3) float32, zeros at the end, in the source's unit; "mask": (batch,
        points) bool; with `text` also "text": (batch, characters) int32, Unicode code points, at least one zero at the
        end}.

    Raises:
        ValueError: Where the source is unknown or holds something else than said; file and line are named. Where more
            than a twentieth of the texts have characters outside the alphabet.
        FileNotFoundError: Where a path does not exist or a folder holds nothing to read.

    Example:

    >>> splits = load("embedded:40", batch_size=4, seed=0, text=True)
    >>> batch = splits.test.peek()
    >>> batch["offsets"].shape[-1], str(batch["text"].dtype)
    (3, 'int32')
    """
    splits = []
    distances = {"spacing": spacing, "points_per_character": points_per_character}
    parts = read(source, seed=seed, text=text, **distances, skip_corrupt=skip_corrupt)
    for name, part in zip(SPLITS, parts, strict=True):
        selected = select(
            part,
            name,
            source,
            alphabet=alphabet if text else None,
            max_points=max_points,
            max_characters=max_characters,
            points_per_label=points_per_label,
        )
        if selected.refusal:
            raise ValueError(selected.refusal)
        for note in selected.notes:
            print(note)
        splits.append(_batches(selected.kept, batch_size, seed, text, shuffle=name == "train"))
    return Splits(*splits)


def read(
    source: str,
    *,
    seed: int,
    text: bool,
    spacing: float = 0.0,
    points_per_character: float = 0.0,
    skip_corrupt: bool = False,
) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads handwriting as `load` does, before anything is left out.

    Args:
        source, seed, text, spacing, points_per_character, skip_corrupt: As in `load`, with its errors.

    Returns:
        Lines for training, validation and test.
    """
    reader, rest = sources.parse(source, READERS, _sniff)
    if not 0 <= spacing < math.inf:
        raise ValueError(f"spacing must be at least 0; got {spacing}.")
    if not 0 <= points_per_character < math.inf or points_per_character and (spacing or not text):
        raise ValueError(
            f"--points_per_character={points_per_character:g}: expected at least 0, of texts, without --spacing."
        )
    parts = READERS[reader](rest, seed, text, skip_corrupt)
    if points_per_character:
        spacing = distance_between_points(parts[0], points_per_character, source)
    return tuple(_resampled(parts, spacing, source)) if spacing else tuple(parts)


def _resampled(parts, spacing, source):
    taken = 0
    for part in parts:
        lines = []
        for line in part:
            lines.append(dataclasses.replace(line, offsets=resample(line.offsets, spacing)))
            taken += lines[-1].offsets.nbytes
            limits.check(taken, f"--data={source} with --spacing={spacing:g}", limits.GIB)
        yield lines


def statistics(batches: Batches) -> Statistics:
    """Measures a training set, for standardization and for the window's first speed.

    Args:
        batches: The training lines.

    Returns:
        `Statistics`.

    Example:

    >>> statistics(load("embedded:60", batch_size=8, seed=0, text=True).train).scale.shape
    (3,)
    """
    count, mean, squares, characters = 0, np.zeros(2), np.zeros(2), 0
    for batch in batches.dataset(num_epochs=1).as_numpy_iterator():
        points = batch["offsets"][batch["mask"]][:, :2].astype("float64")
        # Chan's sums of squares, batch by batch: all points at once would be the largest array of a run.
        count, before = count + len(points), count
        shift = points.mean(axis=0) - mean
        mean += shift * len(points) / count
        squares += points.var(axis=0) * len(points) + shift**2 * before * len(points) / count
        characters += int((batch.get("text", np.zeros(1)) > 0).sum())
    scale = np.maximum(np.sqrt(squares / count), 1e-6)
    return Statistics(
        np.array([*mean, 0.0], "float32"),
        np.array([*scale, 1.0], "float32"),
        count / characters if characters else 0.0,
    )


def lines_of(batches: Batches) -> Iterator[Line]:
    """Takes batches apart.

    Args:
        batches: Lines, as `load` gives them.

    Yields:
        Each line without its padding, by nobody in particular; its text is "" where there is none.

    Example:

    >>> test = load("embedded:60", batch_size=8, seed=0, text=True).test
    >>> [len(line.text) for line in lines_of(test)] == [(codes > 0).sum() for codes in test.peek()["text"]]
    True
    """
    for batch in batches.dataset(num_epochs=1).as_numpy_iterator():
        texts = batch.get("text", np.zeros((len(batch["mask"]), 0), "int32"))
        for offsets, mask, codes in zip(batch["offsets"], batch["mask"], texts, strict=True):
            yield Line(offsets[mask], "".join(map(chr, codes[codes > 0])))


def _embedded(rest, seed, text, skip_corrupt=False):
    numbers = (rest or "10000").split(":")
    plain = len(numbers) <= 2 and all(re.fullmatch("[0-9]{1,12}", number) for number in numbers)
    most = embedded_writers.MOST_LINES, embedded_writers.MOST_WRITERS
    if not plain or not all(
        low <= int(number) <= high for low, number, high in zip((20, 1), numbers, most, strict=False)
    ):
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected a number of lines, at least 20, and perhaps of writers, "
            f"at least 1: LINES:WRITERS, up to {most[0]:,}:{most[1]:,}."
        )
    how = {"num_writers": int(numbers[1])} if len(numbers) > 1 else {}
    lines = embedded_writers.written_lines(int(numbers[0]), seed, **how)
    held_out = max(1, int(len(lines) * FRACTION))
    test, validation, train = lines[:held_out], lines[held_out : 2 * held_out], lines[2 * held_out :]
    tested = {line.text for line in test}
    validation = [line for line in validation if line.text not in tested]
    seen = tested | {line.text for line in validation}
    return [line for line in train if line.text not in seen], validation, test


def _iam(rest, seed, text, skip_corrupt=False):
    return iam_ondb.read_iam_ondb(_path("iam", rest), text=text, skip_corrupt=skip_corrupt)


def _inkml(rest, seed, text, skip_corrupt=False):
    return read_inkml(_path("inkml", rest), seed=seed, text=text, skip_corrupt=skip_corrupt)


def _inkml_whole(rest, seed, text, skip_corrupt=False):
    return read_inkml(_path("inkml_whole", rest), seed=seed, text=text, whole=True, skip_corrupt=skip_corrupt)


def _omniglot(rest, seed, text, skip_corrupt=False):
    _refuse_text("omniglot", rest, text, "Omniglot's drawings are single characters")
    return read_omniglot(_path("omniglot", rest), skip_corrupt=skip_corrupt)


def _quickdraw(rest, seed, text, skip_corrupt=False):
    _refuse_text("quickdraw", rest, text, "QuickDraw's drawings are")
    return read_quickdraw(_path("quickdraw", rest), seed=seed, skip_corrupt=skip_corrupt)


def _sketch_rnn(rest, seed, text, skip_corrupt=False):
    _refuse_text("sketch_rnn", rest, text, "sketch-rnn's drawings are")
    return read_sketch_rnn(_path("sketch_rnn", rest), skip_corrupt=skip_corrupt)


def _json(rest, seed, text, skip_corrupt=False):
    return read_recordings(_path("json", rest), seed=seed, text=text, skip_corrupt=skip_corrupt)


def _npy(rest, seed, text, skip_corrupt=False):
    return read_arrays(_path("npy", rest), seed=seed, text=text, skip_corrupt=skip_corrupt)


_SUFFIXES = (
    ("npy", ".npy"),
    ("inkml", ".inkml"),
    ("quickdraw", ".ndjson"),
    ("sketch_rnn", ".npz"),
    ("json", ".json"),
)
READERS = {
    "embedded": _embedded,
    "iam": _iam,
    "inkml": _inkml,
    "inkml_whole": _inkml_whole,
    "omniglot": _omniglot,
    "quickdraw": _quickdraw,
    "sketch_rnn": _sketch_rnn,
    "json": _json,
    "npy": _npy,
}


def _refuse_text(reader, rest, text, which):
    if text:
        raise ValueError(f"--data={reader}:{rest[:200]}: {which} without text; they are for networks that read none.")


def _path(reader, rest):
    if not rest:
        raise ValueError(f"--data={reader}: its path is missing. Expected --data={reader}:PATH.")
    path = binary.expanded(rest)
    if not binary.exists(path):
        raise FileNotFoundError(f"--data={reader}:{rest[:200]}: no such file or folder.")
    if reader != "omniglot" and path.suffix == ".zip" and path.is_file():
        raise ValueError(f"--data={reader}:{rest} is a zip. Unpack it and name the folder.")
    return path


def _sniff(path):
    for reader, suffix in _SUFFIXES:
        if path.is_dir() and any(path.glob(f"*{suffix}")) or path.suffix == suffix != ".npy":
            return reader
    if path.is_dir() and iam_ondb.find(path, "lineStrokes"):
        return "iam"
    # No further down: the path may be a whole disk.
    if path.is_dir() and any(any(path.glob(f"{below}*.inkml")) for below in ("*/", "*/*/", "*/*/*/")):
        return "inkml"
    drawn = ("character*", "*/character*", "*/*/character*", "*/*/*/character*")
    if path.suffix == ".zip" or (path.is_dir() and any(any(path.glob(pattern)) for pattern in drawn)):
        return "omniglot"
    return None


def _batches(lines, batch_size, seed, text, shuffle):
    lengths = np.array([len(line.offsets) for line in lines])

    def read(indices):
        chosen = [lines[i] for i in indices]
        batch = {
            "offsets": np.zeros((len(chosen), max(lengths[indices]), 3), "float32"),
            "mask": np.arange(max(lengths[indices]))[None] < lengths[indices][:, None],
        }
        for row, line in zip(batch["offsets"], chosen, strict=True):
            row[: len(line.offsets)] = line.offsets
        if text:
            batch["text"] = np.zeros((len(chosen), max(len(line.text) for line in chosen) + 1), "int32")
            for row, line in zip(batch["text"], chosen, strict=True):
                row[: len(line.text)] = [ord(character) for character in line.text]
        return batch

    signature = {
        "offsets": tf.TensorSpec([None, None, 3], tf.float32),
        "mask": tf.TensorSpec([None, None], tf.bool),
    }
    if text:
        signature["text"] = tf.TensorSpec([None, None], tf.int32)
    plan = bucketed_plan(lengths, batch_size, seed=seed, shuffle=shuffle)
    return Batches(read, plan, signature, num_examples=len(lines))
