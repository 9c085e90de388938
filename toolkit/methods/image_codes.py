"""Training and measuring a VQ-VAE of images by the likelihood of each channel of each pixel."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit.layers.code_usage import CodeUsage
from toolkit.lazy import tensorflow as tf
from toolkit.losses.negative_log_likelihood import NegativeLogLikelihood
from toolkit.metrics.log_loss import LogLoss
from toolkit.models import vqvae


def pair(image: Any, label: Any) -> tuple[Any, Any]:
    """Turns a batch of images with a class into what `fit` takes, for `Splits.map`.

    Args:
        image: (batch, height, width, channels), 0 to 255.
        label: What is not looked at.

    Returns:
        (image, levels): the image, and the same in whole numbers, int32.
    """
    return image, ops.cast(ops.clip(ops.round(image), 0, vqvae.NUM_LEVELS - 1), "int32")


def compiled(model: keras.Model, optimizer: keras.optimizers.Optimizer | None = None) -> keras.Model:
    """Compiles a network to be trained on nats a dimension, beside what its codebook adds, and shows bits.

    Args:
        model: What `models.vqvae.vqvae` returned.
        optimizer: None where it is measured only.

    Returns:
        The network.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, equation 3.
    """
    family = vqvae.density()
    bits = LogLoss(family, name="reconstruction_bits_per_dim", unit="bits")
    loss = NegativeLogLikelihood(family, reduction="sum_over_batch_size")
    model.compile(optimizer or "sgd", loss, metrics=[bits], jit_compile=False)
    return model


def encoder(model: keras.Model) -> Callable[[Any], tuple]:
    """Makes the function that encodes images and says what is lost by it.

    Args:
        model: What `models.vqvae.vqvae` returned, trained.

    Returns:
        From images (batch, height, width, channels), 0 to 255, to NumPy arrays: codes, int32 (batch, height / stride,
        width / stride[, num_codebooks]); nats of each image given them (batch,); and its squared error (batch,), the
        mean over its pixels, in squared grey levels.
    """

    @tf.function(input_signature=[tf.TensorSpec(model.input_shape, tf.float32)], autograph=False)
    def encode(images):
        codes = vqvae.codes(model, images)
        params = model.get_layer("decoder")(model.get_layer("codebook").decode(codes))
        levels = pair(images, None)[1]
        axes = tuple(range(1, 4))
        nats = -ops.sum(vqvae.density().log_prob(params, levels), axis=axes)
        error = ops.mean(ops.square(vqvae.pixels(params) - images), axis=axes)
        return codes, nats, error

    return lambda images: tuple(each.numpy() for each in encode(np.asarray(images, "float32")))


def encoded(model: keras.Model, batches: Iterable[tuple]) -> Iterator[tuple]:
    """Encodes batches.

    Args:
        model: As in `encoder`.
        batches: Of (image, label).

    Yields:
        (codes, labels, nats, squared error), as `encoder` returns them.
    """
    encode = encoder(model)
    for images, labels in batches:
        codes, nats, error = encode(images)
        yield codes, np.asarray(labels), nats, error


def measured(model: keras.Model, batches: Iterable[tuple]) -> dict[str, float]:
    """Measures what images take, and how well the codes are used.

    Args:
        model: As in `encoder`.
        batches: Of (image, label).

    Returns:
        "bits_per_dim", a bound, with all codes alike probable: -log2 p(x | codes) and the codes' own bits, for each
        channel of each pixel; "reconstruction_bits_per_dim", the first of the two; "squared_error", in squared grey
        levels; "share_of_variance_percent", that error in shares of the images' variance; "codebook_perplexity" and
        "codebook_usage_percent", over all the images.

    Raises:
        ValueError: Where there is no image.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.1 and appendix A.1.
    """
    layer, num_dims = model.get_layer("codebook"), math.prod(model.input_shape[1:])
    nats, errors, num_images, num_codes, total, squares = 0.0, 0.0, 0, 0, 0.0, 0.0
    usage = CodeUsage(layer.num_embeddings, layer.num_codebooks)
    encode = encoder(model)
    for images, _ in batches:
        images = np.asarray(images)
        codes, its_nats, its_errors = encode(images)
        nats, errors, num_images = nats + its_nats.sum(), errors + its_errors.sum(), num_images + len(images)
        num_codes = math.prod(codes.shape[1:])
        usage.update_state(codes)
        total, squares = total + images.sum(dtype="float64"), squares + np.square(images, dtype="float64").sum()
    if not num_images:
        raise ValueError("batches: expected one image at least.")
    used = usage.result()
    reconstruction = nats / num_images / num_dims / math.log(2)
    variance = squares / num_images / num_dims - (total / num_images / num_dims) ** 2
    return {
        "bits_per_dim": float(reconstruction + num_codes * math.log2(layer.num_embeddings) / num_dims),
        "reconstruction_bits_per_dim": float(reconstruction),
        "squared_error": float(errors / num_images),
        "share_of_variance_percent": float(100 * errors / num_images / max(variance, 1e-12)),
        "codebook_perplexity": float(used["codebook_perplexity"]),
        "codebook_usage_percent": 100 * float(used["codebook_usage"]),
    }
