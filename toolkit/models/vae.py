"""Variational autoencoders of images: a few numbers for an image, and the image's density given them."""

from typing import Any

import keras
from keras import ops

from toolkit.distributions.bernoulli import Bernoulli
from toolkit.distributions.diagonal_gaussian import DiagonalGaussian
from toolkit.layers.gaussian_latent import GaussianLatent
from toolkit.layers.gaussian_scale import GaussianScale

# What a decoder may be: a kind of `layers.GaussianScale`, a scale of the network's for each channel of each pixel, or
# zeros and ones.
DECODERS = ("fixed", "shared", "optimal", "optimal_per_example", "per_pixel", "bernoulli")
NETWORKS = ("dense", "convolutional", "strided")


def vae(
    image_size: int,
    channels: int = 1,
    *,
    latent_size: int = 20,
    network: str = "convolutional",
    units: int = 32,
    decoder: str = "shared",
    momentum: float = 0.99,
    beta: float = 1.0,
    latent: keras.layers.Layer | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Makes a network that sees an image through a few Gaussian numbers.

    An encoder leads to the mean and variance of `latent_size` numbers, of which one draw is taken, and a decoder from
    it to a density of each channel of each pixel, x from 0 to 1. Three families of both:

    - "dense": two hidden layers of 16 `units` each, ReLU;
    - "convolutional": 3 x 3 convolutions of `units`, 4 x 4 of twice as many and 5 x 5 of four times as many, the latter
      two of stride 2, and transposed ones of 6, 6 and 5 back, as σ-VAE's published code has them;
    - "strided": four 4 x 4 convolutions of stride 2 and `units`, `units`, 2 `units` and 2 `units` channels, a layer of
      8 `units`, and the mirror image of it, as in the study of disentanglement, whose images have 64 pixels.

    Args:
        image_size: Height and width of the images, in pixels; a multiple of 4, of "strided" 16.
        channels: Of the images.
        latent_size: Numbers that stand for an image.
        network: One of `NETWORKS`.
        units: See above; the papers have 32.
        decoder: One of `DECODERS`: the kind of `layers.GaussianScale`, "per_pixel" for a scale that the decoder says
            for each channel of each pixel, or "bernoulli".
        momentum: As in `layers.GaussianScale`.
        beta: What the divergence from the prior is multiplied by in training.
        latent: What lies between encoder and decoder, a layer named "latent" with the methods of
            `layers.GaussianLatent`; None: one of these, which adds the divergence to the loss.
        seed: Of the draws.

    Returns:
        A model from images (batch, image_size, image_size, channels), 0 to 255, to the raw parameters of
        `density(model)`, float32 (batch, image_size, image_size, channels, 2), of "bernoulli" 1. Its layers "encoder",
        "latent" and "decoder" can be used apart, by `posterior` and `decoded`.

    Raises:
        ValueError: Where a name is unknown, a size below 1 or the image's side no multiple.

    Example:

    >>> model = vae(16, units=4, latent_size=3)
    >>> model(ops.zeros((2, 16, 16, 1))).shape, posterior(model, ops.zeros((2, 16, 16, 1)))[0].shape
    (TensorShape([2, 16, 16, 1, 2]), TensorShape([2, 3]))

    Reference: Rybkin et al. 2020, arXiv 2006.13202; Locatello et al. 2019, arXiv 1811.12359, table 1.
    """
    sizes = {"image_size": image_size, "channels": channels, "latent_size": latent_size, "units": units}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}.")
    for name, value, known in (("network", network, NETWORKS), ("decoder", decoder, DECODERS)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}.")
    strides = strides_of(network)
    if image_size % strides:
        raise ValueError(f"image_size={image_size} is no multiple of {strides}, as network={network!r} needs.")
    shape = image_size, image_size, channels
    images = keras.Input(shape, name="image")
    scaled = keras.layers.Rescaling(1.0 / 255.0, name="scaled")(images)
    if latent is None:
        latent = GaussianLatent(
            latent_size, scale=beta, seed=seed, always_draw=True, metrics_name="kl_nats", name="latent"
        )
    drawn = latent(encoder(shape, network, units)(scaled))
    how = {"per_pixel": 2, "bernoulli": 1}.get(decoder, 0)
    params = make_decoder(shape, latent_size, network, units, num_params=how)(drawn)
    if not how:
        params = GaussianScale(decoder, momentum=momentum, name="scale")(params, scaled)
    return keras.Model(images, params, name="vae")


def strides_of(network: str) -> int:
    """Gives what an image's side must be a multiple of.

    Args:
        network: One of `NETWORKS`.
    """
    return {"dense": 1, "convolutional": 4, "strided": 16}[network]


def encoder(shape: tuple[int, int, int], network: str, units: int) -> keras.Model:
    """Makes what leads from images to the features that a latent is linear in.

    Args:
        shape: (height, width, channels) of the images, which are from 0 to 1.
        network: As in `vae`.
        units: As in `vae`.

    Returns:
        A model named "encoder", to (batch, features).
    """
    images = x = keras.Input(shape)
    layers = {
        "dense": (),
        "convolutional": ((units, 3, 1), (2 * units, 4, 2), (4 * units, 5, 2)),
        "strided": ((units, 4, 2), (units, 4, 2), (2 * units, 4, 2), (2 * units, 4, 2)),
    }[network]
    for filters, size, strides in layers:
        x = keras.layers.Conv2D(filters, size, strides, padding="same", activation="relu")(x)
    x = keras.layers.Flatten()(x)
    for width in {"dense": (16 * units, 16 * units), "strided": (8 * units,)}.get(network, ()):
        x = keras.layers.Dense(width, activation="relu")(x)
    return keras.Model(images, x, name="encoder")


def make_decoder(
    shape: tuple[int, int, int], latent_size: int, network: str, units: int, *, num_params: int = 0
) -> keras.Model:
    """Makes what leads from a draw to the pixels.

    Args:
        shape: (height, width, channels) of the images.
        latent_size: As in `vae`.
        network: As in `vae`.
        units: As in `vae`.
        num_params: Raw parameters of each channel of each pixel, on a last axis: 2 of a Gaussian, whose means are
            brought to 0 to 1, 1 of a Bernoulli; 0: means alone, 0 to 1, without that axis.

    Returns:
        A model named "decoder", float32.
    """
    draw = x = keras.Input((latent_size,))
    height, width, channels = shape
    side = (height // strides_of(network), width // strides_of(network))
    hidden = {
        "dense": ((16 * units, "relu"), (16 * units, "relu")),
        "convolutional": ((side[0] * side[1] * 4 * units, None),),
        "strided": ((8 * units, "relu"), (side[0] * side[1] * 2 * units, "relu")),
    }[network]
    for size, activation in hidden:
        x = keras.layers.Dense(size, activation=activation)(x)
    last = channels * max(1, num_params)
    if network == "dense":
        x = keras.layers.Dense(height * width * last, dtype="float32")(x)
    else:
        x = keras.layers.Reshape((*side, (4 if network == "convolutional" else 2) * units))(x)
        layers = {
            "convolutional": ((2 * units, 6, 2), (units, 6, 2), (last, 5, 1)),
            "strided": ((2 * units, 4, 2), (units, 4, 2), (units, 4, 2), (last, 4, 2)),
        }[network]
        for number, (filters, size, strides) in enumerate(layers, 1):
            how = {"dtype": "float32"} if number == len(layers) else {"activation": "relu"}
            x = keras.layers.Conv2DTranspose(filters, size, strides, padding="same", **how)(x)
    # Channels are the outer ones of the last axis: what follows has a shape of each channel's parameters.
    raw = keras.layers.Reshape((*shape, num_params) if num_params else shape, dtype="float32")(x)
    if num_params == 1:
        return keras.Model(draw, raw, name="decoder")
    if not num_params:
        return keras.Model(draw, keras.layers.Activation("sigmoid", dtype="float32")(raw), name="decoder")
    means = keras.layers.Activation("sigmoid", dtype="float32")(raw[..., :1])
    return keras.Model(draw, ops.concatenate([means, raw[..., 1:]], axis=-1), name="decoder")


def density(model: keras.Model) -> DiagonalGaussian | Bernoulli:
    """Returns the distribution whose parameters a network emits, an image an event.

    Args:
        model: What `vae` returned, or the same loaded from a file.
    """
    return Bernoulli(3) if model.output_shape[-1] == 1 else DiagonalGaussian(3)


def posterior(model: keras.Model, images: Any) -> tuple[Any, Any]:
    """Encodes images.

    Args:
        model: What `vae` returned, or the same loaded from a file.
        images: (batch, height, width, channels), 0 to 255.

    Returns:
        Mean and log of the variance, both float32 (batch, latent_size).
    """
    scaled = model.get_layer("scaled")(images)
    return model.get_layer("latent").moments(model.get_layer("encoder")(scaled))


def params(model: keras.Model, codes: Any) -> Any:
    """Decodes to the density of each channel of each pixel, with the scale that training has found.

    Args:
        model: What `vae` returned, or the same loaded from a file.
        codes: (batch, latent_size).

    Returns:
        Raw parameters of `density(model)`, float32 (batch, height, width, channels, 1 or 2).
    """
    found = model.get_layer("decoder")(codes)
    if len(found.shape) == 5:
        return found
    return model.get_layer("scale")(found, found)


def decoded(model: keras.Model, codes: Any) -> Any:
    """Decodes to the mean of the density.

    Args:
        model: What `vae` returned, or the same loaded from a file.
        codes: (batch, latent_size).

    Returns:
        float32 (batch, height, width, channels), 0 to 255.
    """
    return 255.0 * density(model).mean(params(model, codes))


def latent_size(model: keras.Model) -> int:
    """Returns how many numbers stand for an image.

    Args:
        model: What `vae` returned, or the same loaded from a file.
    """
    return model.get_layer("decoder").input_shape[-1]
