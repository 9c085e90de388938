"""Images to be labelled by a person, in a folder: a picture for each, and a CSV in which their classes are written."""

import csv
import io
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.files import text
from toolkit.files.names import printable
from toolkit.files.writing import write_text, write_whole

COLUMNS = ("image", "label")
_LISTED = 5  # of what is wrong, the first


class LabelFile:
    """A folder with PNGs named by the images' numbers in a pool, and labels.csv, one line for each: image, label.

    Nothing that stands in labels.csv is overwritten but by `write`. Spreadsheets may save it with semicolons or tabs,
    with or without a byte order mark, lines in any order.

    Args:
        folder: The folder, which is made.
        rows: (n,), the images' numbers in the pool.
        class_names: What a label may be.

    Attributes:
        path: Of labels.csv.

    Example:

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = LabelFile(folder.name, [12, 7], ["cat", "dog"])
    >>> file.begin(np.zeros((2, 4, 4, 3), "uint8"))
    >>> file.write({12: 1})
    >>> print(file.path.read_text())
    image,label
    12.png,dog
    7.png,
    <BLANKLINE>
    >>> file.read()
    {12: 1}
    >>> folder.cleanup()
    """

    def __init__(self, folder: str | os.PathLike, rows: Sequence[int], class_names: Sequence[str]) -> None:
        self._folder, self._rows = pathlib.Path(folder), [int(row) for row in rows]
        self._names = list(class_names)
        self.path = self._folder / "labels.csv"

    def begin(self, images: np.ndarray) -> None:
        """Writes the pictures, and a file without labels where there is none.

        Args:
            images: uint8 (n, height, width, 1 or 3), in the order of the rows.
        """
        from PIL import Image

        self._folder.mkdir(parents=True, exist_ok=True)
        for row, image in zip(self._rows, images, strict=True):
            path = self._folder / f"{row}.png"
            if not path.exists():
                picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
                write_whole(path, lambda file, picture=picture: picture.save(file, format="png"))
        if not os.path.lexists(self.path):
            self.write({})

    def write(self, labels: Mapping[int, int]) -> None:
        """Writes labels.csv, whole.

        Args:
            labels: Class numbers by the images' numbers; the others' labels stay empty.
        """
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([f"{row}.png", self._names[labels[row]] if row in labels else ""] for row in self._rows)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text(self.path, lines.getvalue())

    def read(self) -> dict[int, int]:
        """Reads what has been filled in so far.

        Returns:
            Class numbers by the images' numbers.

        Raises:
            ValueError: Where a line names another image, one twice, or no class; file and line are named.
            OSError: Where the file cannot be read.
        """
        if not os.path.lexists(self.path):
            return {}
        content = text.read(self.path, "a CSV of labels")
        header = content.split("\n", 1)[0]
        delimiter = next((sign for sign in ",;\t" if sign in header), ",")
        found: dict[int, int] = {}
        seen: dict[int, int] = {}
        by_name = {f"{row}.png": row for row in self._rows}
        if tuple(cell.strip().lower() for cell in header.split(delimiter)) != COLUMNS:
            raise self._wrong(1, f"expected the columns {', '.join(COLUMNS)}; found {_quoted(header)}")
        lines = csv.reader(io.StringIO(content), delimiter=delimiter, strict=True)
        try:
            for cells in lines:
                cells, line = [cell.strip() for cell in cells], lines.line_num
                if line > 1 and any(cells):
                    row, label = self._row(line, cells, by_name)
                    if row in seen:
                        raise self._wrong(line, f"{row}.png stands in line {seen[row]} already")
                    seen[row] = line
                    if label is not None:
                        found[row] = label
        except csv.Error as error:
            raise self._wrong(lines.line_num, f"no CSV: {error}") from error
        return found

    def _row(self, line, cells, by_name):
        if len(cells) != len(COLUMNS):
            raise self._wrong(line, f"expected two columns, image and label; found {len(cells)}")
        name, label = cells
        if name not in by_name:
            raise self._wrong(line, f"{_quoted(name)} is no image that is asked for; expected {_listed(by_name)}")
        if label and label not in self._names:
            raise self._wrong(line, f"{_quoted(label)} is no class; expected one of {_listed(self._names)}")
        return by_name[name], self._names.index(label) if label else None

    def complete(self) -> np.ndarray:
        """Reads the labels of all images.

        Returns:
            int32 (n,), in the order of the rows.

        Raises:
            ValueError: Where a label is missing, too; the images and the file are named.
        """
        found = self.read()
        missing = [f"{row}.png" for row in self._rows if row not in found]
        if missing:
            raise ValueError(
                f"{self.path}: {len(missing)} of {len(self._rows)} images have no label yet: {_listed(missing)}. The "
                f"pictures lie beside it; write each one's class, {_listed(self._names)}, into the column `label`, and "
                "give the same command again."
            )
        return np.array([found[row] for row in self._rows], "int32")

    def _wrong(self, line, told):
        return ValueError(f"{self.path}, line {line}: {told}.")


def _quoted(name):
    return repr(printable(name[:60]))


def _listed(names):
    names = [printable(str(name)[:60]) for name in names]
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
