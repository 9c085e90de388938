"""InkML, the W3C's format of digital ink: files of traces in groups, with what is written in annotations."""

import pathlib
import re

from toolkit.data.strokes.holding_out import held_out
from toolkit.data.strokes.inkml_document import read_document
from toolkit.data.strokes.lines import Line
from toolkit.data.strokes.skipping import read_each
from toolkit.files.names import visible

# A letter after a folder's number is one more session of the same writer: writer3, writer3b.
_SESSION = re.compile(r"(?<=\d)[a-z]\Z", re.ASCII)


def read_inkml(
    path: pathlib.Path, *, seed: int, text: bool, whole: bool = False, skip_corrupt: bool = False
) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads InkML files; writers are held out where there are three or more.

    A line is what a group with a transcript holds, in the file's own units. A transcript is what an annotation of the
    type truth, transcription, label or the like says, or an element of such a name in an annotationXML. Canvases'
    transformations are not applied.

    Args:
        path: A file, or a folder of `.inkml` files, in folders below too.
        seed: Decides which writers or lines are held out.
        text: Whether texts are wanted.
        whole: Whether to take whole sentences or formulas, not the words or symbols in them that have transcripts too.
        skip_corrupt: Whether to leave out files that cannot be read, instead of stopping.

    Returns:
        Lines for training, validation and test; a line's writer is the one that the file names, or its folder.

    Raises:
        ValueError: Where a file is damaged or has no transcript, or there are fewer than 3 lines; file and line are
            named.
        FileNotFoundError: Where the folder holds no such file.
        OSError: Where the system refuses.

    Reference: W3C, Ink Markup Language (InkML), 2011.
    """
    source = f"--data=inkml:{path}"
    paths = visible(path, ".inkml") if path.is_dir() else [path]
    if not paths:
        raise FileNotFoundError(f"{source}: the folder holds no .inkml file, nor do those below it.")

    def lines_of(path_of_one):
        ink = read_document(path_of_one, whole=whole)
        if text and not ink.pieces[0][1]:
            raise ValueError(
                f'{path_of_one}: no transcript; expected an <annotation type="truth"> or the like, in the ink or in '
                "its groups."
            )
        name = path_of_one.relative_to(path).as_posix() if path.is_dir() else path.name
        writer = ink.writer or _SESSION.sub("", pathlib.PurePath(name).parent.name)
        lines = [Line(offsets, words, writer, f"{name}, line {number}") for number, words, offsets in ink.pieces]
        return lines, ink.num_others

    read = read_each(paths, lines_of, source=source, skip_corrupt=skip_corrupt)
    others = [count for _, count in read if count]
    if others:
        print(f"{source}: {sum(others)} traces of {len(others)} files left out: in no group that has a transcript.")
    return held_out([line for lines, _ in read for line in lines], source, seed=seed)
