"""Inception v2 and v3: batch normalization, large kernels made of small ones (Szegedy et al. 2016)."""

from collections.abc import Callable

import keras

from toolkit.models import image_blocks, pretrained
from toolkit.models.googlenet import first_layers


def _paths_of_v2(one, reduce_3, three, reduce_double, double, pooling, pooled):
    """A block of BN-Inception; 0 filters: the path is not there, or pooling is all of it."""
    paths = [
        [(one, 1)],
        [(reduce_3, 1), (three, 3)],
        [(reduce_double, 1), (double, 3), (double, 3)],
        [pooling, (pooled, 1)],
    ]
    return [[step for step in steps if step[0]] for steps in paths if steps[0][0]]


# The blocks of each stage of BN-Inception; the last of the first two is strided.
_STAGES_OF_V2 = {
    3: {
        "a": _paths_of_v2(64, 64, 64, 64, 96, "average", 32),
        "b": _paths_of_v2(64, 64, 96, 64, 96, "average", 64),
        "c": _paths_of_v2(0, 128, 160, 64, 96, "max", 0),
    },
    4: {
        "a": _paths_of_v2(224, 64, 96, 96, 128, "average", 128),
        "b": _paths_of_v2(192, 96, 128, 96, 128, "average", 128),
        "c": _paths_of_v2(160, 128, 160, 128, 160, "average", 128),
        "d": _paths_of_v2(96, 128, 192, 160, 192, "average", 128),
        "e": _paths_of_v2(0, 128, 192, 192, 256, "max", 0),
    },
    5: {
        "a": _paths_of_v2(352, 192, 320, 160, 224, "average", 128),
        "b": _paths_of_v2(352, 192, 320, 192, 224, "max", 128),
    },
}


def inception_v2(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    num_classes: int = 1000,
    *,
    width: int = 64,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
) -> keras.Model:
    """BN-Inception: GoogLeNet with batch normalization, and two 3 x 3 convolutions for the 5 x 5 one.

    "Inception v2" names two networks. This is the one of Ioffe and Szegedy 2015, with an ordinary first convolution and
    the filters of their figure 5, by which blocks 4c and 4d have 608 channels, not the 576 of its output column. The
    other is a step on the way to v3 in Szegedy et al. 2016.

    Args:
        input_shape: (height, width, channels) of the image; height and width may be None.
        num_classes: Logits.
        width: Filters of the first convolution; all others go with it.
        stem: "imagenet": 7 x 7, stride 2, pooling; "small": 3 x 3, stride 1, without the first two poolings.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation; None: as published.
        weights: None: random; or the path of a file.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; or to
        {"level_1": ..., "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these.

    Example:

    >>> inception_v2((64, 64, 3), num_classes=10, width=8).output_shape
    (None, 10)

    Reference: Ioffe, Szegedy 2015, arXiv 1502.03167, figure 5.
    """
    conv, scaled = image_blocks.Convolution(), image_blocks.scaling(width, 64)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    x = first_layers(x, scaled, stem, resolution, conv)
    for stage, blocks in _STAGES_OF_V2.items():
        for block, paths in blocks.items():
            where = {"dilation_rate": resolution.dilation_rate}
            if stage < 5 and block == max(blocks):
                x, where = resolution.reduce(x)
            x = image_blocks.concatenated(x, paths, f"inception_{stage}{block}", conv, scaled, **where)
    outputs = _outputs(x, resolution, include_top, num_classes)
    return pretrained.load(keras.Model(inputs, outputs, name="inception_v2"), weights, None)


def _outputs(x, resolution, include_top, num_classes):
    x = resolution.end(x)
    if not include_top:
        return resolution.levels
    return image_blocks.logits(keras.layers.GlobalAveragePooling2D(name="features")(x), num_classes)


def _paths_of_35(pooled):
    return [[(64, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)], ["average", (pooled, 1)]]


def _paths_of_17(filters):
    """7 x 7 as 1 x 7 and 7 x 1."""
    return [
        [(192, 1)],
        [(filters, 1), (filters, (1, 7)), (192, (7, 1))],
        [(filters, 1), (filters, (7, 1)), (filters, (1, 7)), (filters, (7, 1)), (192, (1, 7))],
        ["average", (192, 1)],
    ]


_CROSS = [[(384, (1, 3))], [(384, (3, 1))]]
_PATHS_OF_8 = [[(320, 1)], [(384, 1), _CROSS], [(448, 1), (384, 3), _CROSS], ["average", (192, 1)]]
# The blocks of v3 by the height of their features in the paper, each after the first opened by a strided one.
_STAGES_OF_V3 = {
    35: [_paths_of_35(32), _paths_of_35(64), _paths_of_35(64)],
    17: [
        [[(384, 3)], [(64, 1), (96, 3), (96, 3)], ["max"]],
        *map(_paths_of_17, (128, 160, 160, 192)),
    ],
    8: [
        [[(192, 1), (320, 3)], [(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)], ["max"]],
        _PATHS_OF_8,
        _PATHS_OF_8,
    ],
}


def inception_v3(
    input_shape: tuple[int | None, int | None, int] = (299, 299, 3),
    num_classes: int = 1000,
    *,
    width: int = 32,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
    auxiliary: bool = False,
) -> keras.Model:
    """Inception v3, as in `keras.applications`.

    Args:
        input_shape: (height, width, channels) of the image; height and width may be None.
        num_classes: Logits.
        width: Filters of the first convolution; all others go with it.
        stem: "imagenet"; or "small": stride 1 and no pooling before the first block, for images such as 32 x 32.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation, all convolutions then padded;
            None: as published.
        weights: None: random; "imagenet": those of `keras.applications`; or the path of a file.
        auxiliary: Whether there is a head on the 17 x 17 places too, where include_top is true. Its loss is added in
            training, weighted by 0.3 or 0.4.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; with
        the auxiliary head to {"logits": ..., "auxiliary": ...}, both such; or without the top to {"level_1": ...,
        "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these.

    Example:

    >>> inception_v3((32, 32, 3), num_classes=10, width=4, stem="small").output_shape
    (None, 10)

    Reference: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, arXiv 1512.00567, table 1 and figures 5 to 8.
    """
    # No factor in the normalization: a convolution follows each ReLU and has it.
    conv, scaled = image_blocks.Convolution(scale=False), image_blocks.scaling(width, 32)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    padding = block_padding(stem, output_stride)
    x = v3_stem(x, scaled, stem, resolution, padding, conv)
    number, before_last = 0, None
    for size, blocks in _STAGES_OF_V3.items():
        for place, paths in enumerate(blocks):
            where = {"dilation_rate": resolution.dilation_rate}
            if size < 35 and place == 0:
                x, where = resolution.reduce(before_last := x)
                where["padding"] = padding
            x = image_blocks.concatenated(x, paths, f"mixed_{number}", conv, scaled, **where)
            number += 1
    outputs = _outputs(x, resolution, include_top, num_classes)
    if include_top and auxiliary:
        outputs = {"logits": outputs, "auxiliary": _auxiliary_head(before_last, num_classes, scaled, conv)}
    model = keras.Model(inputs, outputs, name="inception_v3")
    as_published = width == 32 and stem == "imagenet"
    return pretrained.load(model, weights, "InceptionV3" if as_published else None)


def _auxiliary_head(x, num_classes, scaled, conv):
    """On 17 x 17 places: pooled to 5 x 5, which one convolution then sees whole; small images have fewer."""
    size = tuple(min(5, extent or 5) for extent in x.shape[1:3])
    x = keras.layers.AveragePooling2D(size, strides=3, name="auxiliary_pool")(x)
    x = conv(x, scaled(128), 1, "auxiliary_conv_1")
    size = tuple(min(5, extent or 5) for extent in x.shape[1:3])
    x = conv(x, scaled(768), size, "auxiliary_conv_2", padding="valid")
    return image_blocks.logits(
        keras.layers.GlobalAveragePooling2D(name="auxiliary_pooled")(x), num_classes, "auxiliary"
    )


def block_padding(stem: str, output_stride: int | None) -> str:
    """The padding of what Szegedy et al. leave unpadded.

    Args:
        stem: "imagenet" or "small".
        output_stride: Of the network.

    Returns:
        "valid"; or "same", so that something is left of the smallest images, and all stays in place with dilation.
    """
    return "same" if stem == "small" or output_stride else "valid"


def v3_stem(
    x: keras.KerasTensor,
    scaled: Callable[[int], int],
    stem: str,
    resolution: image_blocks.Resolution,
    padding: str,
    conv: image_blocks.Convolution,
) -> keras.KerasTensor:
    """Builds what v3 and Inception-ResNet v2 begin with: 299 x 299 x 3 to 35 x 35 x 192.

    Args:
        x: The standardized image.
        scaled: As `image_blocks.scaling` makes it.
        stem: "imagenet", or "small": stride 1, no pooling.
        resolution: `image_blocks.Resolution`.
        padding: As `block_padding` has it.
        conv: `image_blocks.Convolution`.

    Returns:
        Features.
    """
    where = {}
    if stem == "imagenet":
        x, where = resolution.reduce(x)
    x = conv(x, scaled(32), 3, "stem_1", padding=padding, **where)
    x = conv(x, scaled(32), 3, "stem_2", padding=padding, dilation_rate=resolution.dilation_rate)
    x = conv(x, scaled(64), 3, "stem_3", dilation_rate=resolution.dilation_rate)
    if stem == "imagenet":
        x, where = resolution.reduce(x)
        x = image_blocks.pool(x, 3, "stem_pool_1", padding=padding, strides=where["strides"])
    x = conv(x, scaled(80), 1, "stem_4")
    x = conv(x, scaled(192), 3, "stem_5", padding=padding, dilation_rate=resolution.dilation_rate)
    if stem == "imagenet":
        x, where = resolution.reduce(x)
        x = image_blocks.pool(x, 3, "stem_pool_2", padding=padding, strides=where["strides"])
    return x
