"""HDF5 files: arrays of plain numbers in this one file, packed by nothing but what HDF5 itself brings."""

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from toolkit.files import binary, limits

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Gzip, shuffle, checksum, szip, n-bit, scale and offset, LZF: others are programs that HDF5 would look for and load.
_FILTERS = {1, 2, 3, 4, 5, 6, 32000}
_BLOCK, _LARGEST_BLOCK = 16 * limits.MIB, 256 * limits.MIB


class Hdf5:
    """The arrays at the root of an HDF5 file, each read when it is asked for.

    Args:
        path: The file.
        expected: What it should hold, for messages.

    Attributes:
        path: The file.
        names: Of its arrays and groups.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is no HDF5 file, or damaged.
        OSError: Where the system refuses.

    Example:

    >>> import h5py, tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".h5") as file:
    ...     with h5py.File(file.name, "w") as made:
    ...         made["numbers"] = np.arange(6).reshape(3, 2)
    ...     with Hdf5(file.name) as arrays:
    ...         arrays.names, arrays.header("numbers")[0], arrays.read("numbers")[2].tolist()
    (['numbers'], (3, 2), [4, 5])
    """

    def __init__(self, path: str | os.PathLike, expected: str = "an HDF5 file") -> None:
        import h5py

        self.path = binary.check(path, expected)
        self._h5py = h5py
        with binary.opened(self.path, expected) as file:
            if file.read(len(_SIGNATURE)) != _SIGNATURE:
                raise ValueError(f"{self.path} is no HDF5 file; expected {expected}.")
        self._file = self._told(lambda: h5py.File(self.path, "r", locking=False))
        self.names = self._told(lambda: list(self._file))

    def __enter__(self) -> "Hdf5":
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def _told(self, function):
        """What a function of h5py's returns, its many kinds of error as one that names the file."""
        try:
            return function()
        except MemoryError:
            raise
        except Exception as error:
            if isinstance(error, ValueError) and str(self.path) in str(error):  # said already
                raise
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
            raise ValueError(f"{self.path} is damaged, or cannot be read as HDF5: {reason}.") from error

    def header(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        """Reads an array's shape and dtype, and nothing else of it.

        Args:
            name: The array's.

        Returns:
            Shape and dtype.

        Raises:
            ValueError: Where there is no such array, its numbers are not plain or not in this file, or it is damaged.
        """
        found = self._told(lambda: self._array(name))
        return found.shape, found.dtype

    def _array(self, name):
        if name not in self.names:
            raise ValueError(f"{self.path} has no array {name}; it has {', '.join(self.names[:9]) or 'none'}.")
        where, link = f"{self.path}, {name},", self._file.get(name, getlink=True)
        if not isinstance(link, self._h5py.HardLink):
            raise ValueError(f"{where} is a link, perhaps to another file; expected an array in this one.")
        found = self._file[name]
        if not isinstance(found, self._h5py.Dataset):
            raise ValueError(f"{where} is a group; expected an array.")
        if found.is_virtual or found.external:
            raise ValueError(f"{where} has its numbers in other files; expected an array in this one.")
        if found.dtype.kind not in "iuf" or found.shape is None:
            raise ValueError(f"{where} is of {found.dtype}; expected plain numbers.")
        how = found.id.get_create_plist()
        others = {how.get_filter(place)[0] for place in range(how.get_nfilters())} - _FILTERS
        if others:
            raise ValueError(f"{where} is packed by the filter {min(others)}, which is not HDF5's own.")
        return found

    def read(self, name: str, bound: int = limits.GIB) -> np.ndarray:
        """Reads an array.

        Args:
            name: Its name.
            bound: Bytes that it may take.

        Returns:
            The array.

        Raises:
            ValueError: As `header` does; and where it is larger.
        """
        shape, dtype = self.header(name)
        limits.check(math.prod(shape) * dtype.itemsize, f"{self.path}, {name},", bound)
        return self._told(lambda: self._array(name)[()])

    def blocks(self, name: str) -> Iterator[np.ndarray]:
        """Reads an array some rows at a time, in its order: the one way that is fast where many rows are packed as one.

        Args:
            name: Its name.

        Yields:
            The next rows: those of a few megabytes, or as many as are packed together, of 256 MB at most.

        Raises:
            ValueError: As `header` does; and where a row is larger.
        """
        found = self._told(lambda: self._array(name))
        if not found.shape:
            raise ValueError(f"{self.path}, {name}, is a single number; expected an array.")
        size = math.prod(found.shape[1:]) * found.dtype.itemsize
        limits.check(size, f"{self.path}, {name}, a row,", _LARGEST_BLOCK)
        most = max(1, _LARGEST_BLOCK // max(size, 1))
        together = min(max(found.chunks[0] if found.chunks else 1, _BLOCK // max(size, 1)), most)
        for start in range(0, len(found), together):
            yield self._told(lambda start=start: found[start : start + together])
