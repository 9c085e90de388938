"""Work on many files in threads, and a bar that says how far it is."""

import atexit
import concurrent.futures
import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def each(function: Callable[[Any], Any], items: Iterable) -> Iterator:
    """Applies a function to items, in threads: for one that does not hold Python's lock, as Pillow's decoders do.

    Args:
        function: Takes an item.
        items: The items; all of them are handed to the threads at once.

    Yields:
        What the function returns for each, in order.

    Example:

    >>> list(each(str.upper, ["a", "b"]))
    ['A', 'B']
    """
    with reads:
        try:
            found = _pool().map(function, items)
        except RuntimeError as error:
            if "shutdown" not in str(error):
                raise
            found = map(function, items)  # the program ends: there are no threads any more
        yield from found


class Reads:
    """The reads that are under way.

    A program may end while tf.data reads ahead. A thread that then comes back to Python finds the interpreter taken
    down, never returns, and the data set waits for it for ever. So the end waits until tf.data has read as far ahead as
    it does.
    """

    def __init__(self) -> None:
        self._lock, self._number, self._last = threading.Lock(), 0, 0.0

    def __enter__(self) -> None:
        with self._lock:
            self._number += 1

    def __exit__(self, *error) -> None:
        with self._lock:
            self._number, self._last = self._number - 1, time.monotonic()

    def settle(self) -> None:
        """Waits until for a while nothing has been read, half a minute at most."""
        end = time.monotonic() + 30
        while time.monotonic() < end and (self._number or time.monotonic() < self._last + 0.2):
            time.sleep(0.02)


reads = Reads()


@functools.cache
def _pool():
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    atexit.register(reads.settle)  # comes after the threads have been shut down
    return concurrent.futures.ThreadPoolExecutor(count)


def progress(total: int, what: str, unit: str = "image") -> Any:
    """Makes a bar for a person who waits; it is not seen where the work takes less than three seconds.

    Args:
        total: How many there are.
        what: What is done, such as "Reading folder:photos".
        unit: What they are.

    Returns:
        A `tqdm` bar.
    """
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=what,
        unit=unit,
        delay=3,
        mininterval=0.5 if terminal else 15,
        ncols=None if terminal else 100,
        dynamic_ncols=terminal,
    )
