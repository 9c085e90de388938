"""Recordings of one's own hand: lines in JSON, as the page that records saves them."""

import pathlib

from toolkit.data.strokes.files import read_lines
from toolkit.data.strokes.holding_out import held_out
from toolkit.data.strokes.lines import Line
from toolkit.data.strokes.skipping import read_each
from toolkit.files.names import visible


def read_recordings(
    path: pathlib.Path, *, seed: int, text: bool, skip_corrupt: bool = False
) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads recordings; writers are held out where there are three or more.

    Args:
        path: A `.json` as `data.strokes.files.read_lines` takes it, or a folder of them, in folders below too.
        seed: Decides which lines or writers are held out.
        text: Whether texts are wanted.
        skip_corrupt: Whether to leave out files that cannot be read, instead of stopping.

    Returns:
        Lines for training, validation and test.

    Raises:
        ValueError: Where a file is damaged or a line has no text, or there are fewer than 3 lines; file and line are
            named.
        FileNotFoundError: Where the folder holds no such file.
        OSError: Where the system refuses.
    """
    source = f"--data=json:{path}"
    paths = visible(path, ".json") if path.is_dir() else [path]
    if not paths:
        raise FileNotFoundError(f"{source}: the folder holds no .json file, nor do those below it.")

    def lines_of(path_of_one):
        lines = read_lines(path_of_one)
        without = [line.name for line in lines if not line.text]
        if text and without:
            raise ValueError(f"{path_of_one}: {len(without)} lines without text, such as {without[0]}.")
        return lines

    read = read_each(paths, lines_of, source=source, skip_corrupt=skip_corrupt)
    return held_out([line for lines in read for line in lines], source, seed=seed)
