"""XML files by their elements: without document types, so that no entity is ever defined or looked up."""

import os
from collections.abc import Callable
from xml.parsers import expat

from toolkit.files import binary, limits


def parse(
    path: str | os.PathLike,
    expected: str,
    *,
    start: Callable[[str, dict[str, str], int], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    bound: int = 64 * limits.MIB,
) -> None:
    """Reads an XML file, and calls back for each element.

    A document type declaration is refused, and with it every entity definition: those that expand without end and
    those that read other files are never evaluated.

    Args:
        path: The file.
        expected: What it should hold, for messages.
        start: Is given each element's name, attributes and line where it begins. A ValueError of any of these three is
            raised with the file and the line.
        end: Is given each element's name where it ends.
        text: Is given the characters between, in pieces.
        bound: Bytes that such a file may have.

    Raises:
        ValueError: Where the file is damaged, larger, or has a document type; it and the line are named.
        FileNotFoundError: Where nothing is there.
        OSError: Where the system refuses.

    Example:

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".xml") as file:
    ...     _ = file.write(b"<ink><trace>1 2</trace></ink>"), file.flush()
    ...     parse(file.name, "ink", start=lambda name, attributes, line: print(name, line), text=print)
    ink 1
    trace 1
    1 2
    """

    def doctype(*_):
        raise ValueError("a document type (<!DOCTYPE) is refused: it may define entities, of which none is needed.")

    content = binary.read(path, expected, bound=bound)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = lambda name, attributes: start(name, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        # All at once: by small pieces, expat looks at one huge attribute or comment again with each of them.
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(f"{path}, line {error.lineno}: not whole XML ({expat.ErrorString(error.code)}).") from error
    except (LookupError, ValueError) as error:  # a LookupError is an unknown encoding
        raise ValueError(f"{path}, line {parser.CurrentLineNumber}: {error}") from None
    finally:
        parser.StartElementHandler = None  # which knows the parser: a circle that would keep the content
