"""All image networks by name."""

import difflib
import functools
import inspect
from collections.abc import Callable

import keras

from toolkit.models.alexnet import alexnet, zfnet
from toolkit.models.googlenet import googlenet
from toolkit.models.inception import inception_v2, inception_v3
from toolkit.models.inception_v4 import inception_resnet_v2, inception_v4
from toolkit.models.resnet import resnet
from toolkit.models.vgg import vgg

# The narrow networks for small images, as He et al. 2016 have them in section 4.2.
_NARROW = {"input_shape": (32, 32, 3), "width": 16, "stem": "small"}

# Name to the function that builds the network, what makes it this one of its family bound.
ARCHITECTURES = {
    "alexnet": alexnet,
    "zfnet": zfnet,
    **{f"vgg{depth}": functools.partial(vgg, depth) for depth in (11, 13, 16, 19)},
    "googlenet": googlenet,
    "inception_v2": inception_v2,
    "inception_v3": inception_v3,
    "inception_v4": inception_v4,
    "inception_resnet_v2": inception_resnet_v2,
    **{f"resnet{depth}": functools.partial(resnet, depth) for depth in (18, 34, 50, 101, 152)},
    **{f"resnet{depth}v2": functools.partial(resnet, depth, version=2) for depth in (18, 34, 50, 101, 152)},
    **{f"resnet{depth}": functools.partial(resnet, depth, **_NARROW) for depth in (8, 14, 20, 32, 44, 56, 110)},
    **{f"plain{depth}": functools.partial(resnet, depth, shortcuts=False) for depth in (18, 34)},
    **{f"plain{depth}": functools.partial(resnet, depth, shortcuts=False, **_NARROW) for depth in (20, 32, 44, 56)},
}


def image_classifier(
    architecture: str,
    input_shape: tuple[int | None, int | None, int] | None = None,
    num_classes: int = 1000,
    *,
    width: int | None = None,
    stem: str | None = None,
    include_top: bool = True,
    output_stride: int | None = None,
    weights: str | None = None,
    **options,
) -> keras.Model:
    """A network by its name.

    Args:
        architecture: One of `ARCHITECTURES`.
        input_shape: (height, width, channels) of the image; None: as published.
        num_classes: Logits.
        width: Filters of the first convolution, which all others go with; None: as published.
        stem: "imagenet", or "small" for images such as 32 x 32; None: as published.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation; None: as published.
        weights: None: random; "imagenet": those of `keras.applications` where it has them; or the path of a file.
        **options: What the family has more, such as `auxiliary`.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to logits or feature levels.

    Raises:
        ValueError: Where the name is unknown or a size is none that the network has.

    Example:

    >>> image_classifier("resnet20", num_classes=10, width=4).output_shape
    (None, 10)
    >>> image_classifier("resnet-50")
    Traceback (most recent call last):
    ValueError: There is no architecture 'resnet-50'; did you mean 'resnet50'? There are alexnet, ...
    """
    build = builder(architecture)
    unknown = sorted(options.keys() - inspect.signature(build).parameters.keys())
    if unknown:
        raise ValueError(f"{architecture} has no option {', '.join(unknown)}.")
    given = {"input_shape": input_shape, "width": width, "stem": stem}
    options |= {name: value for name, value in given.items() if value is not None}
    return build(
        num_classes=num_classes, include_top=include_top, output_stride=output_stride, weights=weights, **options
    )


def builder(architecture: str) -> Callable[..., keras.Model]:
    """The function that builds a network.

    Args:
        architecture: One of `ARCHITECTURES`.

    Raises:
        ValueError: Where the name is unknown: the nearest is suggested.

    Example:

    >>> builder("resnet20").keywords["width"]
    16
    """
    if architecture not in ARCHITECTURES:
        nearest = difflib.get_close_matches(str(architecture).lower(), ARCHITECTURES, n=1)
        suggestion = f"; did you mean {nearest[0]!r}?" if nearest else "."
        raise ValueError(f"There is no architecture {architecture!r}{suggestion} There are {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[architecture]
