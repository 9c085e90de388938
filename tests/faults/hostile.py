"""The table of hostile inputs: ways to damage any file, and what is expected of who reads it.

Each row is tried in this process: it works, or it answers within seconds by one clear line that names the file or the
flag; it takes no memory beyond what such a thing should, runs no code of the file's, and leaves no file behind.

A file of tests gives its rows to `table`: of these a tenth is tried by `./run test`, all by `-m "slow or not slow"` or
where the file is named. What a new reader, flag or file needs is a sample; the damages are here, for all of them.
"""

import contextlib
import gzip
import io
import os
import pathlib
import pickle
import resource
import signal
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pytest

SECONDS = 10.0
MEGABYTES = 600
LONGEST = 700  # characters of an answer
CANARY = "canary-of-hostile-inputs"


def table(rows: Iterable[tuple], tenth: int = 10) -> list:
    """Parameters for a test: each row's first value is its name; all but a tenth of them are slow."""
    marked = []
    for name, *values in rows:
        quick = zlib.crc32(name.encode()) % tenth == 0
        marked.append(pytest.param(*values, id=name, marks=[] if quick else [pytest.mark.slow]))
    return marked


class TooLong(BaseException):
    """A row took more than its seconds."""


def answer(function: Callable, *, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> Exception | None:
    """What a row raises, or None where it works; fails where that took too long, or too much memory."""

    def late(number, frame):
        raise TooLong(f"no answer within {seconds:g} s")

    before, handler = _peak(), signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    error = None
    try:
        with _address_space(megabytes):
            function()
    except (Exception, TooLong) as raised:
        error = raised
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert not isinstance(error, TooLong), error
    assert _peak() - before < megabytes, f"took {_peak() - before:.0f} MB more than before; {error}"
    assert not list(pathlib.Path().glob(f"{CANARY}*")), "code in the file was run"
    return error


def clear(error: Exception | None, names: Sequence[str]) -> None:
    """Fails where an answer is none that a person can act on: another kind, many lines, or without a name."""
    if error is None:
        return
    assert isinstance(error, ValueError | OSError), f"{type(error).__name__}: {error}"
    told = str(error)
    assert any(name in told for name in names), f"names none of {names}: {type(error).__name__}: {told}"
    assert len(told) < LONGEST and "\n" not in told.strip(), f"no single line: {told[:1000]}"
    assert "Traceback" not in told and "Errno" not in told, told


def check_answer(function: Callable, names: Sequence[str], expected: str = "", **bounds: float) -> Exception | None:
    """Tries a row: `expected`, where it is given, is in the answer; "works" where there is to be none."""
    error = answer(function, **bounds)
    clear(error, names)
    if expected == "works":
        assert error is None, error
    elif expected:
        assert error is not None and expected in str(error), f"expected {expected!r}; got {error!r}"
    return error


@contextlib.contextmanager
def unchanged(folder: pathlib.Path) -> Iterator[None]:
    """Fails where something is left in a folder that was not there before."""
    before = {path.relative_to(folder) for path in folder.rglob("*")}
    yield
    left = {path.relative_to(folder) for path in folder.rglob("*")} - before
    assert not left, f"left behind: {sorted(map(str, left))[:5]}"


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def _address_space(megabytes):
    """What asks for much more than it should have gets a MemoryError, before the machine suffers."""
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + (megabytes + 2000 << 20), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _replace(make):
    """A damage that puts something else in the file's place."""

    def damage(path):
        path.unlink()
        make(path)

    return damage


def _content(change):
    """A damage of the file's bytes."""

    def damage(path):
        path.write_bytes(change(path.read_bytes()))

    return damage


def _changed(content, places):
    content = bytearray(content)
    for place in places:
        content[place % len(content)] ^= 0x5A
    return bytes(content)


def _bomb(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x_train.npy", "a/strokes/a/character01/0001_01.txt"):
            archive.writestr(name, bytes(100 << 20))
    return packed.getvalue()


class _Code:
    def __reduce__(self):
        return os.system, (f"touch {CANARY}-of-a-pickle",)


def _objects(content):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([_Code()], object))
    return file.getvalue()


def _giant_header(content):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40, 3)})
    return file.getvalue() + bytes(120)


def _sparse(path):
    os.truncate(path, 1 << 42)


DAMAGES: dict[str, Callable[[pathlib.Path], None]] = {
    "missing": lambda path: path.unlink(),
    "empty": _content(lambda content: b""),
    "one byte": _content(lambda content: content[:1]),
    "cut to a half": _content(lambda content: content[: len(content) // 2]),
    "cut to nine tenths": _content(lambda content: content[: -max(1, len(content) // 10)]),
    "without its last byte": _content(lambda content: content[:-1]),
    "without its first byte": _content(lambda content: content[1:]),
    "first byte changed": _content(lambda content: _changed(content, [0])),
    "bytes changed at its beginning": _content(lambda content: _changed(content, range(4, 40, 3))),
    "bytes changed in its middle": _content(
        lambda content: _changed(content, range(len(content) // 2, len(content), 97))
    ),
    "byte changed at its end": _content(lambda content: _changed(content, [-3])),
    "all zeros": _content(lambda content: bytes(len(content))),
    "noise": _content(lambda content: np.random.default_rng(0).bytes(5000)),
    "twice": _content(lambda content: content + content),
    "a folder": _replace(lambda path: path.mkdir()),
    "a pipe": _replace(os.mkfifo),
    "a device": _replace(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": _replace(lambda path: path.symlink_to(path.name)),
    "a link to nothing": _replace(lambda path: path.symlink_to("nothing")),
    "a sparse file of terabytes": _sparse,
    "words": _content(lambda content: b"These are words.\nNothing else.\n" * 20),
    "a web page": _content(lambda content: b"<!DOCTYPE html><html><body>404: not found</body></html>\n"),
    "a pointer to a large file": _content(
        lambda content: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    ),
    "JSON": _content(lambda content: b'{"version": 1}'),
    "brackets": _content(lambda content: b"[" * 200_000),
    "one long line": _content(lambda content: b"a" * (30 << 20)),
    "zero bytes in text": _content(lambda content: content.replace(b"\n", b"\0", 3) + b"\0"),
    "with a byte order mark": _content(lambda content: b"\xef\xbb\xbf" + content),
    "UTF-16": _content(lambda content: b"\xff\xfe" + content.decode("latin-1").encode("utf-16-le")),
    "Latin-1": _content(lambda content: content + b"caf\xe9\n"),
    "carriage returns": _content(lambda content: content.replace(b"\n", b"\r")),
    "packed": _content(gzip.compress),
    "a zip bomb": _content(_bomb),
    "pickled code": _content(lambda content: pickle.dumps(_Code())),
    "an array of code": _content(_objects),
    "an array with a giant header": _content(_giant_header),
    "PostScript": _content(lambda content: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"),
}
