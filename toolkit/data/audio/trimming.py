"""Where in a recording something is heard: the silence before and after it can be left out."""

from collections.abc import Iterable

import numpy as np

_FRAME = 0.02  # seconds
HIGHEST = 0.3  # at this threshold whole files of VCTK are gone


def sounding(blocks: Iterable[np.ndarray], sample_rate: int, threshold: float) -> tuple[int, int]:
    """Finds the first and the last frame of 20 ms that are not silent, and leaves one more frame on each side.

    A frame is silent where its root mean square is below `threshold` times the loudest frame's: recordings are not all
    as loud, so nothing depends on full scale.

    Args:
        blocks: The waveform, (samples,) each, in order.
        sample_rate: In Hz.
        threshold: As in `speech.load`.

    Returns:
        (start, stop), in samples; (0, 0) where there is no sound at all.

    Example:

    >>> waveform = np.zeros(8000)
    >>> waveform[3200:4800] = np.sin(np.arange(1600))
    >>> sounding([waveform], 8000, 0.05)
    (3040, 4960)

    Reference: an absolute threshold of 0.3 discards whole files of VCTK in tensorflow-wavenet; its issues advise 0.1
    or less.
    """
    frame, left, loudness, num_samples = max(1, round(_FRAME * sample_rate)), np.zeros(0, "float32"), [], 0
    for block in blocks:
        num_samples += len(block)
        block = np.concatenate([left, block])
        whole = len(block) // frame * frame
        loudness.append(np.sqrt(np.mean(np.square(block[:whole].reshape(-1, frame)), axis=1)))
        left = block[whole:]
    if len(left):
        loudness.append([np.sqrt(np.mean(np.square(left)))])
    loudness = np.concatenate(loudness) if loudness else np.zeros(0)
    if not len(loudness) or not loudness.max() > 0:
        return 0, 0
    heard = np.flatnonzero(loudness >= threshold * loudness.max())
    return max(0, (int(heard[0]) - 1) * frame), min(num_samples, (int(heard[-1]) + 2) * frame)
