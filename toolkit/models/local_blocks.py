"""Networks in blocks that can learn each from an error of its own: VGG8B, VGG11B, a multi-layer perceptron."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from toolkit.layers.class_names import ClassNames
from toolkit.layers.cutout import Cutout
from toolkit.layers.feedback_alignment import FeedbackAlignment
from toolkit.layers.fused_batch_normalization import FusedBatchNormalization
from toolkit.layers.spatial_deviation import SpatialDeviation
from toolkit.models import image_blocks

# The filters of each convolution, and where maps are halved; dense blocks follow.
ARCHITECTURES = {
    "vgg8b": (128, 256, "pool", 256, 512, "pool", 512, "pool", 512, "pool"),
    "vgg11b": (128, 128, 128, 256, "pool", 256, 512, "pool", 512, 512, "pool", 512, "pool"),
    "mlp": (),
}
LOCAL_LOSSES = ("pred", "sim", "predsim", "pred-bpf", "sim-bpf", "predsim-bpf")
# That of torch.nn.Linear and torch.nn.Conv2d.
_KERNEL = {"class_name": "VarianceScaling", "config": {"scale": 1 / 3, "mode": "fan_in", "distribution": "uniform"}}


def local_blocks(
    architecture: str | Sequence,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    class_names: Sequence[str] | int = 10,
    *,
    loss: str = "predsim",
    width: int | None = None,
    units: int = 1024,
    num_hidden: int | None = None,
    dropout: float = 0.2,
    decoder_size: int = 2048,
    projection_size: int = 128,
    cutout: int = 0,
) -> keras.Model:
    """Makes a classifier of blocks: a linear map (3 x 3 convolution, or dense), batch normalization, ReLU.

    Of block n the features h are the output of the layer "block_n". What is passed on, after dropout and pooling, lets
    no gradient back, but for `loss="global"`. Beside it a block has what its own error is computed from:

    - of pred, an output "block_n_prediction": a linear classifier of h, its maps averaged over windows until no more
      than `decoder_size` numbers are left; of pred-bpf `projection_size` bits, by `layers.FeedbackAlignment`;
    - of sim, an output "block_n_similarity": a 3 x 3 convolution or dense layer on h, without bias, and of maps the
      standard deviation over places; of sim-bpf that of the averaged h itself;
    - of predsim, both.

    ReLU is leaky (0.01) where similarities are learned, as published. `stages` cuts the network into its blocks.

    Args:
        architecture: One of `ARCHITECTURES`; or a plan of one's own: filters, and "pool" where maps are halved.
        input_shape: (height, width, channels) of the images.
        class_names: The classes, which the network keeps; or how many.
        loss: "global": nothing but the classifier; or one of `LOCAL_LOSSES`.
        width: Filters of the first convolution, which the others go with; None: as published, 128.
        units: Of each dense block.
        num_hidden: Dense blocks; None: as published, 3 of "mlp", else 1.
        dropout: Share of the channels, of dense blocks numbers, that are not passed on in training.
        decoder_size: See above; 4096, 2048 or 1024 in the paper.
        projection_size: See above.
        cutout: Side of a square that is left out of each training image, in pixels; 0: none.

    Returns:
        A model from "image" (batch, height, width, channels), 0 to 255, to a dict: "logits" (batch, classes), and what
        each block has, float32. `models.image_classifier.classifier` leaves all but the logits away.

    Raises:
        ValueError: Where a name is unknown, a size out of range, or nothing is left of the images when halved.

    Example:

    >>> model = local_blocks("vgg8b", (16, 16, 3), width=4, units=8)
    >>> {name: value.shape[1] for name, value in model.output.items() if "block" not in name or "6" in name}
    {'logits': 10, 'block_6_prediction': 10, 'block_6_similarity': 16}
    >>> len(stages(model))
    8

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656; the layers are those of its published code.
    """
    plan = _plan(architecture, input_shape, loss, units, dropout, decoder_size, projection_size)
    how = {"loss": loss, "decoder_size": decoder_size, "projection_size": projection_size}
    how["num_classes"] = class_names if isinstance(class_names, int) else len(class_names)
    if num_hidden is None:
        num_hidden = 3 if architecture == "mlp" else 1
    first = next((each for each in plan if each != "pool"), units)
    scaled = image_blocks.scaling(width or first, first)
    inputs, x = image_blocks.image_input(input_shape, "small")
    if cutout:
        x = Cutout(cutout, name="cutout")(x)
    outputs, number = {}, 0
    for place, filters in enumerate(plan):
        if filters == "pool":
            continue
        number += 1
        linear = keras.layers.Conv2D(scaled(filters), 3, padding="same", **_linear(number))
        x, found = _block(linear, x, number, **how)
        outputs |= found
        if dropout:
            x = keras.layers.SpatialDropout2D(dropout, name=f"block_{number}_dropout")(x)
        if plan[place + 1 : place + 2] == ("pool",):
            x = keras.layers.MaxPooling2D(2, name=f"block_{number}_pool")(x)
        x = _passed(x, loss)
    x = keras.layers.Flatten(name="flatten")(x)
    for _ in range(num_hidden):
        number += 1
        x, found = _block(keras.layers.Dense(units, **_linear(number)), x, number, **how)
        outputs |= found
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"block_{number}_dropout")(x)
        x = _passed(x, loss)
    if not number:
        raise ValueError("there must be one block at least; got a plan without convolutions and num_hidden=0.")
    logits = _classifier(how["num_classes"], "logits", zeros=loss != "global")(x)
    if not isinstance(class_names, int):
        logits = ClassNames(class_names, name="class_names")(logits)
    name = architecture if isinstance(architecture, str) else "local_blocks"
    return keras.Model(inputs, {"logits": logits, **outputs}, name=name)


def _plan(architecture, input_shape, loss, units, dropout, decoder_size, projection_size):
    """The plan of an architecture, once all is seen to be in range."""
    if isinstance(architecture, str) and architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}; got {architecture!r}.")
    if loss != "global" and loss not in LOCAL_LOSSES:
        raise ValueError(f"loss must be one of global, {', '.join(LOCAL_LOSSES)}; got {loss!r}.")
    for name, size in (("units", units), ("decoder_size", decoder_size), ("projection_size", projection_size)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}.")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and less than 1; got {dropout}.")
    plan = tuple(ARCHITECTURES[architecture] if isinstance(architecture, str) else architecture)
    smallest = 2 ** plan.count("pool")
    if None in tuple(input_shape) or min(input_shape[:2]) < smallest:
        raise ValueError(
            f"input_shape={tuple(input_shape)}: {architecture} halves its maps {plan.count('pool')} times, so height "
            f"and width must be at least {smallest}."
        )
    return plan


def _linear(number):
    return {"kernel_initializer": _KERNEL, "name": f"block_{number}_linear"}


def _classifier(num_classes, name, zeros=True):
    how = {"kernel_initializer": "zeros"} if zeros else {"kernel_initializer": _KERNEL}
    return keras.layers.Dense(num_classes, dtype="float32", name=name, **how)


def _block(linear, x, number, *, loss, num_classes, decoder_size, projection_size):
    """A block's features h, and the outputs that its own error is computed from, by name."""
    name, kind, free = f"block_{number}", loss.removesuffix("-bpf"), loss.endswith("-bpf")
    x = FusedBatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(linear(x))
    h = keras.layers.ReLU(negative_slope=0.01 if "sim" in kind else 0.0, name=name)(x)
    outputs, averaged = {}, h
    size = pooled_by(*h.shape[1:], decoder_size) if len(h.shape) == 4 else (1, 1)
    if loss != "global" and size != (1, 1):
        averaged = keras.layers.AveragePooling2D(size, padding="same", name=f"{name}_average")(h)
    if "pred" in kind:
        flat = keras.layers.Flatten(name=f"{name}_flat")(averaged) if len(h.shape) == 4 else h
        decoder = f"{name}_prediction"
        layer = FeedbackAlignment(projection_size, dtype="float32", name=decoder) if free else None
        outputs[decoder] = (layer or _classifier(num_classes, decoder))(flat)
    if "sim" in kind:
        outputs[f"{name}_similarity"] = _similarity(averaged if free else h, name, mapped=not free)
    return h, outputs


def _similarity(h, name, mapped):
    how = {"use_bias": False, "kernel_initializer": _KERNEL, "name": f"{name}_similarity_map"}
    if mapped and len(h.shape) == 4:
        h = keras.layers.Conv2D(h.shape[-1], 3, padding="same", **how)(h)
    elif mapped:
        h = keras.layers.Dense(h.shape[-1], **how)(h)
    return compared(h, f"{name}_similarity")


def compared(h: Any, name: str) -> Any:
    """Gives the numbers whose angles say how alike images are, as published.

    Args:
        h: A block's features (batch, height, width, channels) or (batch, units).
        name: Of the layer.

    Returns:
        float32 (batch, numbers): of more than three maps of more than one row the standard deviation over places, else
        all features.
    """
    if len(h.shape) == 4 and h.shape[-1] > 3 and h.shape[1] > 1:
        return SpatialDeviation(name=name)(h)
    if len(h.shape) == 4:
        h = keras.layers.Flatten(name=f"{name}_flat")(h)
    return keras.layers.Activation("linear", dtype="float32", name=name)(h)


def _passed(x, loss):
    """What the next block sees."""
    return x if loss == "global" else ops.stop_gradient(x)


def pooled_by(height: int, width: int, channels: int, decoder_size: int) -> tuple[int, int]:
    """Finds the windows over which maps are averaged until few enough numbers are left for a classifier.

    A window's height and width are doubled in turns, height first, while there are more, until it is as high as a map.

    Args:
        height: Of the maps.
        width: Of the maps.
        channels: How many maps.
        decoder_size: Numbers that may be left.

    Returns:
        (height, width) of a window.

    Example:

    >>> pooled_by(32, 32, 128, 2048), pooled_by(4, 4, 512, 2048), pooled_by(2, 2, 512, 2048)
    ((8, 8), (2, 2), (1, 1))

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656; the published code.
    """
    size = [1, 1]

    def left():
        return channels * math.ceil(height / size[0]) * math.ceil(width / size[1])

    while left() > decoder_size and size[0] < height:
        size[0] *= 2
        if left() > decoder_size:
            size[1] *= 2
    return tuple(size)


def stages(network: keras.Model) -> list[keras.Model]:
    """Cuts a network into its blocks, which can be computed one after another.

    Args:
        network: What `local_blocks` returned, or the same loaded from a file.

    Returns:
        A model for each block and one for the logits, which share the weights: each from what the one before passes on,
        the first from the image, to a dict of its outputs and "passed", which the last one has not.
    """
    names, starts = block_names(network), [network.input]
    starts += [network.get_layer(f"{name}_linear").input for name in names[1:]]
    starts.append(network.get_layer("logits").input)
    found = []
    for number, name in enumerate(names):
        own = {key: tensor for key, tensor in network.output.items() if key.startswith(f"{name}_")}
        found.append(keras.Model(starts[number], {**own, "passed": starts[number + 1]}, name=f"{name}_stage"))
    return [*found, keras.Model(starts[-1], {"logits": network.output["logits"]}, name="logits_stage")]


def block_names(network: keras.Model) -> list[str]:
    """Names the blocks of a network, first to last, which are the layers whose outputs are their features.

    Args:
        network: What `local_blocks` returned, or the same loaded from a file.
    """
    linear = [layer.name for layer in network.layers if layer.name.endswith("_linear")]
    return sorted((name.removesuffix("_linear") for name in linear), key=lambda name: int(name.split("_")[1]))
