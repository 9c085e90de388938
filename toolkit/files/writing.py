"""Files and folders that are written whole or not at all."""

import contextlib
import ctypes
import errno
import json
import math
import os
import pathlib
import shutil
from collections.abc import Callable, Collection, Iterator
from typing import Any

from toolkit.files.names import printable


def write_whole(path: pathlib.Path, write: Callable[[Any], None]) -> None:
    """Writes a file so that at every moment the path holds either the old file or the new one.

    A link that lies there is replaced; what it leads to stays as it is.

    Args:
        path: The file.
        write: Writes the content to the binary file it is given.

    Raises:
        OSError: Where it cannot be written; what was there before is intact.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb", opener=_no_link) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            if not path.parent.is_dir():
                raise OSError(f"{path} could not be written: its folder is gone. Was it removed or moved?") from error
            before = "what it held before is intact" if path.exists() else "nothing was there before"
            raise OSError(f"{path} could not be written: {error.strerror or error}; {before}.") from error
        raise


def _no_link(path, flags):
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """Writes bytes, whole or not at all.

    Args:
        path: The file.
        content: What to write.
    """
    write_whole(path, lambda file: file.write(content))


def write_text(path: pathlib.Path, content: str) -> None:
    """Writes UTF-8 text, whole or not at all; lone surrogates, as in a file's name, are written as escapes.

    Args:
        path: The file.
        content: What to write.
    """
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def write_json(path: pathlib.Path, content: Any) -> None:
    """Writes JSON, whole or not at all; for a NaN or an infinity, which JSON does not have, null.

    Args:
        path: The file.
        content: What to write.
    """
    write_text(path, json.dumps(_finite(content), indent=2, allow_nan=False) + "\n")


def _finite(content):
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


@contextlib.contextmanager
def replaced(folder: pathlib.Path, ours: Collection[str], expected: str) -> Iterator[pathlib.Path]:
    """Yields an empty folder beside `folder`, which takes its place when the block ends without an error.

    Killed or refused at any moment, what was there before is there as it was: at once, or, where the system cannot swap
    two folders in one step, when the next one is written.

    Args:
        folder: Where to.
        ours: Names of all that may lie there, and is then replaced.
        expected: What the folder should be, for messages.

    Raises:
        ValueError: Where something else lies there.
        OSError: Where it cannot be written, such as on a full disk.
    """
    folder = folder.resolve()
    new, old = (folder.with_name(f".{folder.name}.{state}") for state in ("new", "old"))
    # What one that was killed has left.
    shutil.rmtree(new, ignore_errors=True)
    if old.exists() and not folder.exists():
        os.replace(old, folder)
    shutil.rmtree(old, ignore_errors=True)

    others = sorted({path.name for path in folder.iterdir()} - set(ours)) if folder.exists() else []
    if others:
        told = ", ".join(map(printable, others[:5]))
        raise ValueError(f"{printable(folder)} is not {expected}: it holds {told}. Give a folder of its own.")
    new.mkdir(parents=True)
    try:
        yield new
        if not folder.exists():
            os.replace(new, folder)
        elif not _exchange(new, folder):
            os.replace(folder, old)
            os.replace(new, folder)
    except Exception as error:  # TensorFlow's writers raise its own
        full = os.strerror(errno.ENOSPC)
        why = full if full in str(error) else None
        if isinstance(error, OSError) and str(error.filename or new).startswith(str(new)):  # not of what is read
            why = why or error.strerror
        if why is None:
            raise
        before = "what it held before is intact" if folder.exists() else "nothing was there before"
        raise OSError(f"{printable(folder)} could not be written: {why}; {before}.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one, other):
    """Swaps two folders in one step where the system can, so that there is no moment without either; says if it did."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    at_working_directory, exchange = -100, 2
    return rename(at_working_directory, os.fsencode(one), at_working_directory, os.fsencode(other), exchange) == 0
