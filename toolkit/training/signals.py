"""SIGTERM and Ctrl-C where no loop looks for them: they end what is done, wherever in it they come."""

import contextlib
import signal
import sys
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
    for number in _NUMBERS:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _take_defaults()


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
