"""Small text files whole: UTF-8, whatever their line ends and with or without a byte order mark; and JSON."""

import json
import math
import os
from collections.abc import Mapping
from typing import Any

from toolkit.files import binary, limits


def read(path: str | os.PathLike, expected: str = "UTF-8 text", bound: int = 64 * limits.MIB) -> str:
    """Reads a text file.

    Args:
        path: The file.
        expected: What it should hold, for messages.
        bound: Bytes that such a file may have.

    Returns:
        Its text, lines ending in "\\n", without a byte order mark.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is not UTF-8, with the line; or no file; or larger.
        OSError: Where the system refuses.
    """
    return decode(binary.read(path, expected, bound), str(path))


def decode(content: bytes, where: str) -> str:
    """Reads UTF-8 text.

    Args:
        content: Its bytes.
        where: The file, or its part, for the message.

    Returns:
        The text, lines ending in "\\n", without a byte order mark.

    Raises:
        ValueError: Where it is not UTF-8, with the line.

    Example:

    >>> decode(b"\\xef\\xbb\\xbfone\\r\\ntwo\\rthree", "a file")
    'one\\ntwo\\nthree'
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, found = content[: error.start].count(b"\n") + 1, f"{content[error.start]:#04x}"
        raise ValueError(
            f"{where}, line {line}: byte {error.start} ({found}) is not UTF-8. Save the file as UTF-8."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(
    path: str | os.PathLike,
    expected: str = "JSON",
    *,
    fields: Mapping[str, type | tuple[type, ...]] | None = None,
    remedy: str = "",
    bound: int = 64 * limits.MIB,
) -> Any:
    """Reads a JSON file.

    Args:
        path: The file.
        expected: What it should hold, for messages: "the settings of a run".
        fields: Those that it must have, by name, with their types; None: it may hold anything.
        remedy: What to do where it does not, a sentence.
        bound: Bytes that such a file may have.

    Returns:
        What it holds.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is damaged, or a field is missing or of another type.
        OSError: Where the system refuses.
    """
    try:
        content = read(path, expected, bound)
        try:
            content = json.loads(content)
        except json.JSONDecodeError:
            raise
        except ValueError as error:  # a whole number of more digits than Python reads
            raise ValueError(f"{path} is not {expected}: it has a number of thousands of digits.") from error
        return checked(content, str(path), expected, fields)
    except (ValueError, RecursionError) as error:  # the second: brackets in brackets, a hundred thousand deep
        if isinstance(error, RecursionError):
            why = f"{path} is not {expected}: it is nested too deeply."
        elif isinstance(error, json.JSONDecodeError):
            why = f"{path}, line {error.lineno}, is not {expected}: {error.msg}."
        else:
            why = str(error)
        raise ValueError(f"{why} {remedy}".rstrip()) from error


def checked(content: Any, where: str, expected: str, fields: Mapping[str, type | tuple[type, ...]] | None) -> Any:
    """Checks that what was read from JSON has certain fields, of certain types.

    Args:
        content: What was read.
        where: The file, for the message.
        expected: What it should be, for the message.
        fields: As in `read_json`.

    Returns:
        The content.

    Raises:
        ValueError: Where there is such a field.

    Example:

    >>> checked({"recipe": 3}, "settings.json", "the settings of a run", {"recipe": str})
    Traceback (most recent call last):
    ValueError: settings.json is not the settings of a run: recipe is int, expected str.
    """
    if fields is None:
        return content
    if not isinstance(content, dict):
        raise ValueError(f"{where} is not {expected}: it holds {type(content).__name__}, expected fields.")
    for name, kind in fields.items():
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if name not in content:
            raise ValueError(f"{where} is not {expected}: it has no {name}.")
        if not isinstance(content[name], kinds) or (isinstance(content[name], bool) and bool not in kinds):
            wanted = " or ".join(each.__name__ for each in kinds)
            raise ValueError(f"{where} is not {expected}: {name} is {type(content[name]).__name__}, expected {wanted}.")
    return content


def numbers(content: Any, where: str, expected: str) -> dict[str, float]:
    """Reads numbers by name as `writing.write_json` writes them: null, in place of what is not finite, is NaN.

    Args:
        content: What was read from JSON.
        where: The file, for the message.
        expected: What it should be, for the message.

    Returns:
        The numbers by name.

    Raises:
        ValueError: Where one is none.

    Example:

    >>> numbers({"loss": 1.5, "perplexity": None}, "metrics.json", "metrics")
    {'loss': 1.5, 'perplexity': nan}
    """
    checked(content, where, expected, {})
    found = {name: math.nan if value is None else value for name, value in content.items()}
    return checked(found, where, expected, dict.fromkeys(found, (int, float)))
