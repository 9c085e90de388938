"""Keeps what C++ libraries print off the screen."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Hides what is written to standard error's file descriptor inside; shows it after all where the block raises."""
    sys.stderr.flush()
    kept = os.dup(2)
    with _scratch() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except Exception:
            sys.stderr.flush()
            os.dup2(kept, 2)
            chatter.seek(0)
            sys.stderr.write(chatter.read().decode(errors="replace"))
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def _scratch():
    """A file in memory where the system has such: a disk may be full."""
    return os.fdopen(os.memfd_create("chatter"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile()
