"""NumPy's .npy and .npz: never with pickled code, and never more than the header says and the file holds."""

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from toolkit.files import archives, binary, limits, object_arrays

_BLOCK = 16 * limits.MIB  # bytes of the rows that are read at a time


def read(path: str | os.PathLike, expected: str = "a NumPy array", bound: int = limits.GIB) -> np.ndarray:
    """Reads a .npy file.

    Args:
        path: The file.
        expected: What it should hold, for messages.
        bound: Bytes that such an array may take.

    Returns:
        The array.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is damaged, cut short, of Python objects, or larger.
        OSError: Where the system refuses.
    """
    with binary.opened(path, expected) as file:
        where, size = f"{path}", os.fstat(file.fileno()).st_size
        header(file, size, where, bound)
        file.seek(0)
        return _content(file, where)


def mapped(path: str | os.PathLike, expected: str = "a NumPy array") -> np.ndarray:
    """Maps a .npy file: its numbers are read from the disk where they are looked at, whatever their size.

    Args:
        path: The file.
        expected: What it should hold, for messages.

    Returns:
        The array, which cannot be written to.

    Raises:
        FileNotFoundError, ValueError, OSError: As in `read`; no size is too large.
    """
    with binary.opened(path, expected) as file:
        size = os.fstat(file.fileno()).st_size
        shape, _ = header(file, size, f"{path}", None)
        if 0 in shape:
            raise ValueError(f"{path} is an array of shape {shape}, which holds nothing; expected {expected}.")
        try:
            return np.lib.format.open_memmap(file.name, mode="r")
        except Exception as error:
            raise ValueError(f"{path} cannot be mapped as a NumPy array: {_short(error)}.") from error


def header(file: BinaryIO, size: int, where: str, bound: int | None) -> tuple[tuple[int, ...], np.dtype]:
    """Reads an array's header, and checks that the file can hold what it says.

    Args:
        file: Open at the array's beginning.
        size: Bytes from there to the end of the file.
        where: The file, for messages.
        bound: Bytes that such an array may take; None: as many as the file holds.

    Returns:
        Shape and dtype.

    Raises:
        ValueError: Where it cannot.
    """
    shape, _, dtype = _parsed(file, where)
    begins = file.tell()
    if dtype.hasobject:
        raise ValueError(f"{where} is an array of Python objects, which could run code; expected plain numbers.")
    if any(length < 0 for length in shape):
        raise ValueError(f"{where} is damaged: its header says shape {shape}.")
    taken = math.prod(shape) * dtype.itemsize
    if bound is not None:
        limits.check(taken, where, bound)
    if taken > size - begins:
        raise ValueError(
            f"{where} is cut short or damaged: its header says shape {shape} of {dtype}, {taken} bytes, and "
            f"{max(size - begins, 0)} are there."
        )
    return shape, dtype


def _parsed(file, where):
    """What a header says: shape, whether columns come first, and dtype."""
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(file)
        raise ValueError(f"its version is {version[0]}.{version[1]}")
    except Exception as error:  # damaged headers fail in many ways
        raise ValueError(f"{where} is not a NumPy array: {_short(error)}.") from error


def _content(file, where):
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:
        raise ValueError(f"{where} is not a NumPy array: {_short(error)}.") from error


class Arrays:
    """The arrays of a .npz file, each read when it is asked for.

    Args:
        path: The file.
        expected: What it should hold, for messages.
        bound: Bytes that all arrays that are read may take together; None: as many as the file holds, for who reads in
            blocks.
        remedy: What to do where it is damaged, a sentence.

    Attributes:
        names: Of its arrays.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is no .npz, or damaged.
        OSError: Where the system refuses.

    Example:

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".npz") as file:
    ...     np.savez(file.name, numbers=np.arange(3))
    ...     with Arrays(file.name) as arrays:
    ...         arrays.names, arrays.header("numbers")[0], arrays.read("numbers").tolist()
    (['numbers'], (3,), [0, 1, 2])
    """

    def __init__(
        self,
        path: str | os.PathLike,
        expected: str = "a .npz of arrays",
        *,
        bound: int | None = limits.GIB,
        remedy: str = "",
    ) -> None:
        self._remedy, self._bound, self._taken = remedy, bound, 0
        self._archive = self._told(archives.Zip, path, expected)
        self.path = self._archive.path
        self.names = [name[:-4] for name in self._archive.names if name.endswith(".npy")]

    def __enter__(self) -> "Arrays":
        return self

    def __exit__(self, *_: Any) -> None:
        self._archive.close()

    def _told(self, function, *arguments):
        """What a function returns, its error with the remedy."""
        try:
            return function(*arguments)
        except FileNotFoundError:
            raise
        except ValueError as error:
            raise ValueError(f"{error} {self._remedy}".rstrip()) from error

    def header(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        """Reads an array's shape and dtype, and nothing else of it.

        Args:
            name: The array's.

        Returns:
            Shape and dtype.

        Raises:
            ValueError: Where there is no such array, or its header is damaged or says too much.
        """
        return self._told(self._header, name)

    def _header(self, name):
        if name not in self.names:
            raise ValueError(f"{self.path} has no array {name}; it has {', '.join(self.names[:9]) or 'none'}.")
        with self._archive.open(f"{name}.npy") as file:
            return header(file, self._archive.size(f"{name}.npy"), f"{self.path}, {name},", self._bound)

    def read(self, name: str) -> np.ndarray:
        """Reads an array.

        Args:
            name: Its name.

        Returns:
            The array.

        Raises:
            ValueError: As `header` does; and where the array is damaged, or all read so far take too much.
        """
        shape, dtype = self.header(name)
        self._taken += math.prod(shape) * dtype.itemsize
        if self._bound is not None:
            self._told(limits.check, self._taken, f"{self.path}", self._bound)
        return self._told(self._read, name)

    def _read(self, name):
        with self._archive.open(f"{name}.npy") as file:
            return _content(file, f"{self.path}, {name},")

    def read_rows(self, name: str) -> list[np.ndarray]:
        """Reads an array's rows, also where these are arrays of different lengths: an array of objects.

        Args:
            name: Its name.

        Returns:
            Its rows.

        Raises:
            ValueError: As `read` does; and where objects are other than arrays of numbers, of which none is run.
        """
        if name in self.names:
            where, size = f"{self.path}, {name},", self._archive.size(f"{name}.npy")
            with self._archive.open(f"{name}.npy") as file:
                if _parsed(file, where)[2].kind == "O":
                    limits.check(size, where, size if self._bound is None else self._bound)
                    return self._told(object_arrays.read, file, size, where)
        return list(self.read(name))

    def blocks(self, name: str) -> Iterator[np.ndarray]:
        """Reads an array some rows at a time.

        Args:
            name: Its name.

        Yields:
            The next rows: as many as a few megabytes hold, and one at least.

        Raises:
            ValueError: As `read` does; and where the array lies in memory column by column.
        """
        shape, dtype = self.header(name)
        where = f"{self.path}, {name},"
        with self._archive.open(f"{name}.npy") as file:
            _, columns_first, _ = _parsed(file, where)
            if columns_first or not shape:
                raise ValueError(f"{where} is of shape {shape}, column by column; expected rows, one after the other.")
            size = math.prod(shape[1:]) * dtype.itemsize
            together = max(1, _BLOCK // max(size, 1))
            for start in range(0, shape[0], together):
                count = min(together, shape[0] - start)
                content = file.read(count * size)
                if len(content) < count * size:
                    raise ValueError(f"{where} is cut short or damaged.")
                yield np.frombuffer(content, dtype).reshape(count, *shape[1:])

    def read_all(self, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
        """Reads several arrays.

        Args:
            names: Theirs; None: all.

        Returns:
            The arrays by name.
        """
        return {name: self.read(name) for name in (self.names if names is None else names)}


def _short(error):
    """The first line of an error."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
