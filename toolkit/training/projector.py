"""Vectors for TensorBoard's Projector, which shows them in two or three dimensions."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.files.writing import write_text

CONFIG = "projector_config.pbtxt"


def write(folder: pathlib.Path, name: str, vectors: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes vectors beside those that are there.

    Args:
        folder: A log folder, made where it is not there.
        name: Of the vectors: letters, digits, - and _.
        vectors: (vectors, channels).
        rows: What is known of each vector, all by the same names, two at least.

    Raises:
        ValueError: Where there is not one row for each vector, or rows of unlike or fewer names.
    """
    columns = list(rows[0]) if rows else []
    if len(rows) != len(vectors) or len(columns) < 2 or any(list(row) != columns for row in rows):
        raise ValueError(
            f"{name}: expected one row of two names or more, the same in all, for each of {len(vectors)} vectors; got "
            f"{len(rows)} rows, the first of {columns}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(f"{value:.7g}" for value in vector) for vector in vectors]
    write_text(folder / f"{name}.tsv", "\n".join(lines) + "\n")
    cells = [columns, *(list(row.values()) for row in rows)]
    told = ["\t".join(" ".join(str(cell).split()) for cell in line) for line in cells]
    write_text(folder / f"{name}_rows.tsv", "\n".join(told) + "\n")
    names = sorted(path.stem for path in folder.glob("*.tsv") if not path.stem.endswith("_rows"))
    entry = 'embeddings {{\n  tensor_name: "{0}"\n  tensor_path: "{0}.tsv"\n  metadata_path: "{0}_rows.tsv"\n}}\n'
    write_text(folder / CONFIG, "".join(entry.format(each) for each in names))
