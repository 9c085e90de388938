"""How a text is cut into words."""

from collections.abc import Iterable, Iterator
from typing import Any

END_OF_LINE = "<eos>"
_LONGEST = 1 << 20  # characters of what may pass for a word: beyond it is no text


def whole_words(texts: Iterable[Any], where: str = "The text") -> Iterator[Any]:
    """Cuts a text that comes in pieces anew, after white space only.

    Args:
        texts: The pieces, in order, of strings or of bytes.
        where: What they are of, for the message.

    Yields:
        The same text in other pieces; the last one may be empty.

    Raises:
        ValueError: Where a stretch of more than a million characters has no white space.

    Example:

    >>> list(whole_words(["a c", "at\\na hat"]))
    ['a ', 'cat\\na ', 'hat']
    """
    rest, length = [], 0
    for text in texts:
        tail = text.rsplit(None, 1)[-1:]
        end = len(text) if not tail or text[-1:].isspace() else len(text) - len(tail[0])
        if end:
            yield text[:0].join([*rest, text[:end]])
            rest, length = [], 0
        rest.append(text[end:])
        length += len(text) - end
        if length > _LONGEST:
            raise ValueError(
                f"{where} has more than {_LONGEST:,} characters without white space, which are no word. Read it with "
                "--level=char or --level=byte."
            )
    if rest:
        yield rest[0][:0].join(rest)


def split_words(texts: Iterable[str]) -> Iterator[list[str]]:
    """Cuts a text that comes in pieces at its white space; the end of each line is a word of its own.

    Args:
        texts: The pieces, in order; a word that goes on from one to the next is put together.

    Yields:
        Lists of words.

    Raises:
        ValueError: As `whole_words` does.

    Example:

    >>> list(split_words(["a c", "at\\na hat"]))
    [['a'], ['cat', '<eos>', 'a'], ['hat']]
    """
    for text in whole_words(texts):
        yield text.replace("\n", f" {END_OF_LINE} ").split()
