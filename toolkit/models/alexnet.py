"""AlexNet and ZFNet: five convolutions and three dense layers (Krizhevsky et al. 2012; Zeiler and Fergus 2014)."""

import keras

from toolkit.layers.local_response_normalization import LocalResponseNormalization
from toolkit.models import image_blocks, pretrained

CONV = image_blocks.Convolution(normalized=False)


def alexnet(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    num_classes: int = 1000,
    *,
    width: int = 96,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
    num_groups: int = 2,
) -> keras.Model:
    """AlexNet: local response normalization, overlapping pooling, dropout.

    The paper's images are 224 x 224, with which its 55 x 55 places of the first convolution need 2 rows and columns of
    zeros around them; 227 x 227 gives 6 x 6 x 256 before the dense layers too.

    Args:
        input_shape: (height, width, channels) of the image.
        num_classes: Logits.
        width: Filters of the first convolution; all other filters and units go with it.
        stem: "imagenet": 11 x 11, stride 4, pooling; "small": 3 x 3, stride 1, without the first pooling.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation; None: as published.
        weights: None: random; or the path of a file.
        num_groups: 2: the second, fourth and fifth convolution see half of the channels each, as on the paper's two
            GPUs; 1: all.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; or to
        {"level_2": ..., "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these, or height and width are not known and include_top is true.

    Example:

    >>> alexnet((64, 64, 3), num_classes=10, width=8).output_shape
    (None, 10)
    >>> alexnet(width=12, include_top=False).output["level_5"].shape
    (None, 6, 6, 32)

    Reference: Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks,
    section 3.
    """
    if num_groups not in (1, 2):
        raise ValueError(f"num_groups must be 1 or 2; got {num_groups}.")
    scaled = image_blocks.scaling(width, 96, num_groups)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    # Padding that leaves something of the smallest images, and places where they are with dilation.
    padding = "same" if stem == "small" or output_stride else "valid"
    if stem == "small":
        x = LocalResponseNormalization(name="lrn_1")(CONV(x, scaled(96), 3, "conv_1"))
    else:
        x, where = resolution.reduce(x, 4)
        if padding == "valid":
            x = keras.layers.ZeroPadding2D(2, name="conv_1_pad")(x)
        x = CONV(x, scaled(96), 11, "conv_1", padding=padding, **where)
        x = LocalResponseNormalization(name="lrn_1")(x)
        x, where = resolution.reduce(x)
        x = image_blocks.pool(x, 3, "pool_1", padding=padding, strides=where["strides"])
    x = CONV(x, scaled(256), 5, "conv_2", groups=num_groups, dilation_rate=resolution.dilation_rate)
    x = LocalResponseNormalization(name="lrn_2")(x)
    x, where = resolution.reduce(x)
    x = image_blocks.pool(x, 3, "pool_2", padding=padding, strides=where["strides"])
    model = _upper(inputs, x, scaled, resolution, num_groups, padding, num_classes, include_top, "alexnet")
    return pretrained.load(model, weights, None)


def zfnet(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    num_classes: int = 1000,
    *,
    width: int = 96,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
) -> keras.Model:
    """ZFNet: AlexNet with a finer first convolution, 7 x 7 of stride 2, and without groups.

    Args:
        input_shape: (height, width, channels) of the image.
        num_classes: Logits.
        width: Filters of the first convolution; all other filters and units go with it.
        stem: "imagenet": 7 x 7, stride 2, pooling; "small": 3 x 3, stride 1, without the first pooling.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation; None: as published.
        weights: None: random; or the path of a file.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; or to
        {"level_1": ..., "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these, or height and width are not known and include_top is true.

    Example:

    >>> zfnet(width=12, include_top=False).output["level_5"].shape
    (None, 6, 6, 32)

    Reference: Zeiler, Fergus 2014, arXiv 1311.2901, figure 3.
    """
    scaled = image_blocks.scaling(width, 96)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    padding = "same" if stem == "small" or output_stride else "valid"
    if stem == "small":
        x = CONV(x, scaled(96), 3, "conv_1")
    else:
        x, where = resolution.reduce(x)
        if padding == "valid":
            x = keras.layers.ZeroPadding2D(1, name="conv_1_pad")(x)
        x = CONV(x, scaled(96), 7, "conv_1", padding=padding, **where)
        x, where = resolution.reduce(x)
        x = image_blocks.pool(x, 3, "pool_1", strides=where["strides"])
    x = LocalResponseNormalization(name="lrn_1")(x)
    x, where = resolution.reduce(x)
    x = CONV(x, scaled(256), 5, "conv_2", padding=padding, **where)
    x, where = resolution.reduce(x)
    x = image_blocks.pool(x, 3, "pool_2", strides=where["strides"])
    x = LocalResponseNormalization(name="lrn_2")(x)
    model = _upper(inputs, x, scaled, resolution, 1, padding, num_classes, include_top, "zfnet")
    return pretrained.load(model, weights, None)


def _upper(inputs, x, scaled, resolution, num_groups, padding, num_classes, include_top, name):
    for number, (filters, groups) in enumerate(((384, 1), (384, num_groups), (256, num_groups)), start=3):
        x = CONV(x, scaled(filters), 3, f"conv_{number}", groups=groups, dilation_rate=resolution.dilation_rate)
    x, where = resolution.reduce(x)
    x = resolution.end(image_blocks.pool(x, 3, "pool_5", padding=padding, strides=where["strides"]))
    outputs = resolution.levels
    if include_top:
        outputs = image_blocks.logits(image_blocks.hidden_layers(x, scaled(4096)), num_classes)
    return keras.Model(inputs, outputs, name=name)
