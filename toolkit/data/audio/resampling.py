"""Waveforms at another sample rate, a part at a time: the same samples as of the whole at once."""

import fractions
import functools

import numpy as np

_ZEROS = 10  # of the filter's sine cardinal, on each side
_FINEST = 2000  # of the ratio's two numbers; what that rounds away is less than a millisecond in half an hour


class Resampler:
    """Resamples with a polyphase filter, which leaves out what the new rate has no room for.

    Args:
        old_rate: In Hz.
        new_rate: In Hz.

    Example:

    >>> resampler = Resampler(16000, 8000)
    >>> resampler.length(1001), resampler.needed(10, 20, 1001)
    (501, (0, 61))
    """

    def __init__(self, old_rate: int, new_rate: int) -> None:
        ratio = fractions.Fraction(new_rate, old_rate).limit_denominator(_FINEST)
        self._up, self._down = max(ratio.numerator, 1), ratio.denominator
        self._reach = -(-_ZEROS * max(self._up, self._down) // self._up) + 1

    def length(self, num_samples: int) -> int:
        """Tells how many samples become of some.

        Args:
            num_samples: At the old rate.
        """
        return -(-num_samples * self._up // self._down)

    def needed(self, start: int, stop: int, num_samples: int) -> tuple[int, int]:
        """Tells which samples at the old rate those at the new one are made of.

        Args:
            start: The first at the new rate.
            stop: The one after the last.
            num_samples: How many there are at the old rate.

        Returns:
            (first, one after the last).
        """
        if self._up == self._down:
            return start, stop
        first = max(0, start * self._down // self._up - self._reach) // self._down * self._down
        return first, min(num_samples, -(-stop * self._down // self._up) + self._reach)

    def resample(self, waveform: np.ndarray, first: int, start: int, stop: int) -> np.ndarray:
        """Makes samples at the new rate.

        Args:
            waveform: (samples,), those from `first` on, as many as `needed` says.
            first: What `needed` gave.
            start: The first at the new rate.
            stop: The one after the last.

        Returns:
            float32 (stop - start,).
        """
        if self._up == self._down:
            return waveform
        from scipy import signal

        made = signal.resample_poly(waveform, self._up, self._down, window=_filter(self._up, self._down))
        offset = first // self._down * self._up
        return made[start - offset : stop - offset].astype("float32", copy=False)


@functools.lru_cache(maxsize=32)
def _filter(up, down):
    """SciPy's own, made once: a Kaiser window's."""
    from scipy import signal

    most = max(up, down)
    return signal.firwin(2 * _ZEROS * most + 1, 1 / most, window=("kaiser", 5.0)).astype("float32")
