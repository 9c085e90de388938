"""A `.tflite` file as it lies on disk: whole, and the one that its card describes, before anything of it is run."""

import hashlib
import os
import pathlib
import sys
from typing import Any

from toolkit.export import card as cards
from toolkit.export._apart import run_apart
from toolkit.files import binary
from toolkit.silence import silenced

_IDENTIFIER = b"TFL3"


def digest(path: pathlib.Path) -> str:
    """Computes what a card keeps of a file to know it again.

    Args:
        path: The file.

    Returns:
        Its SHA-256, in hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(path: str | os.PathLike) -> pathlib.Path:
    """Checks that a path is a whole TFLite file, and the one that the card beside it describes.

    LiteRT verifies a file's structure only: of files that were altered in one byte, a third run and compute something
    else, and one in two thousand crashes the process. So size and SHA-256 are compared with `card.json` beside it.

    Args:
        path: The file.

    Returns:
        The path.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is none, or not the one that the card beside it describes, or the card is damaged.
        OSError: Where the system refuses.
    """
    path = binary.check(path, "a TFLite file")
    with binary.opened(path) as file:
        begins = file.read(8)
    if begins[4:] != _IDENTIFIER:
        raise ValueError(f"{path}: not a TFLite file (bytes 4 to 8 are {begins[4:]!r}, expected {_IDENTIFIER!r}).")
    beside = path.with_name("card.json")
    described = cards.read_card(beside)["files"].get(path.name, {}) if os.path.lexists(beside) else {}
    same_size = described.get("bytes", path.stat().st_size) == path.stat().st_size
    if not same_size or ("sha256" in described and described["sha256"] != digest(path)):
        raise ValueError(
            f"{path} is not the file that {beside} describes: it is damaged or truncated, or another was put in its "
            "place. Export it again."
        )
    return path


def opened(path: str | os.PathLike, num_threads: int = 1) -> Any:
    """Opens a TFLite file, after `check`.

    Args:
        path: The file.
        num_threads: Threads of the interpreter.

    Returns:
        LiteRT's interpreter of it.

    Raises:
        FileNotFoundError: As `check` does.
        ValueError: As `check` does; and where the file is damaged.
        OSError: As `check` does.
    """
    from ai_edge_litert.interpreter import Interpreter

    path = check(path)
    with silenced():
        try:
            return Interpreter(os.fspath(path), num_threads=num_threads)
        except (ValueError, RuntimeError) as error:
            why = error
    raise _damaged(path, why) from why


def check_apart(path: str | os.PathLike, seconds: float | None = None) -> None:
    """Checks that a TFLite file opens, in a process of its own, which a hostile one may crash.

    Args:
        path: The file.
        seconds: After which it is given up; None: never.

    Raises:
        FileNotFoundError: As `check` does.
        ValueError: As `opened` does; and where the file crashes the interpreter.
        OSError: As `check` does.
    """
    path = check(path)
    try:
        run_apart("toolkit.export.tflite_file", path, seconds)
    except RuntimeError as error:
        raise _damaged(path, error) from error


def _damaged(path, why):
    return ValueError(f"{path}: a damaged or truncated TFLite file of {path.stat().st_size} bytes ({told(why)}).")


def told(error: Exception) -> str:
    """Gives an error of LiteRT's in one line.

    Args:
        error: The error.

    Example:

    >>> told(RuntimeError("no kernel for it.\\nNode number 3 failed."))
    'no kernel for it. Node number 3 failed'
    """
    return (" ".join(str(error).split()) or type(error).__name__).rstrip(".")[:450]


def _main(path):
    from ai_edge_litert.interpreter import Interpreter

    try:
        Interpreter(path, num_threads=1)
    except (ValueError, RuntimeError) as error:
        sys.exit(told(error))


if __name__ == "__main__":
    _main(sys.argv[1])
