"""All image networks by name."""

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import keras

from toolkit.layers.class_names import ClassNames
from toolkit.models import image_blocks
from toolkit.models.alexnet import alexnet, zfnet
from toolkit.models.googlenet import googlenet
from toolkit.models.inception import inception_v2, inception_v3
from toolkit.models.inception_v4 import inception_resnet_v2, inception_v4
from toolkit.models.resnet import resnet
from toolkit.models.small_classifiers import last_layer
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
    class_names: Sequence[str] | None = None,
    **options,
) -> keras.Model:
    """Builds a network by its name.

    Args:
        architecture: One of `ARCHITECTURES`.
        input_shape: (height, width, channels) of the image; None: as published.
        num_classes: Logits; as many as `class_names` where these are given.
        width: Filters of the first convolution, which all others go with; None: as published.
        stem: "imagenet", or "small" for images such as 32 x 32; "auto": "small" under 64 pixels; None: as published.
        include_top: Whether the model gives logits, or else its feature levels.
        output_stride: The image's height over that of the last features, by dilation; None: as published.
        weights: None: random; "imagenet": those of `keras.applications` where it has them; or the path of a file.
        class_names: The classes, which the network then keeps: `model.get_layer("class_names").names`; None: none.
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
    if stem == "auto":
        stem = _stem_for(min(filter(None, (input_shape or published_shape(architecture))[:2]), default=64))
    given = {"input_shape": input_shape, "width": width, "stem": stem}
    options |= {name: value for name, value in given.items() if value is not None}
    model = build(
        num_classes=num_classes if class_names is None else len(class_names),
        include_top=include_top,
        output_stride=output_stride,
        weights=weights,
        **options,
    )
    return model if class_names is None else _named(model, class_names)


def _named(model, class_names):
    outputs, layer = model.output, ClassNames(class_names, name="class_names")
    if isinstance(outputs, dict):
        outputs = {**outputs, "logits": layer(outputs["logits"])}
    else:
        outputs = layer(outputs)
    return keras.Model(model.input, outputs, name=model.name)


def _stem_for(side):
    return "small" if side < 64 else "imagenet"


def trainee(
    architecture: str,
    image_size: int,
    class_names: Sequence[str],
    *,
    width: int | None = None,
    stem: str = "auto",
    weights: str | None = None,
    auxiliary: bool = True,
    synchronized: bool = False,
) -> keras.Model:
    """Builds a network as it is trained, with outputs by name.

    Args:
        architecture: As in `image_classifier`.
        image_size: Height and width of the image, which has three channels.
        class_names: The classes, which the network keeps.
        width: As in `image_classifier`.
        stem: As in `image_classifier`.
        weights: As in `image_classifier`.
        auxiliary: Whether it has auxiliary heads, where the architecture knows such.
        synchronized: Whether batch normalization sees the whole batch of a step that several devices share, as it would
            on one device.

    Returns:
        A model from "image" (batch, image_size, image_size, 3), 0 to 255, to {"logits": (batch, classes)} and perhaps
        further heads' logits; `classifier` leaves these away.

    Example:

    >>> list(trainee("googlenet", 32, ["cat", "dog"], width=4).output)
    ['logits', 'auxiliary_1', 'auxiliary_2']

    Reference: Szegedy et al. 2015, section 5 (auxiliary heads).
    """
    known = inspect.signature(builder(architecture)).parameters
    options = {"auxiliary": True} if auxiliary and "auxiliary" in known else {}
    shape = (image_size, image_size, 3)
    model = image_classifier(
        architecture, shape, width=width, stem=stem, weights=weights, class_names=class_names, **options
    )
    if synchronized:
        image_blocks.synchronize(model)
    outputs = model.output if isinstance(model.output, dict) else {"logits": model.output}
    return keras.Model(model.input, outputs, name=model.name)


def classifier(model: keras.Model) -> keras.Model:
    """Takes the network without auxiliary heads out of one with outputs by name.

    Args:
        model: What `trainee` returned; or a model of one output, which is its logits.

    Returns:
        A model from the image to logits (batch, classes), which shares the weights.

    Example:

    >>> classifier(trainee("googlenet", 32, ["cat", "dog"], width=4)).output_shape
    (None, 2)
    """
    outputs = model.output
    return keras.Model(model.input, outputs["logits"] if isinstance(outputs, dict) else outputs, name=model.name)


def with_dense_end(network: Any) -> keras.Model:
    """Takes the classifier out of what was trained, if it is one of images whose last layer is dense.

    Args:
        network: A model of one output or of several by name; anything else, such as several models, is none.

    Returns:
        What `classifier` returns.

    Raises:
        ValueError: Where it is none, or does not keep its classes.

    Example:

    >>> with_dense_end(trainee("resnet8", 8, ["cat", "dog"], width=4, stem="small")).output_shape
    (None, 2)
    """
    try:
        found = classifier(network)
        last_layer(found)
        if len(found.input_shape) == 4 and found.get_layer("class_names"):
            return found
    except (AttributeError, KeyError, ValueError):  # several networks, other outputs
        pass
    raise ValueError("it is no classifier of images whose last layer is dense")


def check_size(architecture: str, image_size: int, stem: str = "auto") -> None:
    """Builds a network, narrow, which takes a second, to see whether something is left of images of a size.

    Args:
        architecture: One of `ARCHITECTURES`.
        image_size: Height and width of the image.
        stem: As in `image_classifier`.

    Raises:
        ValueError: Where there is no such network, or its images are too small.

    Example:

    >>> check_size("resnet20", 8)
    """
    stem = _stem_for(image_size) if stem == "auto" else stem
    try:
        builder(architecture)(input_shape=(image_size, image_size, 3), num_classes=2, stem=stem, width=4)
    except ValueError as error:
        if not re.search("negative|zero|empty", str(error)):
            raise
        raise ValueError(
            f"--image_size={image_size} is too small: {architecture} with --stem={stem} leaves nothing of such an "
            "image. Give larger ones, or --stem=small."
        ) from error


def published_shape(architecture: str) -> tuple[int, int, int]:
    """Looks up the images that a network was published for.

    Args:
        architecture: One of `ARCHITECTURES`.

    Returns:
        (height, width, channels).

    Raises:
        ValueError: Where the name is unknown.

    Example:

    >>> published_shape("inception_v3")
    (299, 299, 3)
    """
    return inspect.signature(builder(architecture)).parameters["input_shape"].default


def builder(architecture: str) -> Callable[..., keras.Model]:
    """Finds the function that builds a network.

    Args:
        architecture: One of `ARCHITECTURES`.

    Returns:
        A function of `image_classifier`'s arguments.

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
