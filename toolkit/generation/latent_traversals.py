"""What the numbers of a variational autoencoder's code do to an image: each moved, the others as they are."""

from collections.abc import Sequence

import keras
import numpy as np

from toolkit.models import vae

_TOGETHER = 100  # codes that are decoded at once


def decoded(model: keras.Model, codes: np.ndarray) -> np.ndarray:
    """Decodes any number of codes, some at a time.

    Args:
        model: What `models.vae.vae` returned.
        codes: (codes, latent_size).

    Returns:
        float32 (codes, height, width, channels), 0 to 255.
    """
    blocks = [codes[start : start + _TOGETHER] for start in range(0, len(codes), _TOGETHER)]
    return np.concatenate([np.asarray(vae.decoded(model, block)) for block in blocks])


def means(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Encodes any number of images to the means of their posteriors, some at a time.

    Args:
        model: What `models.vae.vae` returned.
        images: (images, height, width, channels), 0 to 255.

    Returns:
        float32 (images, latent_size).
    """
    blocks = (np.asarray(images[start : start + _TOGETHER], "float32") for start in range(0, len(images), _TOGETHER))
    return np.concatenate([np.asarray(vae.posterior(model, block)[0]) for block in blocks])


def traversals(
    model: keras.Model, code: np.ndarray, numbers: Sequence[int], num_values: int = 9, most: float = 2.0
) -> np.ndarray:
    """Decodes a code with one of its numbers moved over the prior's range.

    Args:
        model: What `models.vae.vae` returned.
        code: (latent_size,).
        numbers: Which of its numbers are moved, one at a time.
        num_values: How many values each takes, evenly from -most to most.
        most: In standard deviations of the prior.

    Returns:
        float32 (numbers, num_values, height, width, channels), 0 to 255.

    Example:

    >>> model = vae.vae(16, network="dense", units=1, latent_size=3)
    >>> traversals(model, np.zeros(3), [0, 2], num_values=5).shape
    (2, 5, 16, 16, 1)

    Reference: Higgins et al. 2017, "beta-VAE" (ICLR), figures 1 to 4.
    """
    moved = np.tile(np.asarray(code, "float32"), (len(numbers), num_values, 1))
    for row, number in enumerate(numbers):
        moved[row, :, number] = np.linspace(-most, most, num_values)
    images = decoded(model, moved.reshape(-1, moved.shape[-1]))
    return images.reshape(len(numbers), num_values, *images.shape[1:])
