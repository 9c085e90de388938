"""Files that are written whole or not at all."""

import contextlib
import json
import math
import os
import pathlib
from collections.abc import Callable
from typing import Any


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
