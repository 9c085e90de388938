"""Gated PixelCNN: the next code of a map from those before it, a prior over maps of discrete codes."""

from collections.abc import Sequence

import keras

from toolkit.layers.class_names import ClassNames
from toolkit.layers.gated_pixel_block import GatedPixelBlock


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
    """The distribution of each code of a map given those before it, row by row from the left.

    Codes are looked up; gated blocks of a vertical and a horizontal stack follow, and ReLU, 1 x 1, ReLU, 1 x 1. A class
    is a vector that every block adds at all places. Maps that are known already (the frames before, or a coarser level)
    are looked up, seen together by residual blocks that are not causal, brought to the size of the map by a transposed
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
    inputs, condition = told(
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


def told(
    size: tuple[int, int],
    num_codes: int,
    *,
    num_classes: int,
    class_names: Sequence[str],
    num_maps: int,
    context_size: tuple[int, int] | None,
    num_context_codes: int | None,
    num_context_blocks: int,
    condition_filters: int,
) -> tuple[dict[str, keras.KerasTensor], keras.KerasTensor | None]:
    """Makes the inputs of a prior, and what it knows of each place before it has read a code.

    Args:
        size: Height and width of the map.
        num_codes: Different codes.
        num_classes: As in `pixelcnn`.
        class_names: As there.
        num_maps: As there.
        context_size: As there.
        num_context_codes: As there.
        num_context_blocks: As there.
        condition_filters: As there.

    Returns:
        The inputs by name; and (batch, height or 1, width or 1, condition_filters), of a layer named "condition", or
        None where only codes are read.

    Raises:
        ValueError: Where the names are not as many as the classes, or the known maps' size does not divide the map's.
    """
    num_classes = num_classes or len(class_names)
    if class_names and len(class_names) != num_classes:
        raise ValueError(f"{len(class_names)} class_names for {num_classes} classes.")
    inputs, conditions = {"codes": keras.Input(size, dtype="int32", name="codes")}, []
    if num_classes:
        inputs["label"] = keras.Input((), dtype="int32", name="label")
        label = ClassNames(class_names, name="class_names")(inputs["label"]) if class_names else inputs["label"]
        label = keras.layers.Embedding(num_classes, condition_filters, name="label_embedding")(label)
        conditions.append(keras.layers.Reshape((1, 1, condition_filters), name="label_everywhere")(label))
    if num_maps:
        context_size = size if context_size is None else tuple(context_size)
        inputs["context"] = keras.Input((num_maps, *context_size), dtype="int32", name="context")
        num_context_codes = num_codes if num_context_codes is None else num_context_codes
        conditions.append(_seen(inputs["context"], num_context_codes, size, num_context_blocks, condition_filters))
    if not conditions:
        return inputs, None
    condition = keras.layers.Add(name="known")(conditions) if len(conditions) > 1 else conditions[0]
    return inputs, keras.layers.Identity(name="condition")(condition)


def class_names(model: keras.Model) -> list[str]:
    """The names of the classes that a network knows.

    Args:
        model: What `pixelcnn` or `pixelsnail.pixelsnail` returned, or the same loaded from a file.

    Returns:
        Its names, none where it was given none.
    """
    layers = {layer.name: layer for layer in model.layers}
    return list(layers["class_names"].names) if "class_names" in layers else []


def blocks(model: keras.Model) -> list[GatedPixelBlock]:
    """The gated blocks of a network, from the codes on.

    Args:
        model: What `pixelcnn` or `pixelsnail.pixelsnail` returned, or the same loaded from a file.
    """
    found = [layer for layer in model.layers if isinstance(layer, GatedPixelBlock)]
    return sorted(found, key=lambda block: int(block.name.rpartition("_")[2]))


def _seen(context, num_codes, size, num_blocks, filters):
    """What the known maps say of each place, (batch, *size, filters)."""
    _, num_maps, *known = context.shape
    if any(side % own for side, own in zip(size, known, strict=True)):
        raise ValueError(f"context_size must divide the map's {size[0]} x {size[1]}; got {known[0]} x {known[1]}.")
    strides = tuple(side // own for side, own in zip(size, known, strict=True))
    x = keras.layers.Embedding(num_codes, filters, name="context_embedding")(context)
    x = keras.layers.Permute((2, 3, 1, 4), name="context_last")(x)
    x = keras.layers.Reshape((*known, num_maps * filters), name="context_beside")(x)
    x = keras.layers.Conv2D(filters, 3, padding="same", name="context_in")(x)
    for number in range(1, num_blocks + 1):
        y = keras.layers.ReLU(name=f"context_{number}_in")(x)
        y = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"context_{number}_wide")(y)
        y = keras.layers.Conv2D(filters, 1, name=f"context_{number}_out")(y)
        x = keras.layers.Add(name=f"context_{number}")([x, y])
    # Not repeated, so that places of one coarse code are told apart.
    return x if strides == (1, 1) else keras.layers.Conv2DTranspose(filters, strides, strides, name="upsampling")(x)
