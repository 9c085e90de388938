"""GoogLeNet: the first Inception blocks, and heads halfway that train the early layers (Szegedy et al. 2015)."""

from collections.abc import Callable

import keras

from toolkit.layers.local_response_normalization import LocalResponseNormalization
from toolkit.models import image_blocks, pretrained

# Filters of each stage's blocks: 1 x 1; 1 x 1 before 3 x 3, 3 x 3; 1 x 1 before 5 x 5, 5 x 5; 1 x 1 after pooling.
STAGES = {
    3: {"a": (64, 96, 128, 16, 32, 32), "b": (128, 128, 192, 32, 96, 64)},
    4: {
        "a": (192, 96, 208, 16, 48, 64),
        "b": (160, 112, 224, 24, 64, 64),
        "c": (128, 128, 256, 24, 64, 64),
        "d": (112, 144, 288, 32, 64, 64),
        "e": (256, 160, 320, 32, 128, 128),
    },
    5: {"a": (256, 160, 320, 32, 128, 128), "b": (384, 192, 384, 48, 128, 128)},
}
# Each auxiliary head and the block that it stands on.
AUXILIARY = {"auxiliary_1": (4, "a"), "auxiliary_2": (4, "d")}


def googlenet(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    num_classes: int = 1000,
    *,
    width: int = 64,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
    auxiliary: bool = False,
) -> keras.Model:
    """GoogLeNet, or Inception v1: 1 x 1, 3 x 3 and 5 x 5 convolutions and pooling side by side, nine times.

    The auxiliary heads' losses are added in training, weighted by 0.3, and the heads are left out afterwards.

    Args:
        input_shape: (height, width, channels) of the image; height and width may be None without auxiliary heads.
        num_classes: Logits.
        width: Filters of the first convolution; all other filters and units go with it.
        stem: "imagenet": 7 x 7, stride 2, pooling; "small": 3 x 3, stride 1, without the first two poolings.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation; None: as published.
        weights: None: random; or the path of a file.
        auxiliary: Whether there are the two heads too, where include_top is true.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; with
        auxiliary heads to {"logits": ..., "auxiliary_1": ..., "auxiliary_2": ...}, all such; or without the top to
        {"level_1": ..., "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these.

    Example:

    >>> googlenet((64, 64, 3), num_classes=10, width=8).output_shape
    (None, 10)
    >>> sorted(googlenet((64, 64, 3), num_classes=10, width=8, auxiliary=True).output)
    ['auxiliary_1', 'auxiliary_2', 'logits']

    Reference: Szegedy et al. 2015, arXiv 1409.4842, table 1 and section 5.
    """
    conv, scaled = image_blocks.Convolution(normalized=False), image_blocks.scaling(width, 64)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    x = first_layers(x, scaled, stem, resolution, conv, LocalResponseNormalization)
    blocks = {}
    for stage, filters in STAGES.items():
        if stage > 3:
            x, where = resolution.reduce(x)
            x = image_blocks.pool(x, 3, f"pool_{stage}", strides=where["strides"])
        for block, (one, reduce_3, three, reduce_5, five, pooled) in filters.items():
            paths = [(one, 1)], [(reduce_3, 1), (three, 3)], [(reduce_5, 1), (five, 5)], ["max", (pooled, 1)]
            x = image_blocks.concatenated(
                x, paths, f"inception_{stage}{block}", conv, scaled, dilation_rate=resolution.dilation_rate
            )
            blocks[stage, block] = x
    x = resolution.end(x)
    outputs = resolution.levels
    if include_top:
        features = keras.layers.GlobalAveragePooling2D(name="features")(x)
        features = keras.layers.Dropout(0.4, name="features_dropout")(features)
        outputs = image_blocks.logits(features, num_classes)
        if auxiliary:
            heads = {
                name: _auxiliary_head(blocks[place], name, num_classes, scaled, conv)
                for name, place in AUXILIARY.items()
            }
            outputs = {"logits": outputs, **heads}
    return pretrained.load(keras.Model(inputs, outputs, name="googlenet"), weights, None)


def first_layers(
    x: keras.KerasTensor,
    scaled: Callable[[int], int],
    stem: str,
    resolution: image_blocks.Resolution,
    conv: image_blocks.Convolution,
    normalization: type[keras.layers.Layer] | None = None,
) -> keras.KerasTensor:
    """Builds what GoogLeNet and Inception v2 begin with: 224 x 224 x 3 to 28 x 28 x 192.

    Args:
        x: The standardized image.
        scaled: As `image_blocks.scaling` makes it.
        stem: "imagenet": 7 x 7, stride 2, pooling; "small": 3 x 3, stride 1, without the poolings.
        resolution: `image_blocks.Resolution`.
        conv: `image_blocks.Convolution`.
        normalization: The layer after the first pooling and before the second; None: `conv` normalizes.

    Returns:
        Features.
    """
    if stem == "small":
        x = conv(x, scaled(64), 3, "conv_1")
    else:
        x, where = resolution.reduce(x)
        x = conv(x, scaled(64), 7, "conv_1", **where)
        x, where = resolution.reduce(x)
        x = image_blocks.pool(x, 3, "pool_1", strides=where["strides"])
    x = normalization(name="lrn_1")(x) if normalization else x
    x = conv(x, scaled(64), 1, "conv_2_reduce")
    x = conv(x, scaled(192), 3, "conv_2", dilation_rate=resolution.dilation_rate)
    x = normalization(name="lrn_2")(x) if normalization else x
    if stem == "imagenet":
        x, where = resolution.reduce(x)
        x = image_blocks.pool(x, 3, "pool_2", strides=where["strides"])
    return x


def _auxiliary_head(x, name, num_classes, scaled, conv):
    if None in x.shape[1:]:
        raise ValueError(
            f"input_shape: height and width must be known for auxiliary heads, which have a dense layer on 4 x 4 "
            f"places; got features of shape {tuple(x.shape)}."
        )
    size = tuple(min(5, extent) for extent in x.shape[1:3])  # small images have fewer places
    x = keras.layers.AveragePooling2D(size, strides=3, name=f"{name}_pool")(x)
    x = conv(x, scaled(128), 1, f"{name}_conv")
    x = keras.layers.Flatten(name=f"{name}_flatten")(x)
    x = keras.layers.Dense(scaled(1024), activation="relu", kernel_initializer="he_normal", name=f"{name}_hidden")(x)
    x = keras.layers.Dropout(0.7, name=f"{name}_dropout")(x)
    return image_blocks.logits(x, num_classes, name)
