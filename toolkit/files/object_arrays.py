"""Arrays of arrays, which NumPy keeps as a pickle in a .npy: read without what else a pickle can do, such as run code.

Only the steps that NumPy's own pickles are made of are known, and of the names in them only NumPy's, in whose place
stand functions of this file: nothing that a file says is ever imported or called.
"""

import pickle
import re
from typing import BinaryIO

import numpy as np

# Names of protocols 2 to 4: numbers, text, bytes, tuples, lists, what is kept for later, names, and calls of these.
_NAMES = """PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINSTRING SHORT_BINSTRING
BINUNICODE SHORT_BINUNICODE BINBYTES SHORT_BINBYTES EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS
BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD"""
_STEPS = [getattr(pickle, name)[0] for name in _NAMES.split()]


def read(file: BinaryIO, size: int, where: str) -> list[np.ndarray]:
    """Reads the arrays in an array of objects.

    Args:
        file: Open behind the header of the .npy.
        size: Bytes that the file may have, and that the arrays may take.
        where: The file, for messages.

    Returns:
        Its arrays; they cannot be written to.

    Raises:
        ValueError: Where it holds anything but one row of arrays of numbers, or is damaged.

    Example:

    >>> import io
    >>> file = io.BytesIO(pickle.dumps(np.array([np.arange(2), np.arange(3)], object), protocol=4))
    >>> [array.tolist() for array in read(file, 10_000, "a file")]
    [[0, 1], [0, 1, 2]]
    """
    try:
        found = _Unpickler(file, size).load()
        if not isinstance(found, _Array) or not isinstance(found.content, list):
            raise ValueError("it is no array of objects")
        if not all(isinstance(one, _Array) and isinstance(one.content, np.ndarray) for one in found.content):
            raise ValueError("not all in it are arrays of numbers")
    except Exception as error:  # what is damaged fails in many ways
        why = "a step in it is none of NumPy's" if isinstance(error, KeyError) else str(error).split("\n")[0]
        raise ValueError(
            f"{where} is an array of Python objects, of which only arrays of numbers are read; nothing in it was run: "
            f"{(why or type(error).__name__)[:160].rstrip('.')}."
        ) from error
    return [one.content for one in found.content]


class _Unpickler(pickle._Unpickler):
    """Python's unpickler in Python, whose steps can be chosen: in C, a few bytes can ask for all memory."""

    dispatch = {step: pickle._Unpickler.dispatch[step] for step in _STEPS}

    def __init__(self, file, size):
        super().__init__(file, encoding="latin-1")  # as which Python 2's bytes are read
        self._left = size

    def find_class(self, module, name):
        known = {
            ("numpy", "ndarray"): "ndarray",
            ("numpy", "dtype"): lambda kind, *_: _Dtype(kind),
            ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(self._encoded),
            ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(self._encoded),
            # How Python 3 writes bytes by protocol 2.
            ("_codecs", "encode"): lambda text, _: self._encoded(text),
            ("__builtin__", "bytes"): lambda: b"",
        }
        if (module, name) not in known:
            raise ValueError(f"it names {str(module)[:40]!r}, {str(name)[:40]!r}, which could run code")
        return known[module, name]

    def _encoded(self, text):
        """Bytes that were written as text; all together no more than the file can have."""
        self._left -= len(text)
        if self._left < 0:
            raise ValueError("it would take more memory than the file has bytes")
        return text.encode("latin-1")


class _Dtype:
    def __init__(self, kind):
        self.kind, self.order = str(kind), "="

    def __setstate__(self, state):
        self.order = str(state[1])

    def numpy(self):
        if not re.fullmatch("[<>=|]?[biufO][0-9]{0,2}", self.order + self.kind, re.ASCII):
            raise ValueError(f"its arrays are of {self.kind[:40]!r}")
        return np.dtype(object if self.kind.startswith("O") else self.order + self.kind)


class _Array:
    def __init__(self, encoded):
        self._encoded, self.content = encoded, None

    def __setstate__(self, state):
        _, shape, dtype, columns_first, content = state
        if dtype.numpy().kind == "O":
            if not isinstance(content, list) or shape != (len(content),):
                raise ValueError("an array of objects in it is no row")
            self.content = content
        else:
            content = self._encoded(content) if isinstance(content, str) else content
            array = np.frombuffer(content, dtype.numpy())
            self.content = array.reshape(shape, order="F" if columns_first else "C")
