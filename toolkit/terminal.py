"""What is printed does not end what is done: a closed pipe, a hung-up or full end, a character that cannot be shown."""

import errno
import io
import os
import sys

_GONE = {errno.EPIPE, errno.EIO, errno.ENOSPC, errno.EBADF}


class _Lasting(io.FileIO):
    """A file whose reader may go away: what is written then is dropped."""

    def write(self, content):
        try:
            return super().write(content)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            return len(content)


def outlast() -> None:
    """Has standard output and error outlast their readers, and show what their encoding lacks as an escape.

    Called once, where a program begins: so `| head -1` ends no training. What was closed from the start leads nowhere,
    so that no file of the program's takes its number.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        stream = getattr(sys, name)
        if number and (stream is None or stream is getattr(sys, f"__{name}__")):
            encoding = getattr(stream, "encoding", "utf-8")
            if stream is not None:
                stream.flush()
            raw = _Lasting(number, "w", closefd=False)
            by_lines = number == 2 or raw.isatty()
            kept = io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=by_lines)
            setattr(sys, name, kept)
