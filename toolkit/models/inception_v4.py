"""Inception v4 and Inception-ResNet v2 (Szegedy et al. 2017)."""

from collections.abc import Callable, Sequence

import keras

from toolkit.models import image_blocks, pretrained
from toolkit.models.inception import block_padding, v3_stem

# The blocks of v4: how often each, after the strided one that opens the stage.
_STAGES_OF_V4 = {
    "a": (4, None, [["average", (96, 1)], [(96, 1)], [(64, 1), (96, 3)], [(64, 1), (96, 3), (96, 3)]]),
    "b": (
        7,
        [["max"], [(384, 3)], [(192, 1), (224, 3), (256, 3)]],
        [
            ["average", (128, 1)],
            [(384, 1)],
            [(192, 1), (224, (1, 7)), (256, (7, 1))],
            [(192, 1), (192, (1, 7)), (224, (7, 1)), (224, (1, 7)), (256, (7, 1))],
        ],
    ),
    "c": (
        3,
        [["max"], [(192, 1), (192, 3)], [(256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3)]],
        [
            ["average", (256, 1)],
            [(256, 1)],
            [(384, 1), [[(256, (1, 3))], [(256, (3, 1))]]],
            [(384, 1), (448, (1, 3)), (512, (3, 1)), [[(256, (1, 3))], [(256, (3, 1))]]],
        ],
    ),
}

# The blocks of Inception-ResNet v2: how often each, the block that opens the stage, what is added, and its factor.
_RESIDUAL_STAGES = {
    "a": (
        10,
        [[(96, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)], ["average", (64, 1)]],
        [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]],
        0.17,
    ),
    "b": (
        20,
        [[(384, 3)], [(256, 1), (256, 3), (384, 3)], ["max"]],
        [[(192, 1)], [(128, 1), (160, (1, 7)), (192, (7, 1))]],
        0.1,
    ),
    "c": (
        10,
        [[(256, 1), (384, 3)], [(256, 1), (288, 3)], [(256, 1), (288, 3), (320, 3)], ["max"]],
        [[(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))]],
        0.2,
    ),
}


def inception_v4(
    input_shape: tuple[int | None, int | None, int] = (299, 299, 3),
    num_classes: int = 1000,
    *,
    width: int = 32,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
) -> keras.Model:
    """Inception v4: deeper than v3, the same block throughout a stage.

    Args:
        input_shape: (height, width, channels) of the image; height and width may be None.
        num_classes: Logits.
        width: Filters of the first convolution; all others go with it.
        stem: "imagenet"; or "small": stride 1 before the first block, for images such as 32 x 32.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation, all convolutions then padded;
            None: as published.
        weights: None: random; or the path of a file.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; or to
        {"level_1": ..., "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these.

    Example:

    >>> inception_v4((32, 32, 3), num_classes=10, width=4, stem="small").output_shape
    (None, 10)

    Reference: Szegedy, Ioffe, Vanhoucke, Alemi 2017, arXiv 1602.07261, figures 3 to 9.
    """
    conv, scaled = image_blocks.Convolution(), image_blocks.scaling(width, 32)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    padding = block_padding(stem, output_stride)
    x = _v4_stem(x, scaled, stem, resolution, padding, conv)
    for stage, (count, opening, paths) in _STAGES_OF_V4.items():
        if opening:
            x, where = resolution.reduce(x)
            x = image_blocks.concatenated(x, opening, f"reduction_{stage}", conv, scaled, padding=padding, **where)
        for number in range(1, count + 1):
            name = f"inception_{stage}_{number}"
            x = image_blocks.concatenated(x, paths, name, conv, scaled, dilation_rate=resolution.dilation_rate)
    outputs = _outputs(x, resolution, include_top, num_classes)
    return pretrained.load(keras.Model(inputs, outputs, name="inception_v4"), weights, None)


def _v4_stem(x, scaled, stem, resolution, padding, conv):
    """299 x 299 x 3 to 35 x 35 x 384."""

    def reduce(x):
        # The small stem keeps the pooling, with stride 1: its paths belong to the blocks.
        return resolution.reduce(x) if stem == "imagenet" else (x, {"dilation_rate": resolution.dilation_rate})

    x, where = reduce(x)
    x = conv(x, scaled(32), 3, "stem_1", padding=padding, **where)
    x = conv(x, scaled(32), 3, "stem_2", padding=padding, dilation_rate=resolution.dilation_rate)
    x = conv(x, scaled(64), 3, "stem_3", dilation_rate=resolution.dilation_rate)
    x, where = reduce(x)
    x = image_blocks.concatenated(x, [["max"], [(96, 3)]], "stem_4", conv, scaled, padding=padding, **where)
    paths = [[(64, 1), (96, 3)], [(64, 1), (64, (7, 1)), (64, (1, 7)), (96, 3)]]
    where = {"dilation_rate": resolution.dilation_rate}
    x = image_blocks.concatenated(x, paths, "stem_5", conv, scaled, padding=padding, **where)
    x, where = reduce(x)
    return image_blocks.concatenated(x, [[(192, 3)], ["max"]], "stem_6", conv, scaled, padding=padding, **where)


def _outputs(x, resolution, include_top, num_classes):
    x = resolution.end(x)
    if not include_top:
        return resolution.levels
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return image_blocks.logits(keras.layers.Dropout(0.2, name="features_dropout")(x), num_classes)


def inception_resnet_v2(
    input_shape: tuple[int | None, int | None, int] = (299, 299, 3),
    num_classes: int = 1000,
    *,
    width: int = 32,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
) -> keras.Model:
    """Inception-ResNet v2, as in `keras.applications`: what a block computes, scaled down, is added to its input.

    Args:
        input_shape: (height, width, channels) of the image; height and width may be None.
        num_classes: Logits.
        width: Filters of the first convolution; all others go with it.
        stem: "imagenet"; or "small": stride 1 and no pooling before the first block, for images such as 32 x 32.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation, all convolutions then padded;
            None: as published.
        weights: None: random; "imagenet": those of `keras.applications`; or the path of a file.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; or to
        {"level_1": ..., "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these.

    Example:

    >>> inception_resnet_v2((32, 32, 3), num_classes=10, width=4, stem="small").output_shape
    (None, 10)

    Reference: Szegedy, Ioffe, Vanhoucke, Alemi 2017, arXiv 1602.07261, figures 15 to 19 and section 3.3, with the stem
    and the filters of the authors' code.
    """
    conv, scaled = image_blocks.Convolution(scale=False), image_blocks.scaling(width, 32)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    padding = block_padding(stem, output_stride)
    x = v3_stem(x, scaled, stem, resolution, padding, conv)
    for stage, (count, opening, paths, factor) in _RESIDUAL_STAGES.items():
        where = {"dilation_rate": resolution.dilation_rate}
        if stage != "a":
            x, where = resolution.reduce(x)
            where["padding"] = padding
        x = image_blocks.concatenated(x, opening, f"mixed_{stage}", conv, scaled, **where)
        for number in range(1, count + 1):
            is_last = stage == "c" and number == count
            x = residual_block(
                x,
                paths,
                f"block_{stage}_{number}",
                conv,
                scaled,
                factor=1.0 if is_last else factor,
                dilation_rate=resolution.dilation_rate,
                activation=None if is_last else "relu",
            )
    x = conv(x, scaled(1536), 1, "last_conv")
    model = keras.Model(inputs, _outputs(x, resolution, include_top, num_classes), name="inception_resnet_v2")
    as_published = width == 32 and stem == "imagenet"
    return pretrained.load(model, weights, "InceptionResNetV2" if as_published else None)


def residual_block(
    x: keras.KerasTensor,
    paths: Sequence[Sequence],
    name: str,
    conv: image_blocks.Convolution,
    scaled: Callable[[int], int],
    *,
    factor: float,
    dilation_rate: int = 1,
    activation: str | None = "relu",
) -> keras.KerasTensor:
    """Builds activation(x + factor * F(x)), F an Inception block and a 1 x 1 convolution to the channels of x.

    Args:
        x: Features (batch, height, width, channels).
        paths: As in `image_blocks.concatenated`.
        name: Of its layers.
        conv: `image_blocks.Convolution`.
        scaled: As `image_blocks.scaling` makes it.
        factor: Below 1, so that training is stable (section 3.3).
        dilation_rate: Of the convolutions.
        activation: "relu", or None.

    Returns:
        Features.
    """
    y = image_blocks.concatenated(x, paths, name, conv, scaled, dilation_rate=dilation_rate)
    y = image_blocks.Convolution(normalized=False)(y, x.shape[-1], 1, f"{name}_conv", activation=None)
    y = keras.layers.Rescaling(factor, name=f"{name}_scale")(y)
    x = keras.layers.Add(name=f"{name}_add")([x, y])
    return keras.layers.Activation(activation, name=f"{name}_{activation}")(x) if activation else x
