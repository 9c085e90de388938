"""The classes of a pool's images, as a person tells them: on a page in the browser, or in a file to fill in."""

import contextlib
import os
import pathlib
from typing import Any

import numpy as np

from toolkit.data.images.label_file import LabelFile
from toolkit.data.images.label_page import LabelPage
from toolkit.data.images.pool import UNKNOWN, Pool

WAYS = ("ask", "csv")


class Labelling:
    """Asks a person for labels, and keeps each answer in a file as soon as it is given.

    Args:
        pool: The images.
        folder: Where each round has a folder of its own, with the pictures and labels.csv.
        way: "ask": a page at 127.0.0.1, whose address is printed; "csv": labels.csv is written with empty labels, and
            a `ValueError` says so until they are filled in.
        port: Of the page; 0: one that is free.

    Raises:
        ValueError: Where there is no such way.
    """

    def __init__(self, pool: Pool, folder: str | os.PathLike, way: str, *, port: int = 0) -> None:
        if way not in WAYS:
            raise ValueError(f"way={way!r}: expected one of {', '.join(WAYS)}.")
        self._pool, self._folder, self._way, self._port = pool, pathlib.Path(folder), way, port
        self._open = contextlib.ExitStack()
        self._page: LabelPage | None = None

    def __enter__(self) -> "Labelling":
        """Is itself."""
        return self

    def __exit__(self, *_: Any) -> None:
        """Closes the page."""
        self._open.close()

    def __call__(self, rows: np.ndarray, number: int) -> np.ndarray:
        """Asks for what is not known yet.

        Args:
            rows: (n,), numbers of images in the pool.
            number: Of the round.

        Returns:
            int32 (n,), the labels. Where the pool has images without labels, those of the others are known.

        Raises:
            ValueError: Where a label is missing in the file, or one is none; file and line are named.
        """
        rows = np.asarray(rows)
        found = self._pool.labels[rows] if self._pool.unlabelled else np.full(len(rows), UNKNOWN, "int32")
        asked = rows[found == UNKNOWN]
        if len(asked):
            file = LabelFile(self._folder / f"round_{number}", asked, self._pool.images.class_names)
            file.begin(self._pool.shown(asked))
            if self._way == "ask":
                self._ask(file, asked, number)
            found[found == UNKNOWN] = file.complete()
        return found

    def _ask(self, file, rows, number):
        told = file.read()
        if len(told) == len(rows):
            return
        if self._page is None:
            self._page = self._open.enter_context(LabelPage(self._pool.images.class_names, self._port))

        def keep(place, label):
            told[int(rows[place])] = label
            file.write(told)

        print(f"  round {number}: {len(rows) - len(told)} images to be labelled at {self._page.address}", flush=True)
        known = [told.get(int(row)) for row in rows]
        self._page.ask(self._pool.shown(rows), known, keep, f"Round {number}")
