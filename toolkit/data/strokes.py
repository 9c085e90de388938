"""Handwriting as pen offsets, with or without its text: embedded writers, IAM-OnDB, Omniglot, one's own arrays."""

import dataclasses
import pathlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.data import embedded_writers, iam_ondb, sources
from toolkit.data.embedded_writers import ALPHABET, Line
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import bucketed_plan
from toolkit.data.resampling import resample
from toolkit.data.stroke_selection import select
from toolkit.lazy import tensorflow as tf

SPLITS = ("train", "validation", "test")
# A jump this many times as long as a file's median offset is no pen's.
HUGE = 300.0
# A pen goes to and fro: 50 or more real offsets add up to at most 0.65 of their lengths; positions, to nearly all.
_ONE_WAY = 0.8, 50
_FRACTION = 0.05  # of the lines, for validation and for the test each


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
) -> Splits:
    """Reads handwriting.

    Args:
        source: "embedded", "embedded:LINES" or "embedded:LINES:WRITERS"; "iam:FOLDER", IAM-OnDB as published (see
            `iam_ondb.read`); "omniglot:PATH", the published zip of strokes or its folder; "npy:FOLDER", NAME.npy of
            shape (points, 3) with NAME.txt beside it.
        batch_size: Lines in a batch.
        seed: Decides the batches, what is held out of npy data, and the embedded writers.
        text: Whether texts are wanted.
        alphabet: Every character that a text may have. A few lines with others are left out, and counted.
        max_points: Longer lines are left out, and counted.
        max_characters: Longer texts are left out, and counted.
        spacing: Units between the points of a stroke, which is resampled along its way (see `resampling`); 0: as it
            was recorded.

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
    for name, part in zip(SPLITS, read(source, seed=seed, text=text, spacing=spacing), strict=True):
        selected = select(
            part,
            name,
            source,
            alphabet=alphabet if text else None,
            max_points=max_points,
            max_characters=max_characters,
        )
        if selected.refusal:
            raise ValueError(selected.refusal)
        for note in selected.notes:
            print(note)
        splits.append(_batches(selected.kept, batch_size, seed, text, shuffle=name == "train"))
    return Splits(*splits)


def read(source: str, *, seed: int, text: bool, spacing: float = 0.0) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads handwriting as `load` does, before anything is left out.

    Args:
        source, seed, text, spacing: As in `load`, with its errors.

    Returns:
        Lines for training, validation and test.
    """
    reader, rest = sources.parse(source, READERS, _sniff)
    if spacing < 0:
        raise ValueError(f"spacing must be at least 0; got {spacing}.")
    parts = READERS[reader](rest, seed, text)
    if spacing:
        parts = [
            [dataclasses.replace(line, offsets=resample(line.offsets, spacing)) for line in part] for part in parts
        ]
    return tuple(parts)


def chosen(settings: Any, *, text: bool) -> dict[str, Any]:
    """What a recipe's settings say of the lines to read.

    Args:
        settings: Has `data`, `batch_size`, `seed`, `max_points` and `spacing`; with `text` also `alphabet` and
            `max_characters`.
        text: Whether texts are wanted.

    Returns:
        The arguments of `load` and of `stroke_report.examine`.
    """
    names = ("batch_size", "seed", "max_points", "spacing", *(("alphabet", "max_characters") if text else ()))
    return {"source": settings.data, "text": text, **{name: getattr(settings, name) for name in names}}


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


def from_strokes(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Pen strokes as offsets.

    Args:
        strokes: For each stroke the pen's positions (points, 2), y growing downward.

    Returns:
        float32 (points, 3): offsets, the first one zero, and 1 on each stroke's last point.

    Example:

    >>> from_strokes([np.array([[0, 0], [2, 1]]), np.array([[5, 5]])]).tolist()
    [[0.0, 0.0, 0.0], [2.0, 1.0, 1.0], [3.0, 4.0, 1.0]]
    """
    points = np.concatenate([np.asarray(stroke, "float64") for stroke in strokes])
    ends = np.zeros((len(points), 1))
    ends[np.cumsum([len(stroke) for stroke in strokes]) - 1] = 1.0
    return np.concatenate([np.diff(points, axis=0, prepend=points[:1]), ends], axis=1).astype("float32")


def to_strokes(offsets: np.ndarray) -> list[np.ndarray]:
    """Offsets as pen strokes, the first point's offset taken from zero.

    Args:
        offsets: (points, 3).

    Returns:
        For each stroke the pen's positions (points, 2).

    Example:

    >>> [stroke.tolist() for stroke in to_strokes(np.array([[0, 0, 0], [2, 1, 1], [3, 4, 1]]))]
    [[[0.0, 0.0], [2.0, 1.0]], [[5.0, 5.0]]]
    """
    positions = np.cumsum(np.asarray(offsets, "float64")[:, :2], axis=0)
    ends = np.flatnonzero(np.asarray(offsets)[:, 2] > 0.5) + 1
    return [part for part in np.split(positions, ends) if len(part)]


def check_offsets(offsets: np.ndarray, where: str) -> None:
    """Says clearly why an array is no pen's.

    Args:
        offsets: What was read.
        where: Its file, for the message.

    Raises:
        ValueError: Where it is not (points, 3), not finite, jumps, goes one way only as positions do, or its third
            column is not 0 and 1.
    """
    if offsets.ndim != 2 or offsets.shape[1] != 3 or not len(offsets) or offsets.dtype.kind not in "fiu":
        raise ValueError(f"{where}: expected numbers of shape (points, 3); got {offsets.dtype} {offsets.shape}.")
    bad = np.flatnonzero(~np.isfinite(offsets).all(axis=1))
    if len(bad):
        raise ValueError(f"{where}: point {bad[0]} is not finite: {offsets[bad[0]].tolist()}.")
    flags = np.flatnonzero(~np.isin(offsets[:, 2], (0, 1)))
    if len(flags):
        raise ValueError(
            f"{where}: point {flags[0]}: the third column is 1 where a stroke ends and 0 elsewhere; got "
            f"{offsets[flags[0], 2]}."
        )
    lengths = np.hypot(*offsets[1:, :2].astype("float64").T)
    moved = lengths[lengths > 0]
    if len(moved) and moved.max() > HUGE * np.median(moved):
        raise ValueError(
            f"{where}: point {lengths.argmax() + 1} jumps {moved.max():.4g}, {moved.max() / np.median(moved):.0f} "
            "times the median offset. Is it broken, or are these positions instead of offsets?"
        )
    one_way, least = _ONE_WAY
    if len(lengths) >= least and np.hypot(*offsets[1:, :2].sum(axis=0, dtype="float64")) > one_way * lengths.sum():
        raise ValueError(
            f"{where}: the {len(offsets)} offsets go one way, as no pen does. Are these positions instead of offsets?"
        )


def _embedded(rest, seed, text):
    numbers = (rest or "10000").split(":")
    if len(numbers) > 2 or not all(number.isdecimal() for number in numbers) or int(numbers[0]) < 20:
        raise ValueError(
            f"--data=embedded:{rest}: expected a number of lines, at least 20, and of writers: LINES:WRITERS."
        )
    how = {"num_writers": int(numbers[1])} if len(numbers) > 1 else {}
    lines = embedded_writers.lines(int(numbers[0]), seed, **how)
    held_out = max(1, int(len(lines) * _FRACTION))
    test, validation, train = lines[:held_out], lines[held_out : 2 * held_out], lines[2 * held_out :]
    tested = {line.text for line in test}
    validation = [line for line in validation if line.text not in tested]
    seen = tested | {line.text for line in validation}
    return [line for line in train if line.text not in seen], validation, test


def _omniglot(rest, seed, text):
    if text:
        raise ValueError(
            f"--data=omniglot:{rest}: Omniglot's drawings are single characters without text; they are for "
            "handwriting_prediction."
        )
    parts = ([], [], [])
    for name, content in _omniglot_files(_path("omniglot", rest)):
        drawer = int(re.search(r"_(\d+)\.txt$", name).group(1))
        line = Line(
            _omniglot_drawing(_decode(content, name), name), writer=f"drawer {drawer}", name=name.split("/")[-1]
        )
        # Each character was drawn by the same twenty people: hold out people, so that every character is in each split.
        parts[0 if drawer <= 16 else 1 if drawer <= 18 else 2].append(line)
    return parts


def _omniglot_files(path) -> Iterator[tuple[str, bytes]]:
    pattern = re.compile(r"(?:^|/)\d+_\d+\.txt$")
    if path.is_dir():
        names = sorted(file for file in path.rglob("*.txt") if pattern.search(file.name))
        contents: Iterable = ((str(name), name.read_bytes()) for name in names)
    else:
        try:
            archive = zipfile.ZipFile(path)
            damaged = archive.testzip()
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise ValueError(f"{path} is not a whole zip file ({error}). Fetch it again.") from error
        if damaged:
            raise ValueError(f"{path}: {damaged} in it is damaged. Fetch it again.")
        names = sorted(name for name in archive.namelist() if pattern.search(name))
        contents = ((f"{path}: {name}", archive.read(name)) for name in names)
    if not names:
        raise FileNotFoundError(
            f"--data=omniglot:{path} holds no drawings (ALPHABET/characterNN/NNNN_NN.txt). Expected the published "
            "strokes, such as strokes_background_small1.zip, not the images."
        )
    return iter(contents)


def _omniglot_drawing(content, where, step=4.0):
    """Strokes 'x,y,milliseconds' between START and BREAK lines, on a canvas of 105 units with y growing upward."""
    strokes, points = [], []
    for number, row in enumerate(content.split("\n"), 1):
        row = row.strip()
        if row == "BREAK":
            strokes.append(points)
            points = []
        elif row and row != "START":
            try:
                x, y, _ = map(float, row.split(","))
                if not (abs(x) < 1000 and abs(y) < 1000):
                    raise ValueError("off the canvas, or NaN")
            except ValueError:
                raise ValueError(
                    f"{where}, line {number}: expected 'x,y,time' on a canvas of 105, START or BREAK; got {row!r}."
                ) from None
            points.append((x, -y))
    strokes = [np.array(stroke) for stroke in [*strokes, points] if stroke]
    if not strokes:
        raise ValueError(f"{where}: an empty drawing: no point between START and BREAK.")
    # The tablet's points are 0.8 units apart and follow its clock; every `step` units is how Graves' data looks.
    offsets = from_strokes([embedded_writers.sample_stroke(stroke, step) for stroke in strokes])
    check_offsets(offsets, where)
    return offsets


def _npy(rest, seed, text):
    folder = _path("npy", rest)
    if not folder.is_dir():
        raise ValueError(f"--data=npy:{rest} is a file. Expected a folder of NAME.npy (points, 3).")
    arrays, texts = sorted(folder.glob("*.npy")), {path.stem: path for path in folder.glob("*.txt")}
    if not arrays:
        raise FileNotFoundError(f"--data=npy:{rest}: the folder holds no .npy file. Expected NAME.npy (points, 3).")
    if text:
        without = [path.name for path in arrays if path.stem not in texts]
        alone = sorted(set(texts) - {path.stem for path in arrays})
        if without:
            raise ValueError(f"{folder}: {len(without)} .npy without their .txt, such as {without[0]}.")
        if alone:
            raise ValueError(f"{folder}: {len(alone)} .txt without their .npy, such as {alone[0]}.txt.")
    lines = []
    for path in arrays:
        with open(path, "rb") as file:
            try:
                offsets = np.lib.format.read_array(file, allow_pickle=False)
            except Exception as error:  # damaged headers fail in many ways
                raise ValueError(f"{path} is not a NumPy array of numbers ({error}).") from error
        check_offsets(offsets, str(path))
        words = _decode(texts[path.stem].read_bytes(), texts[path.stem]).strip() if text else ""
        if text and not words:
            raise ValueError(f"{texts[path.stem]}: the text is empty.")
        lines.append(Line(offsets.astype("float32"), words, name=path.name))
    if len(lines) < 3:
        raise ValueError(
            f"--data=npy:{rest}: {len(lines)} lines; at least 3 are needed, for train, validation and test."
        )
    lines = [lines[i] for i in np.random.default_rng(seed).permutation(len(lines))]
    held_out = max(1, int(len(lines) * _FRACTION))
    return lines[2 * held_out :], lines[held_out : 2 * held_out], lines[:held_out]


def _iam(rest, seed, text):
    return iam_ondb.read(_path("iam", rest), text=text)


READERS = {"embedded": _embedded, "iam": _iam, "omniglot": _omniglot, "npy": _npy}


def _path(reader, rest):
    path = pathlib.Path(rest).expanduser()
    if not rest:
        raise ValueError(f"--data={reader}: its path is missing. Expected --data={reader}:PATH.")
    if not path.exists():
        raise FileNotFoundError(f"--data={reader}:{rest}: no such file or folder.")
    return path


def _decode(content, where):
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not UTF-8 text ({error}).") from error


def _sniff(path):
    if path.is_dir() and any(path.glob("*.npy")):
        return "npy"
    if path.is_dir() and iam_ondb.find(path, "lineStrokes"):
        return "iam"
    if path.suffix == ".zip" or (path.is_dir() and any(path.glob("**/character*"))):
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
