"""One's own handwriting: arrays of offsets in a folder, each with its text beside it."""

import pathlib

import numpy as np

from toolkit.data.strokes.holding_out import held_out
from toolkit.data.strokes.lines import MOST_POINTS, Line, check_offsets
from toolkit.data.strokes.pen_flags import ends_marked
from toolkit.data.strokes.skipping import read_each
from toolkit.files import arrays, limits
from toolkit.files import text as texts_of_files

_EXPECTED = "a NumPy array of numbers (points, 3)"


def read_offsets(path: pathlib.Path) -> np.ndarray:
    """Reads an array that may be a pen's offsets; `check_offsets` says whether it is.

    Args:
        path: The `.npy`.

    Returns:
        What it holds, of at most a million points.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is no array, or larger; it is named.
        OSError: Where the system refuses.
    """
    return arrays.read(path, _EXPECTED, bound=3 * 8 * MOST_POINTS)


def read_arrays(
    folder: pathlib.Path, *, seed: int, text: bool, skip_corrupt: bool = False
) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads NAME.npy of shape (points, 3), with NAME.txt beside it where texts are wanted.

    Args:
        folder: Where the files are.
        seed: Decides which lines are held out.
        text: Whether texts are wanted.
        skip_corrupt: Whether to leave out files that cannot be read, instead of stopping.

    Returns:
        Lines for training, validation and test.

    Raises:
        ValueError: Where a file is no array of a pen's offsets, a text is missing or empty, or there are fewer than 3
            lines; the file is named.
        FileNotFoundError: Where the folder holds no array.
        OSError: Where the system refuses.
    """
    source = f"--data=npy:{folder}"
    if not folder.is_dir():
        raise ValueError(f"{source} is a file. Expected a folder of NAME.npy (points, 3).")
    paths, texts = _named(folder, "*.npy"), {path.stem: path for path in _named(folder, "*.txt")}
    if not paths:
        raise FileNotFoundError(f"{source}: the folder holds no .npy file. Expected NAME.npy (points, 3).")
    if text:
        without = [path.name for path in paths if path.stem not in texts]
        alone = sorted(set(texts) - {path.stem for path in paths})
        if without:
            raise ValueError(f"{source}: {len(without)} .npy without their .txt, such as {without[0]}.")
        if alone:
            raise ValueError(f"{source}: {len(alone)} .txt without their .npy, such as {alone[0]}.txt.")

    def line_of(path_and_offsets):
        path, offsets = path_and_offsets
        check_offsets(offsets, str(path))
        return Line(offsets.astype("float32"), _text_of(texts[path.stem]) if text else "", name=path.name)

    how = {"source": source, "skip_corrupt": skip_corrupt}
    read = read_each(paths, lambda path: (path, read_offsets(path)), **how)
    turned, told = ends_marked([offsets for _, offsets in read], str(folder))
    if told:
        print(told)
    lines = read_each(zip([path for path, _ in read], turned, strict=True), line_of, **how)
    return held_out(lines, source, seed=seed)


def _named(folder, pattern):
    """Not the hidden ones: macOS puts a ._NAME.npy beside each NAME.npy."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def _text_of(path):
    words = texts_of_files.read(path, f"what is written in {path.stem}.npy", bound=limits.MIB).strip()
    if not words:
        raise ValueError(f"{path}: the text is empty.")
    return words
