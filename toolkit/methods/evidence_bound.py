"""Training and measuring a variational autoencoder of images, by the bound on the likelihood of each image."""

import math
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit.lazy import tensorflow as tf
from toolkit.losses.negative_log_likelihood import NegativeLogLikelihood
from toolkit.models import vae


def pair(image: Any, label: Any = None) -> tuple[Any, Any]:
    """Turns a batch of images with a class into what `fit` takes, for `Splits.map`.

    Args:
        image: (batch, height, width, channels), 0 to 255.
        label: Is not looked at.

    Returns:
        (image, x): the image, and the same from 0 to 1, whose density is learned.
    """
    return image, image / 255.0


def loss(model: keras.Model) -> NegativeLogLikelihood:
    """Makes the loss of a network's outputs: nats an image, a sum over its pixels.

    An average over pixels instead would be a decoder of a far larger scale, and the code would be left unused.

    Args:
        model: What `models.vae.vae` returned, which adds the divergence of the code itself.

    Reference: Kingma and Welling 2014, arXiv 1312.6114, equation 3; Rybkin et al. 2020, arXiv 2006.13202, section 3.
    """
    return NegativeLogLikelihood(vae.density(model), reduction="sum_over_batch_size")


def compiled(model: keras.Model, optimizer: keras.optimizers.Optimizer | None = None) -> keras.Model:
    """Compiles a network to be trained on nats an image: minus the log-density of its pixels, and the divergence.

    Args:
        model: What `models.vae.vae` returned.
        optimizer: None where it is measured only.

    Returns:
        The network.
    """
    model.compile(optimizer or "sgd", loss(model), jit_compile=False)
    return model


def measured(
    model: keras.Model, batches: Iterable[tuple], *, scale: float | None = None, num_draws: int = 1, seed: int = 0
) -> dict[str, float]:
    """Measures the bound on images' likelihood and its parts, with draws of the code.

    Args:
        model: What `models.vae.vae` returned, trained.
        batches: Of (image, label), or images alone.
        scale: Of a Gaussian decoder, in the place of its own: that of a β-VAE is sqrt(β).
        num_draws: Of the code of each image; means over them are taken.
        seed: Of the draws.

    Returns:
        In nats an image: "negative_elbo_nats", the bound on -log p(x), x from 0 to 1; its parts "kl_nats" and
        "reconstruction_nats". "squared_error", of draws, in squared grey levels from 0 to 255. "active_codes", the
        numbers of a code that say more than 0.01 nats. Of a Gaussian decoder also "scale", the root of the mean of s²,
        in shares of white, "root_mean_squared_error" in the same unit, and "negative_elbo_nats_with_optimal_scale",
        what the bound would be with one scale, the best for these images.

    Raises:
        ValueError: Where there is no image, or a scale is given that the decoder does not have.

    Reference: Rybkin et al. 2020, arXiv 2006.13202, sections 3.1 and 3.3.
    """
    family = vae.density(model)
    is_gaussian = family.num_params == 2
    if scale is not None and not is_gaussian:
        raise ValueError(f"scale={scale}: a decoder of zeros and ones has none.")
    shape, size = model.input_shape[1:], vae.latent_size(model)

    @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32), tf.TensorSpec((None, size), tf.float32)])
    def one(images, noise):
        mean, log_variance = vae.posterior(model, images)
        params = vae.params(model, mean + ops.exp(0.5 * log_variance) * noise)
        if scale is not None:
            raw = ops.full_like(params[..., 1:], math.log(scale))
            params = ops.concatenate([params[..., :1], raw], axis=-1)
        by_code = ops.mean(0.5 * (ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance), axis=0)
        axes = (1, 2, 3)
        found = {
            "nats": -family.log_prob(params, images / 255.0),
            "error": ops.mean(ops.square(255.0 * family.mean(params) - images), axis=axes),
        }
        if is_gaussian:
            found["variance"] = ops.mean(ops.square(family.scale(params)), axis=axes)
        return by_code, {name: ops.mean(value) for name, value in found.items()}

    random = np.random.default_rng(seed)
    totals, by_code, number = {}, np.zeros(size), 0
    for batch in batches:
        images = np.asarray(batch[0] if isinstance(batch, tuple) else batch, "float32")
        for _ in range(num_draws):
            codes, found = one(images, random.standard_normal((len(images), size)).astype("float32"))
            by_code += len(images) * codes.numpy()
            for name, value in found.items():
                totals[name] = totals.get(name, 0.0) + len(images) * float(value)
            number += len(images)
    if not number:
        raise ValueError("batches: expected one image at least.")
    mean, by_code = {name: total / number for name, total in totals.items()}, by_code / number
    result = {
        "negative_elbo_nats": mean["nats"] + by_code.sum(),
        "kl_nats": by_code.sum(),
        "reconstruction_nats": mean["nats"],
        "squared_error": mean["error"],
        "active_codes": int((by_code > 0.01).sum()),
    }
    if is_gaussian:
        error = mean["error"] / 255**2
        best = 0.5 * math.prod(shape) * (math.log(2 * math.pi * max(error, 1e-12)) + 1)
        result |= {"scale": math.sqrt(mean["variance"]), "root_mean_squared_error": math.sqrt(error)}
        result["negative_elbo_nats_with_optimal_scale"] = best + by_code.sum()
    return {name: float(value) for name, value in result.items()}
