"""What a person writes between commas: numbers, and sizes of images."""

import re

from toolkit.settings.fields import quoted


def numbers(text: str, flag: str, kind: type = float) -> tuple:
    """Reads numbers between commas.

    Args:
        text: What was given; empty: none.
        flag: Its flag, for the error.
        kind: float or int.

    Raises:
        ValueError: Where one is no such number, or not over 0, or is 10,000 and more.

    Example:

    >>> numbers("0.5,0.75,1", "scales")
    (0.5, 0.75, 1.0)
    """
    try:
        found = tuple(kind(word) for word in text.split(",")) if text else ()
    except ValueError:
        found = (0,)
    if not all(0 < number < 10_000 for number in found):
        raise ValueError(f"--{flag} must be numbers over 0 between commas; got {quoted(text)}.")
    return found


def sizes(text: str, flag: str, most: int, *, several: bool = False) -> tuple[tuple[int, int], ...]:
    """Reads sizes of images.

    Args:
        text: HEIGHTxWIDTH in pixels; empty: none.
        flag: Its flag, for the error.
        most: The greatest height or width.
        several: Whether there may be more than one, between commas.

    Returns:
        (height, width) each.

    Raises:
        ValueError: Where one is no such size.

    Example:

    >>> sizes("480x640,240x320", "export_sizes", 4096, several=True)
    ((480, 640), (240, 320))
    """
    matches = [re.fullmatch("([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", word) for word in text.split(",")] if text else []
    found = tuple((int(match[1]), int(match[2])) for match in matches if match)
    if len(found) < len(matches) or (len(found) > 1 and not several) or any(max(size) > most for size in found):
        more = ", or several between commas" if several else ""
        raise ValueError(
            f"--{flag} must be HEIGHTxWIDTH, such as 480x640{more}, each at most {most}; got {quoted(text)}."
        )
    return found
