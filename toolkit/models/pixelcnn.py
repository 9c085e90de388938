"""Gated PixelCNN: the next code of a map from those before it, a prior over maps of discrete codes."""

from collections.abc import Sequence

import keras

from toolkit.layers.gated_pixel_block import GatedPixelBlock
from toolkit.models import code_conditions


def pixelcnn(
    height: int,
    width: int,
    num_codes: int,
    filters: int = 384,
    num_blocks: int = 20,
    kernel_size: int = 5,
    *,
    head_filters: int = 384,
    num_classes: int = 0,
    class_names: Sequence[str] = (),
    num_maps: int = 0,
    context_size: tuple[int, int] | None = None,
    num_context_codes: int | None = None,
    num_context_blocks: int = 2,
    condition_filters: int = 64,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds a network that models each code of a map given those before it, in raster order.

    Codes are embedded; gated blocks of a vertical and a horizontal stack follow, and ReLU, 1 x 1, ReLU, 1 x 1. A class
    is a vector that every block adds at all places. Maps that are known already (the frames before, or a coarser level)
    are embedded, combined by residual blocks that are not causal, brought to the size of the map by a transposed
    convolution of that stride, and added likewise.

    Args:
        height: Rows of the map.
        width: Codes in a row.
        num_codes: Different codes.
        filters: Channels of both stacks.
        num_blocks: Gated blocks, the first of mask "A".
        kernel_size: Odd: each block reads half as many rows above and places to the left.
        head_filters: Channels of the 1 x 1 convolution before the logits.
        num_classes: Classes; 0: none is given, or as many as `class_names`.
        class_names: Their names, which the network keeps; empty: they have none.
        num_maps: Maps that are known already; 0: none are given.
        context_size: Height and width of those, which divide the map's; None: the map's.
        num_context_codes: Different codes in those; None: `num_codes`.
        num_context_blocks: Residual blocks over those, each of 3 x 3.
        condition_filters: Channels of the class's vector and of what is known of each place.
        dropout: Share of the blocks' gated values that training leaves out.

    Returns:
        A model from a dictionary: "codes" (batch, height, width), integers; with `num_classes` "label" (batch,),
        integers; with `num_maps` "context" (batch, num_maps, *context_size), integers. It returns logits (batch,
        height, width, num_codes), float32: at each place, of the code there, of which it has read those before.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> model = pixelcnn(4, 6, 16, filters=8, num_blocks=3, head_filters=8, num_classes=3)
    >>> model({"codes": keras.ops.zeros((2, 4, 6), "int32"), "label": keras.ops.array([0, 2])}).shape
    TensorShape([2, 4, 6, 16])

    Reference: van den Oord et al. 2016, arXiv 1606.05328, sections 2.1 to 2.3; as a prior: arXiv 1711.00937, section
    3.3; of a level given a coarser one: Razavi et al. 2019, arXiv 1906.00446, section 3.2.
    """
    sizes = {"height": height, "width": width, "num_codes": num_codes, "num_blocks": num_blocks}
    sizes |= {"head_filters": head_filters, "condition_filters": condition_filters}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}.")
    inputs, condition = code_conditions.conditions(
        (height, width),
        num_codes,
        num_classes=num_classes,
        class_names=class_names,
        num_maps=num_maps,
        context_size=context_size,
        num_context_codes=num_context_codes,
        num_context_blocks=num_context_blocks,
        condition_filters=condition_filters,
    )
    v = h = keras.layers.Embedding(num_codes, filters, name="lookup")(inputs["codes"])
    for number in range(1, num_blocks + 1):
        block = GatedPixelBlock(filters, kernel_size, "AB"[number > 1], dropout, name=f"block_{number}")
        v, h = block(v, h, condition)
    h = keras.layers.ReLU(name="last")(h)
    h = keras.layers.Dense(head_filters, activation="relu", name="hidden")(h)
    return keras.Model(inputs, keras.layers.Dense(num_codes, dtype="float32", name="logits")(h), name="pixelcnn")


def class_names(model: keras.Model) -> list[str]:
    """Returns the names of a network's classes.

    Args:
        model: What `pixelcnn` or `pixelsnail.pixelsnail` returned, or the same loaded from a file.

    Returns:
        Its names, none where it was given none.
    """
    layers = {layer.name: layer for layer in model.layers}
    return list(layers["class_names"].names) if "class_names" in layers else []


def blocks(model: keras.Model) -> list[GatedPixelBlock]:
    """Returns the gated blocks of a network, from the input on.

    Args:
        model: What `pixelcnn` or `pixelsnail.pixelsnail` returned, or the same loaded from a file.
    """
    found = [layer for layer in model.layers if isinstance(layer, GatedPixelBlock)]
    return sorted(found, key=lambda block: int(block.name.rpartition("_")[2]))
