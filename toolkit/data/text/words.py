"""How a text is cut into words."""

from collections.abc import Iterable, Iterator

END_OF_LINE = "<eos>"


def split_words(texts: Iterable[str]) -> Iterator[list[str]]:
    """Cuts a text that comes in pieces at its white space; the end of each line is a word of its own.

    Args:
        texts: The pieces, in order; a word that goes on from one to the next is put together.

    Yields:
        Lists of words.

    Example:

    >>> list(split_words(["a c", "at\\na hat"]))
    [['a'], ['cat', '<eos>', 'a'], ['hat']]
    """
    rest = ""
    for text in texts:
        text = rest + text
        # What follows the last white space may go on.
        end = max(text.rfind(" "), text.rfind("\n"), text.rfind("\t")) + 1
        rest = text[end:]
        yield text[:end].replace("\n", f" {END_OF_LINE} ").split()
    yield rest.split()
