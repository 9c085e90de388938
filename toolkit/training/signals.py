"""SIGTERM and Ctrl-C where no loop looks for them: they end what is done, wherever in it they come."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

_SECONDS = 1.0
_NUMBERS = (signal.SIGTERM, signal.SIGINT)


class Terminated(KeyboardInterrupt):
    """SIGTERM came where there is nothing to be saved."""


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """Raises where a signal comes, and again each second until that is seen to have an effect.

    Python swallows what is raised in a destructor, in a callback of the garbage collector or of a C library. A second
    signal ends the process at once; so does one after this is left.

    Raises:
        KeyboardInterrupt: Inside, where Ctrl-C came; `Terminated`, where SIGTERM did.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    threading.Thread(target=_end_at_the_second, args=(heard,), daemon=True).start()
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in _NUMBERS:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _take_defaults()
        signal.set_wakeup_fd(-1)
        os.close(told)


def _end_at_the_second(heard):
    """Ends the process where Python's handlers do not run: the main thread waits in C++, perhaps for ever."""
    count = 0
    while numbers := os.read(heard, 100):
        for number in numbers:
            count += number in _NUMBERS
            if count == 2:
                os._exit(128 + number)
    os.close(heard)


def _take_defaults():
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_DFL)


def _raise(number, frame):
    _take_defaults()
    kind = Terminated if number == signal.SIGTERM else KeyboardInterrupt

    def again(number, frame):
        if not _is_handled(kind):
            raise kind

    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS, _SECONDS)
    raise kind


def _is_handled(kind):
    """Whether what runs now is what cleans up after such an exception."""
    error = sys.exc_info()[1]
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__context__
    return False
