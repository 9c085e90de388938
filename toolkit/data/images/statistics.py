"""The colours of images in numbers: what a network standardizes with."""

from collections.abc import Iterable

import numpy as np


def mean_and_scale(blocks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Measures each channel's mean and standard deviation, exactly, of any number of images.

    Args:
        blocks: uint8 (..., channels) each, such as images of unlike sizes one by one.

    Returns:
        (mean, scale): float32 (channels,) each, on the scale of 0 to 255; a scale of 0 is given as 1.

    Example:

    >>> mean_and_scale([np.array([[[10, 7]]], "uint8"), np.array([[[30, 7]]], "uint8")])
    (array([20.,  7.], dtype=float32), array([10.,  1.], dtype=float32))
    """
    histograms = sum(
        np.stack([np.bincount(block[..., c].reshape(-1), minlength=256) for c in range(block.shape[-1])])
        for block in blocks
    )
    shares = histograms / histograms.sum(1, keepdims=True)
    mean = shares @ np.arange(256)
    scale = np.sqrt((shares * np.square(np.arange(256) - mean[:, None])).sum(1))
    return mean.astype("float32"), np.where(scale > 1e-3, scale, 1).astype("float32")
