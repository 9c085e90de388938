"""VGG: nothing but 3 x 3 convolutions, pooling and three dense layers (Simonyan and Zisserman 2015)."""

import keras

from toolkit.models import image_blocks, pretrained

# Depth to the convolutions of each stage.
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(
    depth: int = 16,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    num_classes: int = 1000,
    *,
    width: int = 64,
    stem: str = "imagenet",
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
) -> keras.Model:
    """VGG-11, -13, -16 and -19. Two 3 x 3 convolutions see 5 x 5 places with 18 instead of 25 weights a channel pair.

    Args:
        depth: Layers with weights: 11, 13, 16 or 19 (A, B, D and E of the paper).
        input_shape: (height, width, channels) of the image.
        num_classes: Logits.
        width: Filters of the first convolution; all other filters and units go with it.
        stem: "imagenet"; or "small": without the first pooling, for images such as 32 x 32.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation; None: as published.
        weights: None: random; "imagenet": those of `keras.applications`, for 16 and 19; or the path of a file.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, num_classes), float32; or to
        {"level_0": ..., "level_5": ...}, features by the halvings of the image.

    Raises:
        ValueError: Where a size is none of these, or height and width are not known and include_top is true.

    Example:

    >>> vgg(16, (64, 64, 3), num_classes=10, width=8).output_shape
    (None, 10)
    >>> vgg(16, width=8, include_top=False).output["level_5"].shape
    (None, 7, 7, 64)

    Reference: Simonyan, Zisserman 2015, arXiv 1409.1556, table 1.
    """
    if depth not in DEPTHS:
        raise ValueError(f"depth must be one of {', '.join(map(str, DEPTHS))}; got {depth}.")
    conv, scaled = image_blocks.Convolution(normalized=False), image_blocks.scaling(width, 64)
    inputs, x = image_blocks.image_input(input_shape, stem)
    resolution = image_blocks.Resolution(x, output_stride)
    # Padding that leaves something of the smallest images, and places where they are with dilation.
    padding = "same" if stem == "small" or output_stride else "valid"
    for stage, (count, filters) in enumerate(zip(DEPTHS[depth], (64, 128, 256, 512, 512), strict=True), start=1):
        for number in range(1, count + 1):
            name = f"conv_{stage}_{number}"
            x = conv(x, scaled(filters), 3, name, dilation_rate=resolution.dilation_rate)
        if stage > 1 or stem == "imagenet":
            x, where = resolution.reduce(x)
            x = image_blocks.pool(x, 2, f"pool_{stage}", padding=padding, strides=where["strides"])
    x = resolution.end(x)
    outputs = resolution.levels
    if include_top:
        outputs = image_blocks.logits(image_blocks.hidden_layers(x, scaled(4096)), num_classes)
    model = keras.Model(inputs, outputs, name=f"vgg{depth}")
    as_published = width == 64 and stem == "imagenet" and depth in (16, 19)
    return pretrained.load(model, weights, f"VGG{depth}" if as_published else None)
