"""What a prior over maps of codes is told: a class, and maps that are known already."""

from collections.abc import Sequence

import keras

from toolkit.layers.class_names import ClassNames


def conditions(
    size: tuple[int, int],
    num_codes: int,
    *,
    num_classes: int = 0,
    class_names: Sequence[str] = (),
    num_maps: int = 0,
    context_size: tuple[int, int] | None = None,
    num_context_codes: int | None = None,
    num_context_blocks: int = 2,
    condition_filters: int = 64,
) -> tuple[dict[str, keras.KerasTensor], keras.KerasTensor | None]:
    """Makes the inputs of a prior, and what it knows of each place before it has read a code.

    A class is embedded as one vector for all places. The known maps are embedded and concatenated; a
    convolution and residual blocks, none of them causal, see them together, and a transposed convolution brings them to
    the size of the map that is to be drawn. Both are added.

    Args:
        size: Height and width of the map that is to be drawn.
        num_codes: Different codes in it.
        num_classes: Classes; 0: none is given, or as many as `class_names`.
        class_names: Their names, which the network keeps; empty: they have none.
        num_maps: Maps that are known already; 0: none are given.
        context_size: Height and width of those, which divide the map's; None: the map's.
        num_context_codes: Different codes in those; None: `num_codes`.
        num_context_blocks: Residual blocks over those, each of 3 x 3.
        condition_filters: Channels of the result.

    Returns:
        The inputs by name: "codes" and, where they are given, "label" and "context"; and what is known, (batch, height
        or 1, width or 1, condition_filters), of a layer named "condition", or None where only codes are read.

    Raises:
        ValueError: Where the names are not as many as the classes, or the known maps' size does not divide the map's.

    Example:

    >>> inputs, known = conditions((4, 6), 16, num_classes=3, num_maps=1, context_size=(2, 3), condition_filters=8)
    >>> list(inputs), known.shape
    (['codes', 'label', 'context'], (None, 4, 6, 8))

    Reference: van den Oord et al. 2016, arXiv 1606.05328, section 2.3; Razavi et al. 2019, arXiv 1906.00446, section
    3.2.
    """
    num_classes = num_classes or len(class_names)
    if class_names and len(class_names) != num_classes:
        raise ValueError(f"{len(class_names)} class_names for {num_classes} classes.")
    inputs, known = {"codes": keras.Input(size, dtype="int32", name="codes")}, []
    if num_classes:
        inputs["label"] = keras.Input((), dtype="int32", name="label")
        label = ClassNames(class_names, name="class_names")(inputs["label"]) if class_names else inputs["label"]
        label = keras.layers.Embedding(num_classes, condition_filters, name="label_embedding")(label)
        known.append(keras.layers.Reshape((1, 1, condition_filters), name="label_everywhere")(label))
    if num_maps:
        context_size = size if context_size is None else tuple(context_size)
        inputs["context"] = keras.Input((num_maps, *context_size), dtype="int32", name="context")
        num_context_codes = num_codes if num_context_codes is None else num_context_codes
        known.append(_seen(inputs["context"], num_context_codes, size, num_context_blocks, condition_filters))
    if not known:
        return inputs, None
    both = keras.layers.Add(name="known")(known) if len(known) > 1 else known[0]
    return inputs, keras.layers.Identity(name="condition")(both)


def _seen(context, num_codes, size, num_blocks, filters):
    """What the known maps say of each place, (batch, height, width, filters)."""
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
