"""DeepLab: an image network whose last strides are dilation, a pyramid of rates, and each pixel's class."""

import math
from collections.abc import Sequence

import keras

from toolkit.layers.atrous_spatial_pyramid_pooling import AtrousSpatialPyramidPooling
from toolkit.layers.atrous_spatial_pyramid_sum import AtrousSpatialPyramidSum
from toolkit.layers.bilinear_upsampling_2d import BilinearUpsampling2D
from toolkit.layers.class_names import ClassNames
from toolkit.models import image_classifier
from toolkit.models.image_blocks import Convolution

VARIANTS = ("large_fov", "v2", "v3", "v3+")
# At an output stride of 16; with each halving of it they double, so that they reach as far in the image.
RATES = (6, 12, 18)


def deeplab(
    variant: str = "v3+",
    backbone: str = "resnet50",
    input_shape: tuple[int | None, int | None, int] = (None, None, 3),
    num_classes: int = 21,
    *,
    output_stride: int | None = None,
    width: int | None = None,
    filters: int | None = None,
    rates: Sequence[int] | None = None,
    multi_grid: Sequence[int] | None = None,
    weights: str | None = None,
    frozen_normalization: bool = False,
    class_names: Sequence[str] | None = None,
) -> keras.Model:
    """DeepLab-LargeFOV, v2, v3 and v3+ on VGG or a ResNet.

    large_fov: one 3 x 3 convolution of rate 12, then 1 x 1. v2: four such branches, rates 6 to 24, added. v3: 1 x 1,
    rates 6, 12 and 18, and the image's mean, side by side. v3+: these separable, brought to a quarter of the image,
    beside what the backbone knows there, and two convolutions more.

    Args:
        variant: "large_fov", "v2", "v3" or "v3+".
        backbone: A VGG or ResNet of `image_classifier.ARCHITECTURES`.
        input_shape: (height, width, channels) of the image; height and width may be None.
        num_classes: Classes of a pixel; as many as `class_names` where these are given.
        output_stride: The image's height over that of the last features; None: 8 of large_fov and v2, else 16.
        width: Filters of the backbone's first convolution, which all others go with; None: as published.
        filters: Of the pyramid's branches; None: the paper's 256 (1024 of large_fov and v2 on VGG), scaled with width.
        rates: Of the pyramid; None: the paper's.
        multi_grid: Of a ResNet's last stage, as in `resnet`; None: 1, 2, 4 of v3 and v3+, else 1.
        weights: First ones of the backbone, as `image_classifier` takes them.
        frozen_normalization: Whether the backbone's normalization stays as it is, for small batches.
        class_names: The classes, which the network then keeps: `model.get_layer("class_names").names`; None: none.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits (batch, height, width, num_classes),
        float32.

    Raises:
        ValueError: Where there is no such variant, backbone or size.

    Example:

    >>> deeplab("v3+", "resnet18", (65, 97, 3), num_classes=11, width=8).output_shape
    (None, 65, 97, 11)

    Reference: Chen et al. 2016, arXiv 1606.00915; 2017, arXiv 1706.05587; 2018, arXiv 1802.02611.
    """
    if variant not in VARIANTS:
        raise ValueError(f"There is no variant {variant!r}; there are {', '.join(VARIANTS)}.")
    if not backbone.startswith(("vgg", "resnet")):
        raise ValueError(f"backbone={backbone!r}: expected a VGG or a ResNet, such as resnet50.")
    first = variant in ("large_fov", "v2")
    output_stride = output_stride or (8 if first else 16)
    trunk = _trunk(variant, backbone, input_shape, output_stride, width, multi_grid, weights)
    for layer in trunk.layers if frozen_normalization else ():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    image, levels = trunk.input, trunk.output
    names = sorted(levels)
    share = (width or 64) / 64
    num_classes = num_classes if class_names is None else len(class_names)
    align = "center" if backbone.startswith("vgg") else "first"  # where pooling, or strides, have brought the features
    x, stride = levels[names[-1]], output_stride
    if first:
        rates = rates or ((12,) if variant == "large_fov" else (6, 12, 18, 24))
        between = (filters or max(1, round(1024 * share))) if align == "center" or variant == "large_fov" else 0
        x = AtrousSpatialPyramidSum(num_classes, rates, between, dtype=_scores(between), name="scores")(x)
    else:
        filters = filters or max(1, round(256 * share))
        rates = rates or tuple(rate * 16 // output_stride for rate in RATES)
        x = AtrousSpatialPyramidPooling(filters, rates, separable=variant == "v3+", momentum=0.9, name="pyramid")(x)
        x = keras.layers.Dropout(0.1, name="pyramid_dropout")(x)
        if variant == "v3+":
            x, stride = _decoded(x, levels, filters, output_stride, align)
        x = keras.layers.Conv2D(num_classes, 1, dtype="float32", name="scores")(x)
    x = BilinearUpsampling2D(stride, align, dtype="float32", name="logits")(x, image)
    if class_names is not None:
        x = ClassNames(class_names, name="class_names")(x)
    return keras.Model(image, x, name=f"deeplab_{variant.replace('+', '_plus')}_{backbone}")


def useless_rates(model: keras.Model, height: int, width: int) -> list[int]:
    """Finds the rates of which nothing is left but a 1 x 1 convolution, as the features are smaller than they are.

    Args:
        model: Of `deeplab`.
        height: Of the images, in pixels.
        width: Likewise.

    Returns:
        Those of the model's rates that are at least the height and the width of the last features.

    Example:

    >>> useless_rates(deeplab("v3", "resnet18", width=4), 180, 240)
    [18]

    Reference: Chen et al. 2017, arXiv 1706.05587, section 3.3.
    """
    pyramids = AtrousSpatialPyramidPooling | AtrousSpatialPyramidSum
    (rates,) = (layer.rates for layer in model.layers if isinstance(layer, pyramids))
    stride = math.prod(layer.size for layer in model.layers if isinstance(layer, BilinearUpsampling2D))
    return [rate for rate in rates if rate >= math.ceil(max(height, width) / stride)]


def _trunk(variant, backbone, input_shape, output_stride, width, multi_grid, weights):
    options = {}
    if backbone.startswith("resnet"):
        options["multi_grid"] = multi_grid or ((1, 2, 4) if variant in ("v3", "v3+") else (1,))
    elif multi_grid:
        raise ValueError(f"multi_grid={tuple(multi_grid)} is for ResNets; the backbone is {backbone}.")
    return image_classifier.image_classifier(
        backbone,
        input_shape,
        width=width,
        include_top=False,
        output_stride=output_stride,
        weights=weights,
        **options,
    )


def _scores(between):
    """The last sum is in float32; where layers lie between, these follow the policy."""
    return None if between else "float32"


def _decoded(x, levels, filters, output_stride, align):
    """The pyramid's features beside what the backbone knows at a quarter of the image, or at all of it.

    Always there, whatever the output stride: so the weights of one output stride serve another.
    """
    stride = 4 if output_stride > 4 else 1
    name = f"level_{stride.bit_length() - 1}"
    fine = levels.get(name)
    if fine is None:
        raise ValueError(f"output_stride={output_stride}: the backbone has no features {name} for the decoder.")
    conv = Convolution(epsilon=1e-5)
    fine = conv(fine, max(1, round(filters * 48 / 256)), 1, "fine")
    x = BilinearUpsampling2D(output_stride // stride, align, name="pyramid_enlarged")(x, fine)
    x = keras.layers.Concatenate(name="decoder")([x, fine])
    for number in (1, 2):
        how = {"padding": "same", "use_bias": False, "name": f"decoder_{number}_depthwise"}
        x = conv.normalize(keras.layers.DepthwiseConv2D(3, **how)(x), f"decoder_{number}_depthwise_bn")
        x = keras.layers.ReLU(name=f"decoder_{number}_depthwise_relu")(x)
        x = conv(x, filters, 1, f"decoder_{number}")
    return x, stride
