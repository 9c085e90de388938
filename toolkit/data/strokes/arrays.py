"""One's own handwriting: arrays of offsets in a folder, each with its text beside it."""

import pathlib

import numpy as np

from toolkit.data.splitting import split
from toolkit.data.strokes.lines import FRACTION, Line, check_offsets


def read_arrays(folder: pathlib.Path, *, seed: int, text: bool) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads NAME.npy of shape (points, 3), with NAME.txt beside it where texts are wanted.

    Args:
        folder: Where the files are.
        seed: Decides which lines are held out.
        text: Whether texts are wanted.

    Returns:
        Lines for training, validation and test.

    Raises:
        ValueError: Where a file is no array of a pen's offsets, a text is missing or empty, or there are fewer than 3
            lines; the file is named.
        FileNotFoundError: Where the folder holds no array.
    """
    if not folder.is_dir():
        raise ValueError(f"--data=npy:{folder} is a file. Expected a folder of NAME.npy (points, 3).")
    arrays, texts = sorted(folder.glob("*.npy")), {path.stem: path for path in folder.glob("*.txt")}
    if not arrays:
        raise FileNotFoundError(f"--data=npy:{folder}: the folder holds no .npy file. Expected NAME.npy (points, 3).")
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
            f"--data=npy:{folder}: {len(lines)} lines; at least 3 are needed, for train, validation and test."
        )
    train, test, validation = ([lines[i] for i in part] for part in split(len(lines), [FRACTION] * 2, seed=seed))
    return train, validation, test


def _decode(content, where):
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not UTF-8 text ({error}).") from error
