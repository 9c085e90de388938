"""VQ-VAE-2 of images: codes in a hierarchy of maps, the coarser for the shape of things, the finer for their detail."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from toolkit.layers.vector_quantizer import VectorQuantizer
from toolkit.models import vqvae

# The levels, from the coarsest.
LEVELS = {2: ("top", "bottom"), 3: ("top", "middle", "bottom")}
# The bottom's side is a quarter of the image's.
NUM_DOWNSAMPLINGS = 2


def vqvae2(
    image_size: int,
    channels: int = 3,
    *,
    num_levels: int = 2,
    units: int = 128,
    residual_units: int = 64,
    num_residual_blocks: int = 2,
    embedding_dim: int = 64,
    codebooks: Sequence[keras.layers.Layer] | None = None,
) -> keras.Model:
    """Makes a network that sees an image through maps of codes, each of twice the side of the one above.

    The encoder leads to the bottom level, a quarter of the image's side, from there by another stride of 2 to the next,
    and so on to the top. The top's vectors become the nearest of a codebook. What is decoded of them joins the
    encoder's features of the level below, whose vectors are made of both and become the nearest of its own codebook; so
    a level needs to say only what those above do not. The vectors of all levels, brought to the bottom's size, are
    decoded to a logistic for each channel of each pixel, as in `vqvae.vqvae`. The defaults are the published sizes.

    Args:
        image_size: Height and width of the images, in pixels, a multiple of 8, of three levels of 16.
        channels: Of the images.
        num_levels: 2 or 3.
        units: Channels of the convolutions.
        residual_units: Channels inside the residual blocks.
        num_residual_blocks: Residual blocks in the encoder of each level, and in each decoder.
        embedding_dim: Channels of each level's map, of all its codebooks together.
        codebooks: A layer for each level, from the top, of the names that `codebook_names` returns; None: a
            `layers.VectorQuantizer` of 512 vectors each.

    Returns:
        A model from images (batch, image_size, image_size, channels), 0 to 255, to the raw parameters of
        `vqvae.density()`, float32 (batch, image_size, image_size, channels, 3). `codes` and `decoded` use its parts.

    Raises:
        ValueError: Where the image's side is not divisible, a size is out of range, or the codebooks are others.

    Example:

    >>> model = vqvae2(16, 1, units=8, residual_units=8, embedding_dim=4)
    >>> images = ops.zeros((3, 16, 16, 1))
    >>> model(images).shape, [each.shape for each in codes(model, images)]
    (TensorShape([3, 16, 16, 1, 3]), [TensorShape([3, 2, 2]), TensorShape([3, 4, 4])])

    Reference: Razavi et al. 2019, arXiv 1906.00446, sections 3.1 and 4.2, algorithm 1 and appendix A.
    """
    sizes = {"image_size": image_size, "channels": channels, "units": units, "residual_units": residual_units}
    for name, size in (sizes | {"embedding_dim": embedding_dim}).items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}.")
    names = codebook_names(num_levels)
    most = 2 ** (NUM_DOWNSAMPLINGS + num_levels - 1)
    if image_size % most:
        raise ValueError(f"image_size={image_size} is no multiple of {most}, which {num_levels} levels ask for.")
    if codebooks is None:
        codebooks = [VectorQuantizer(512, metrics_name=name, name=name) for name in names]
    if [each.name for each in codebooks] != list(names):
        raise ValueError(
            f"codebooks: expected layers named {', '.join(names)}; got {', '.join(each.name for each in codebooks)}."
        )
    how = {"units": units, "residual_units": residual_units, "num_residual_blocks": num_residual_blocks}
    encode = _encoder((image_size, image_size, channels), num_levels, **how)
    images, known = keras.Input(encode.input_shape[1:], name="image"), None
    for codebook, features in zip(codebooks, encode(images), strict=True):
        level = codebook.name.partition("_")[2]
        above = [] if known is None else [known]
        found = codebook(_vectors(features, above, level, embedding_dim, **how)([features, *above]))
        known = found if known is None else _joined(found, known, level)([found, known])
    decode = vqvae.decoder(known.shape[1:], channels, num_upsamplings=NUM_DOWNSAMPLINGS, **how)
    return keras.Model(images, decode(known), name="vqvae2")


def codebook_names(num_levels: int) -> tuple[str, ...]:
    """Returns the names of the quantizing layers, from the top.

    Args:
        num_levels: 2 or 3.

    Raises:
        ValueError: Where it is another.

    Example:

    >>> codebook_names(2)
    ('codebook_top', 'codebook_bottom')
    """
    if num_levels not in LEVELS:
        raise ValueError(f"num_levels must be {' or '.join(map(str, LEVELS))}; got {num_levels}.")
    return tuple(f"codebook_{level}" for level in LEVELS[num_levels])


def codebooks(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the quantizing layers.

    Args:
        model: What `vqvae2` returned, or the same loaded from a file; here and in all that follows also what
            `vqvae.vqvae` did, of one level.

    Returns:
        One for each level, from the top.
    """
    num_levels = len(model.get_layer("encoder").outputs)
    return [model.get_layer(name) for name in (codebook_names(num_levels) if num_levels > 1 else ("codebook",))]


def level_names(model: keras.Model) -> list[str]:
    """Returns the names of the levels, as used in names of layers and metrics.

    Args:
        model: As in `codebooks`.

    Returns:
        "top", "bottom", or "top", "middle", "bottom"; of one level [""].
    """
    return [layer.name.partition("_")[2] for layer in codebooks(model)]


def embeddings(model: keras.Model) -> Any:
    """Returns the vectors of all codebooks, which identify them.

    Args:
        model: As in `codebooks`.

    Returns:
        float32 (levels * num_codebooks, num_embeddings, channels), the top's first.
    """
    return ops.concatenate([layer.embeddings for layer in codebooks(model)])


def codes(model: keras.Model, images: Any) -> tuple[Any, ...]:
    """Encodes images.

    Args:
        model: As in `codebooks`.
        images: (batch, height, width, channels), 0 to 255.

    Returns:
        For each level, from the top, int32 (batch, height / stride, width / stride), or with several codebooks one axis
        more; the strides 8 and 4, or 16, 8 and 4.
    """
    found, known = [], None
    for layer, features in zip(codebooks(model), keras.tree.flatten(model.get_layer("encoder")(images)), strict=True):
        above, level = [] if known is None else [known], layer.name.partition("_")[2]
        found.append(layer.encode(model.get_layer(f"vectors_{level}")([features, *above]) if level else features))
        known = _known(model, layer, layer.decode(found[-1]), known)
    return tuple(found)


def params(model: keras.Model, codes: Sequence[Any]) -> Any:
    """Decodes to the raw parameters of each pixel's density.

    Args:
        model: As in `codebooks`.
        codes: As `codes` returns them, from the top; None for a level that is left out, whose vectors are zeros, but
            not for all.

    Returns:
        float32 (batch, height, width, channels, 3).

    Raises:
        ValueError: Where the codes are not of as many levels, or of none.
    """
    layers, shapes = codebooks(model), code_shapes(model)
    given = [each for each in codes if each is not None]
    if len(codes) != len(layers) or not given:
        raise ValueError(f"expected codes of {len(layers)} levels, of one at least; got {len(given)} of {len(codes)}.")
    batch_size, known = ops.shape(given[0])[0], None
    for layer, (height, width, *_), each in zip(layers, shapes, codes, strict=True):
        if each is None:
            features = model.get_layer("decoder").input_shape[-1] // len(layers)
            found = ops.zeros((batch_size, height, width, features))
        else:
            found = layer.decode(each)
        known = _known(model, layer, found, known)
    return model.get_layer("decoder")(known)


def decoded(model: keras.Model, codes: Sequence[Any]) -> Any:
    """Decodes to the mean of each pixel's density.

    Args:
        model: As in `codebooks`.
        codes: As in `params`.

    Returns:
        float32 (batch, height, width, channels), 0 to 255.

    Raises:
        ValueError: As in `params`.
    """
    return vqvae.pixels(params(model, codes))


def code_shapes(model: keras.Model) -> tuple[tuple[int, ...], ...]:
    """Returns the shapes of an image's codes.

    Args:
        model: As in `codebooks`.

    Returns:
        For each level, from the top, (height, width), or with several codebooks (height, width, num_codebooks).
    """
    sizes = [tuple(each.shape[1:3]) for each in model.get_layer("encoder").outputs]
    layers = codebooks(model)
    return tuple(
        size if layer.num_codebooks == 1 else (*size, layer.num_codebooks)
        for size, layer in zip(sizes, layers, strict=True)
    )


def _known(model, layer, found, above):
    """All that the levels down to this one say, at its size."""
    level = layer.name.partition("_")[2]
    return found if above is None else model.get_layer(f"joined_{level}")([found, above])


def _encoder(shape, num_levels, **how):
    """From images to the features of each level, from the top."""
    images = keras.Input(shape)
    x, features = keras.layers.Rescaling(2.0 / (vqvae.NUM_LEVELS - 1), -1.0)(images), []
    for number in range(num_levels):
        x = vqvae.downsampled(x, 1 if number else NUM_DOWNSAMPLINGS, **how)
        features.insert(0, x)
    return keras.Model(images, features, name="encoder")


def _vectors(features, above, level, embedding_dim, **how):
    """From a level's features, and what is known from above, to what is quantized."""
    inputs = [keras.Input(each.shape[1:]) for each in (features, *above)]
    parts = inputs[:1]
    for each in inputs[1:]:
        x = vqvae.residual_blocks(each, **how)
        parts.append(keras.layers.Conv2DTranspose(embedding_dim, 4, 2, padding="same")(x))
    x = keras.layers.Concatenate()(parts) if above else parts[0]
    return keras.Model(inputs, keras.layers.Conv2D(embedding_dim, 1)(x), name=f"vectors_{level}")


def _joined(found, above, level):
    """From a level's vectors, and what is known from above, to both at the level's size."""
    inputs = [keras.Input(each.shape[1:]) for each in (found, above)]
    larger = keras.layers.Conv2DTranspose(above.shape[-1], 4, 2, padding="same")(inputs[1])
    return keras.Model(inputs, keras.layers.Concatenate()([larger, inputs[0]]), name=f"joined_{level}")
