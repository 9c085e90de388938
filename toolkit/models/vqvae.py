"""VQ-VAE of images: a few discrete codes for an image, and the image's density given them."""

from typing import Any

import keras
from keras import ops

from toolkit.distributions.logistic_mixture import LogisticMixture
from toolkit.layers.vector_quantizer import VectorQuantizer

NUM_LEVELS = 256


def vqvae(
    image_size: int,
    channels: int = 3,
    *,
    units: int = 256,
    residual_units: int = 256,
    num_residual_blocks: int = 2,
    num_downsamplings: int = 2,
    embedding_dim: int = 64,
    codebook: keras.layers.Layer | None = None,
) -> keras.Model:
    """Makes a network that sees an image through a small map of codes.

    A 4 x 4 convolution of stride 2 for each downsampling and residual blocks (ReLU, 3 x 3, ReLU, 1 x 1) lead to a map
    of vectors; each becomes the nearest of a codebook; residual blocks and transposed convolutions lead back, to a
    logistic for each channel of each pixel, discretised to its 256 levels.

    Args:
        image_size: Height and width of the images, in pixels, a multiple of 2 ** num_downsamplings.
        channels: Of the images.
        units: Channels of the convolutions.
        residual_units: Channels inside the residual blocks.
        num_residual_blocks: Residual blocks before the codes, and as many after them.
        num_downsamplings: Halvings of the height and width.
        embedding_dim: Channels of the map, of all codebooks together.
        codebook: What lies between encoder and decoder, a layer named "codebook"; None: a `layers.VectorQuantizer` of
            512 vectors.

    Returns:
        A model from images (batch, image_size, image_size, channels), 0 to 255, to the raw parameters of
        `density()`, float32 (batch, image_size, image_size, channels, 3). Its layers "encoder" and "decoder" are
        models, "codebook" lies between them: `codes` and `decoded` use them apart.

    Raises:
        ValueError: Where the image's side is not divisible, or another size is out of range.

    Example:

    >>> model = vqvae(16, 1, units=8, residual_units=8, embedding_dim=4)
    >>> images = ops.zeros((2, 16, 16, 1))
    >>> model(images).shape, codes(model, images).shape
    (TensorShape([2, 16, 16, 1, 3]), TensorShape([2, 4, 4]))

    Reference: van den Oord et al. 2017, arXiv 1711.00937, sections 3 and 4.1.
    """
    sizes = {"image_size": image_size, "channels": channels, "units": units, "residual_units": residual_units}
    sizes |= {"embedding_dim": embedding_dim, "num_downsamplings": num_downsamplings}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}.")
    if image_size % 2**num_downsamplings:
        raise ValueError(
            f"image_size={image_size} is no multiple of {2**num_downsamplings}, by which {num_downsamplings} strides "
            "of 2 divide it."
        )
    how = {"units": units, "residual_units": residual_units, "num_residual_blocks": num_residual_blocks}
    encode = encoder((image_size, image_size, channels), embedding_dim, num_downsamplings=num_downsamplings, **how)
    side = image_size // 2**num_downsamplings
    decode = decoder((side, side, embedding_dim), channels, num_upsamplings=num_downsamplings, **how)
    if codebook is None:
        codebook = VectorQuantizer(512, name="codebook")
    images = keras.Input(encode.input_shape[1:], name="image")
    return keras.Model(images, decode(codebook(encode(images))), name="vqvae")


def encoder(
    shape: tuple[int, int, int],
    embedding_dim: int,
    *,
    units: int,
    residual_units: int,
    num_residual_blocks: int,
    num_downsamplings: int,
) -> keras.Model:
    """Makes what leads from images to a map of vectors.

    Args:
        shape: (height, width, channels) of the images, which are from 0 to 255.
        embedding_dim: Length of the vectors.
        units: As in `vqvae`.
        residual_units: As in `vqvae`.
        num_residual_blocks: As in `vqvae`.
        num_downsamplings: As in `vqvae`.

    Returns:
        A model named "encoder", to (batch, height / 2 ** num_downsamplings, width / ..., embedding_dim).
    """
    images = keras.Input(shape)
    x = keras.layers.Rescaling(2.0 / (NUM_LEVELS - 1), -1.0)(images)
    x = downsampled(x, num_downsamplings, units, residual_units, num_residual_blocks)
    return keras.Model(images, keras.layers.Conv2D(embedding_dim, 1)(x), name="encoder")


def downsampled(x: Any, num_downsamplings: int, units: int, residual_units: int, num_residual_blocks: int) -> Any:
    """Halves a map some times, and looks at what is left.

    Args:
        x: (batch, height, width, channels).
        num_downsamplings: As in `vqvae`.
        units: As in `vqvae`.
        residual_units: As in `vqvae`.
        num_residual_blocks: As in `vqvae`.

    Returns:
        (batch, height / 2 ** num_downsamplings, width / ..., units).
    """
    for number in range(num_downsamplings):
        # As in Sonnet's: the first of several convolutions, over few channels, has half of the units.
        filters = max(1, units // 2) if number == 0 and num_downsamplings > 1 else units
        x = keras.layers.Conv2D(filters, 4, 2, padding="same", activation="relu")(x)
    return residual_blocks(x, units, residual_units, num_residual_blocks)


def decoder(
    shape: tuple[int, int, int],
    channels: int,
    *,
    units: int,
    residual_units: int,
    num_residual_blocks: int,
    num_upsamplings: int,
) -> keras.Model:
    """Makes what leads from a map of vectors to the density of each pixel.

    Args:
        shape: (height, width, embedding_dim) of the map.
        channels: Of the images.
        units: As in `vqvae`.
        residual_units: As in `vqvae`.
        num_residual_blocks: As in `vqvae`.
        num_upsamplings: Doublings of height and width.

    Returns:
        A model named "decoder", to the raw parameters of `density()`, float32.
    """
    vectors = keras.Input(shape)
    x = residual_blocks(vectors, units, residual_units, num_residual_blocks)
    for number in range(num_upsamplings, 0, -1):
        last, size = number == 1, density().num_params
        filters = channels * size if last else max(1, units // 2) if number == 2 else units
        how = {"dtype": "float32"} if last else {"activation": "relu"}
        x = keras.layers.Conv2DTranspose(filters, 4, 2, padding="same", **how)(x)
    height, width = (side * 2**num_upsamplings for side in shape[:2])
    params = keras.layers.Reshape((height, width, channels, density().num_params), dtype="float32")(x)
    return keras.Model(vectors, params, name="decoder")


def residual_blocks(x: Any, units: int, residual_units: int, num_residual_blocks: int) -> Any:
    """Looks at a map through a convolution of 3 x 3 and residual blocks (ReLU, 3 x 3, ReLU, 1 x 1), and a ReLU.

    Args:
        x: (batch, height, width, channels).
        units: As in `vqvae`.
        residual_units: As in `vqvae`.
        num_residual_blocks: As in `vqvae`.

    Returns:
        (batch, height, width, units).
    """
    x = keras.layers.Conv2D(units, 3, padding="same")(x)
    for _ in range(num_residual_blocks):
        y = keras.layers.ReLU()(x)
        y = keras.layers.Conv2D(residual_units, 3, padding="same", activation="relu")(y)
        x = keras.layers.Add()([x, keras.layers.Conv2D(units, 1)(y)])
    return keras.layers.ReLU()(x)


def density() -> LogisticMixture:
    """Returns the distribution whose parameters the decoder emits, for each channel of each pixel.

    Returns:
        A family whose parameters have the shape (..., 3), its levels (...).
    """
    return LogisticMixture(1, NUM_LEVELS)


def codes(model: keras.Model, images: Any) -> Any:
    """Encodes images.

    Args:
        model: What `vqvae` returned, or the same loaded from a file.
        images: (batch, height, width, channels), 0 to 255.

    Returns:
        int32 (batch, height / stride, width / stride), or with several codebooks one axis more.
    """
    return model.get_layer("codebook").encode(model.get_layer("encoder")(images))


def decoded(model: keras.Model, codes: Any) -> Any:
    """Decodes to the mean of each pixel's density.

    Args:
        model: What `vqvae` returned, or the same loaded from a file.
        codes: As `codes` returns them.

    Returns:
        float32 (batch, height, width, channels), 0 to 255.
    """
    return pixels(model.get_layer("decoder")(model.get_layer("codebook").decode(codes)))


def pixels(params: Any) -> Any:
    """Gives the mean of each pixel's density.

    Args:
        params: What the network returned, (..., 3).

    Returns:
        float32 (...), 0 to 255.
    """
    return (ops.clip(density().mean(params), -1.0, 1.0) + 1.0) * ((NUM_LEVELS - 1) / 2)


def code_shape(model: keras.Model) -> tuple[int, ...]:
    """Returns the shape of an image's codes.

    Args:
        model: What `vqvae` returned, or the same loaded from a file.

    Returns:
        (height, width), or with several codebooks (height, width, num_codebooks).
    """
    layer = model.get_layer("codebook")
    height, width, _ = model.get_layer("encoder").output_shape[1:]
    return (height, width) if layer.num_codebooks == 1 else (height, width, layer.num_codebooks)
