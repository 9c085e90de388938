"""Lines of handwriting that nobody has split: some writers are held out, or where these are not known some lines."""

from collections.abc import Sequence

from toolkit.data.splitting import split
from toolkit.data.strokes.lines import FRACTION, Line


def held_out(lines: Sequence[Line], source: str, *, seed: int) -> tuple[list[Line], list[Line], list[Line]]:
    """Holds out a twentieth for validation and another for the test, each at least one.

    Args:
        lines: All of them. Where each has a writer, of three or more, these are held out, with all their lines.
        source: Where they come from, for the message.
        seed: Decides which.

    Returns:
        Lines for training, validation and test.

    Raises:
        ValueError: Where there are fewer than 3 lines.

    Example:

    >>> lines = [Line(None, writer=f"{number % 4}") for number in range(80)]
    >>> [len(part) for part in held_out(lines, "npy:x", seed=0)]
    [40, 20, 20]
    """
    if len(lines) < 3:
        raise ValueError(f"{source}: {len(lines)} lines; at least 3 are needed, for train, validation and test.")
    writers = sorted({line.writer for line in lines})
    if "" in writers or len(writers) < 3:
        train, test, validation = ([lines[i] for i in part] for part in split(len(lines), [FRACTION] * 2, seed=seed))
        return train, validation, test
    of_writer = {writer: [] for writer in writers}
    for line in lines:
        of_writer[line.writer].append(line)
    rows = split(len(writers), [FRACTION] * 2, seed=seed)
    train, test, validation = ([line for i in part for line in of_writer[writers[i]]] for part in rows)
    return train, validation, test
