"""Training and measuring a VQ-VAE of images, of one level or several, by the likelihood of each channel of each pixel.

The codes of several levels are one row here, as `models.code_levels.joined` makes it.
"""

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
from toolkit.models import code_levels, vqvae, vqvae2


def pair(image: Any, label: Any = None) -> tuple[Any, Any]:
    """Turns a batch of images with a class into what `fit` takes, for `Splits.map`.

    Args:
        image: (batch, height, width, channels), 0 to 255.
        label: Is not looked at: a batch has it, and the codes are learned without.

    Returns:
        (image, levels): the image, and the same in whole numbers, int32.
    """
    return image, ops.cast(ops.clip(ops.round(image), 0, vqvae.NUM_LEVELS - 1), "int32")


def compiled(model: keras.Model, optimizer: keras.optimizers.Optimizer | None = None) -> keras.Model:
    """Compiles a network to be trained on nats a dimension, beside what its codebook adds, and shows bits.

    Args:
        model: What `models.vqvae.vqvae` or `models.vqvae2.vqvae2` returned.
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
        model: What `models.vqvae.vqvae` or `models.vqvae2.vqvae2` returned, trained.

    Returns:
        From images (batch, height, width, channels), 0 to 255, to NumPy arrays: codes, int32 (batch, height / stride,
        width / stride[, num_codebooks]), of several levels (batch, places); nats of each image given them (batch,); and
        its squared error (batch,), the mean over its pixels, in squared grey levels.
    """

    @tf.function(input_signature=[tf.TensorSpec(model.input_shape, tf.float32)], autograph=False)
    def encode(images):
        codes = vqvae2.codes(model, images)
        params = vqvae2.params(model, codes)
        greys = pair(images)[1]
        axes = tuple(range(1, 4))
        nats = -ops.sum(vqvae.density().log_prob(params, greys), axis=axes)
        error = ops.mean(ops.square(vqvae.pixels(params) - images), axis=axes)
        return codes[0] if len(codes) == 1 else code_levels.joined(codes), nats, error

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
        "codebook_usage_percent", over all the images. Of several levels "codebook_top_perplexity" and so on; and
        "squared_error_of_top", of three "squared_error_of_top_middle": with those levels decoded alone.

    Raises:
        ValueError: Where there is no image.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.1 and appendix A.1; of levels: Razavi et al. 2019,
    arXiv 1906.00446, figure 3.
    """
    layers, shapes, num_dims = vqvae2.codebooks(model), vqvae2.code_shapes(model), math.prod(model.input_shape[1:])
    usages = [CodeUsage(layer.num_embeddings, layer.num_codebooks, name=layer.name) for layer in layers]
    names = vqvae2.level_names(model)
    alone = {"_".join(names[:number]): _decoder(model, number) for number in range(1, len(layers))}
    totals, num_images, encode = dict.fromkeys(("nats", "error", "sum", "squares", *alone), 0.0), 0, encoder(model)
    for images, _ in batches:
        images = np.asarray(images)
        codes, nats, errors = encode(images)
        found = {"nats": nats, "error": errors, "sum": images, "squares": np.square(images, dtype="float64")}
        for name, decode in alone.items():
            found[name] = np.square(decode(codes).numpy() - images).mean(axis=(1, 2, 3))
        totals = {name: total + found[name].sum(dtype="float64") for name, total in totals.items()}
        num_images += len(images)
        for usage, each in zip(usages, code_levels.parted(codes, shapes), strict=True):
            usage.update_state(each)
    if not num_images:
        raise ValueError("batches: expected one image at least.")
    mean = {name: float(total / num_images) for name, total in totals.items()}
    reconstruction = mean["nats"] / num_dims / math.log(2)
    variance = mean["squares"] / num_dims - (mean["sum"] / num_dims) ** 2
    bits = sum(math.prod(shape) * math.log2(layer.num_embeddings) for layer, shape in zip(layers, shapes, strict=True))
    used = {name: float(value) for usage in usages for name, value in usage.result().items()}
    return {
        "bits_per_dim": reconstruction + bits / num_dims,
        "reconstruction_bits_per_dim": reconstruction,
        "squared_error": mean["error"],
        "share_of_variance_percent": 100 * mean["error"] / max(variance, 1e-12),
        **{f"squared_error_of_{name}": mean[name] for name in alone},
        **{name: value for name, value in used.items() if name.endswith("_perplexity")},
        **{f"{name}_percent": 100 * value for name, value in used.items() if name.endswith("_usage")},
    }


def code_uses(model: keras.Model, codes: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Counts, codebook by codebook, how often each code occurs.

    Args:
        model: As in `encoder`.
        codes: Of many images, as `encoder` returns them.

    Yields:
        The codebook's name, which is its layer's, with a number from 1 where the layer has several; its vectors
        (num_embeddings, channels); and how often each is used, (num_embeddings,).
    """
    parts = code_levels.parted(codes, vqvae2.code_shapes(model))
    for layer, part in zip(vqvae2.codebooks(model), parts, strict=True):
        vectors, by_codebook = np.asarray(layer.embeddings), np.reshape(part, (-1, layer.num_codebooks))
        for number in range(layer.num_codebooks):
            name = layer.name if layer.num_codebooks == 1 else f"{layer.name}_{number + 1}"
            yield name, vectors[number], np.bincount(by_codebook[:, number], minlength=layer.num_embeddings)


def _decoder(model, num_levels):
    """From codes to images, of the first levels alone."""
    shapes = vqvae2.code_shapes(model)

    def decode(codes):
        known = code_levels.parted(codes, shapes)[:num_levels]
        return vqvae2.decoded(model, [*known, *[None] * (len(shapes) - num_levels)])

    return tf.function(decode, reduce_retracing=True, autograph=False)
