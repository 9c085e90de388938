"""Residual networks: what a block computes is added to what it was given (He et al. 2016)."""

from collections.abc import Sequence

import keras

from toolkit.layers.subsampling_2d import Subsampling2D
from toolkit.models import image_blocks, pretrained

# Depth to the blocks of each stage, and whether they are bottlenecks.
DEPTHS = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
    **{6 * n + 2: ((n, n, n), False) for n in (1, 2, 3, 5, 7, 9, 18)},
}
VERSIONS = (1, 2)


def resnet(
    depth: int = 50,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    num_classes: int = 1000,
    *,
    width: int = 64,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
    version: int = 1,
    shortcuts: bool = True,
    multi_grid: Sequence[int] = (1,),
) -> keras.Model:
    """ResNet-18 to -152, and the narrow ones of the same paper for small images, ResNet-20, -32, -44, -56 and -110.

    Version 1: y = ReLU(x + F(x)), F two 3 x 3 convolutions or a bottleneck of 1 x 1, 3 x 3 and 1 x 1, the first
    convolution of a stage strided. Version 2: y = x + F(ReLU(BN(x))), the last block of a stage strided, as in
    `keras.applications`. Where the channels change, x goes through a 1 x 1 convolution (option B of the paper).

    Args:
        depth: Layers with weights: 18, 34, 50, 101, 152; or 8, 14, 20, 32, 44, 56, 110, which have three stages.
        input_shape: (height, width, channels) of the image; height and width may be None.
        num_classes: Logits.
        width: Filters of the first convolution; all others go with it. The paper's narrow networks: 16.
        stem: "imagenet": 7 x 7, stride 2, pooling; "small": 3 x 3, stride 1, for images such as 32 x 32.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation; None: as published.
        weights: None: random; "imagenet": those of `keras.applications`, for 50, 101, 152; or the path of a file.
        version: 1, or 2 (He et al. 2016b): normalization and ReLU before each convolution.
        shortcuts: False: a plain network without the additions, to compare with.
        multi_grid: What the dilation rates of the last stage's blocks are multiplied by, in turns; DeepLab v3's are
            1, 2, 4.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; or to
        {"level_1": ..., "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these.

    Example:

    >>> resnet(18, (64, 64, 3), num_classes=10, width=8).output_shape
    (None, 10)
    >>> levels = resnet(20, (32, 32, 3), width=16, stem="small", include_top=False).output
    >>> levels["level_0"].shape, levels["level_2"].shape
    ((None, 32, 32, 16), (None, 8, 8, 64))

    Reference: He, Zhang, Ren, Sun 2016, arXiv 1512.03385, table 1 and section 4.2; 2016b, arXiv 1603.05027, figure 4e.
    """
    if depth not in DEPTHS:
        raise ValueError(f"depth must be one of {', '.join(map(str, sorted(DEPTHS)))}; got {depth}.")
    if version not in VERSIONS:
        raise ValueError(f"version must be 1 or 2; got {version}.")
    num_blocks, bottleneck = DEPTHS[depth]
    conv = image_blocks.Convolution(epsilon=1.001e-5)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    scaled = image_blocks.scaling(width, 64)
    x = _stem(x, scaled(64), stem, version, conv, resolution)
    stage = _stage if version == 1 else _stage_of_version_2
    for number, count in enumerate(num_blocks, start=1):
        filters, reduces = scaled(64 * 2 ** (number - 1)), number > 1 if version == 1 else number < len(num_blocks)
        grid = [multi_grid[block % len(multi_grid)] if number == len(num_blocks) else 1 for block in range(count)]
        x = stage(x, filters, grid, f"stage_{number}", conv, resolution, bottleneck, shortcuts, reduces)
    if version == 2:
        x = keras.layers.ReLU(name="last_relu")(conv.normalize(x, "last_bn"))
    x = resolution.end(x)
    outputs = resolution.levels
    if include_top:
        outputs = image_blocks.logits(keras.layers.GlobalAveragePooling2D(name="features")(x), num_classes)
    kind = "resnet" if shortcuts else "plain"
    model = keras.Model(inputs, outputs, name=f"{kind}{depth}" + ("v2" if version == 2 else ""))
    as_published = width == 64 and stem == "imagenet" and shortcuts and bottleneck
    application = f"ResNet{depth}" + ("V2" if version == 2 else "")
    return pretrained.load(model, weights, application if as_published else None)


def _stem(x, width, stem, version, conv, resolution):
    if version == 2:  # with a bias and without normalization, which each block begins with
        conv = image_blocks.Convolution(normalized=False)
    activation = "relu" if version == 1 else None
    if stem == "small":
        return conv(x, width, 3, "stem", activation=activation)
    x, where = resolution.reduce(x)
    x = conv(x, width, 7, "stem", activation=activation, **where)
    x, where = resolution.reduce(x)
    x = keras.layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    return image_blocks.pool(x, 3, "stem_pool", padding="valid", strides=where["strides"])


def _stage(x, filters, grid, name, conv, resolution, bottleneck, shortcuts, reduces):
    for number, times in enumerate(grid, start=1):
        where = {"strides": 1, "dilation_rate": resolution.dilation_rate}
        if number == 1 and reduces:
            x, where = resolution.reduce(x)
        where["dilation_rate"] *= times
        rate = resolution.dilation_rate * times
        x = block(x, filters, f"{name}_block_{number}", conv, where, rate, bottleneck, shortcut=shortcuts)
    return x


def block(
    x: keras.KerasTensor,
    filters: int,
    name: str,
    conv: image_blocks.Convolution,
    where: dict,
    dilation_rate: int = 1,
    bottleneck: bool = False,
    *,
    shortcut: bool = True,
) -> keras.KerasTensor:
    """Builds a residual block of version 1: ReLU(x + F(x)).

    Args:
        x: Features (batch, height, width, channels).
        filters: Of the 3 x 3 convolutions; a bottleneck gives four times as many.
        name: Of its layers.
        conv: `image_blocks.Convolution`.
        where: "strides" and "dilation_rate" of the first convolution.
        dilation_rate: Of the convolutions after it.
        bottleneck: 1 x 1, 3 x 3, 1 x 1, instead of two 3 x 3.
        shortcut: Whether x is added.
    """
    strides = where["strides"]
    if bottleneck:
        y = conv(x, filters, 1, f"{name}_conv_1", strides=strides)
        y = conv(y, filters, 3, f"{name}_conv_2", dilation_rate=dilation_rate)
        y = conv(y, 4 * filters, 1, f"{name}_conv_3", activation=None)
    else:
        y = conv(x, filters, 3, f"{name}_conv_1", **where)
        y = conv(y, filters, 3, f"{name}_conv_2", activation=None, dilation_rate=dilation_rate)
    if shortcut:
        if strides > 1 or x.shape[-1] != y.shape[-1]:
            x = conv(x, y.shape[-1], 1, f"{name}_shortcut", strides=strides, activation=None)
        y = keras.layers.Add(name=f"{name}_add")([x, y])
    return keras.layers.ReLU(name=f"{name}_relu")(y)


def _stage_of_version_2(x, filters, grid, name, conv, resolution, bottleneck, shortcuts, reduces):
    for number, times in enumerate(grid, start=1):
        where = {"strides": 1, "dilation_rate": resolution.dilation_rate}
        if number == len(grid) and reduces:
            x, where = resolution.reduce(x)
        where["dilation_rate"] *= times
        rate = resolution.dilation_rate * times
        x = preactivated_block(x, filters, f"{name}_block_{number}", conv, where, rate, bottleneck, shortcut=shortcuts)
    return x


def preactivated_block(
    x: keras.KerasTensor,
    filters: int,
    name: str,
    conv: image_blocks.Convolution,
    where: dict,
    dilation_rate: int = 1,
    bottleneck: bool = False,
    *,
    shortcut: bool = True,
) -> keras.KerasTensor:
    """Builds a residual block of version 2: x + F(ReLU(BN(x))).

    Args:
        x: Features (batch, height, width, channels).
        filters: Of the 3 x 3 convolutions; a bottleneck gives four times as many.
        name: Of its layers.
        conv: `image_blocks.Convolution`.
        where: "strides" and "dilation_rate" of the first 3 x 3 convolution.
        dilation_rate: Of those after it.
        bottleneck: 1 x 1, 3 x 3, 1 x 1, instead of two 3 x 3.
        shortcut: Whether x is added.
    """
    strides = where["strides"]
    with_bias = image_blocks.Convolution(normalized=False)
    active = keras.layers.ReLU(name=f"{name}_relu")(conv.normalize(x, f"{name}_bn"))
    if bottleneck:
        y = conv(active, filters, 1, f"{name}_conv_1")
        y = conv(y, filters, 3, f"{name}_conv_2", **where)
        y = with_bias(y, 4 * filters, 1, f"{name}_conv_3", activation=None)
    else:
        y = conv(active, filters, 3, f"{name}_conv_1", **where)
        y = with_bias(y, filters, 3, f"{name}_conv_2", activation=None, dilation_rate=dilation_rate)
    if not shortcut:
        return y
    if x.shape[-1] != y.shape[-1]:
        x = with_bias(active, y.shape[-1], 1, f"{name}_shortcut", strides=strides, activation=None)
    elif strides > 1:
        x = Subsampling2D(strides, name=f"{name}_shortcut")(x)
    return keras.layers.Add(name=f"{name}_add")([x, y])
