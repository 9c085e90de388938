"""PixelSNAIL: a gated PixelCNN that also attends to all that is before a code, as VQ-VAE-2's priors are."""

from collections.abc import Sequence

import keras

from toolkit.layers.causal_attention_2d import CausalAttention2D
from toolkit.layers.coordinate_channels import CoordinateChannels
from toolkit.layers.gated_pixel_block import GatedPixelBlock, gate
from toolkit.models import code_conditions


def pixelsnail(
    height: int,
    width: int,
    num_codes: int,
    filters: int = 512,
    num_blocks: int = 20,
    kernel_size: int = 5,
    *,
    attention_every: int = 5,
    num_heads: int = 8,
    num_output_blocks: int = 20,
    num_classes: int = 0,
    class_names: Sequence[str] = (),
    num_maps: int = 0,
    context_size: tuple[int, int] | None = None,
    num_context_codes: int | None = None,
    num_context_blocks: int = 20,
    condition_filters: int | None = None,
    dropout: float = 0.1,
) -> keras.Model:
    """Builds a network that models each code of a map given those before it, with convolutions and attention.

    Codes are embedded; gated causal convolutions follow, after each few of them attention to what is before; then
    residual blocks of 1 x 1 lead to the logits. Attention's queries are made of the features h of a place and its
    coordinates, keys and values of those and the code that stands there; what it finds is added through a gate,
    h + R gate(W [h, found]). A class and a coarser level's codes are what they are to `pixelcnn.pixelcnn`.

    The convolutions are a PixelCNN's two stacks and not, as in PixelSNAIL, one whose kernels reach up and to the left:
    one alone has a blind spot to the right above, which there attention must make up for, and the finer level has none.
    The defaults are the published sizes of ImageNet's upper level; the lower one has `attention_every=0`. The gated
    values are as wide as the features, not four times (the paper's 2048 residual units).

    Args:
        height: Rows of the map.
        width: Codes in a row.
        num_codes: Different codes.
        filters: Channels of both stacks, a multiple of `num_heads` where there is attention.
        num_blocks: Gated blocks, the first of mask "A".
        kernel_size: Odd: each block reads half as many rows above and places to the left.
        attention_every: Gated blocks before each attention; 0: there is none.
        num_heads: Heads of attention, of filters / num_heads channels each.
        num_output_blocks: Residual blocks of 1 x 1 before the logits.
        num_classes: Classes; 0: none is given, or as many as `class_names`.
        class_names: Their names, which the network keeps; empty: they have none.
        num_maps: Maps that are known already; 0: none are given.
        context_size: Height and width of those, which divide the map's; None: the map's.
        num_context_codes: Different codes in those; None: `num_codes`.
        num_context_blocks: Residual blocks over those, each of 3 x 3.
        condition_filters: Channels of the class's vector and of what is known of each place; None: `filters`.
        dropout: Share of the blocks' inner values that training leaves out.

    Returns:
        A model of the inputs and output of `pixelcnn.pixelcnn`; `pixelcnn.class_names` and `pixelcnn.blocks` know it.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> model = pixelsnail(4, 6, 16, 8, 4, attention_every=2, num_heads=2, num_output_blocks=1, num_classes=3)
    >>> model({"codes": keras.ops.zeros((2, 4, 6), "int32"), "label": keras.ops.array([0, 2])}).shape
    TensorShape([2, 4, 6, 16])
    >>> sorted(attentions(model))
    [2, 4]

    Reference: Chen et al. 2018, arXiv 1712.09763, section 2.3; Razavi et al. 2019, arXiv 1906.00446, section 3.2 and
    appendix.
    """
    condition_filters = filters if condition_filters is None else condition_filters
    sizes = {"height": height, "width": width, "num_codes": num_codes, "num_blocks": num_blocks}
    sizes |= {"num_heads": num_heads, "condition_filters": condition_filters}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}.")
    if min(attention_every, num_output_blocks) < 0:
        raise ValueError(
            f"attention_every and num_output_blocks must be at least 0; got {attention_every} and {num_output_blocks}."
        )
    if attention_every and filters % num_heads:
        raise ValueError(f"filters must be a multiple of num_heads, {num_heads}; got {filters}.")
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
    looked_up = v = h = keras.layers.Embedding(num_codes, filters, name="lookup")(inputs["codes"])
    for number in range(1, num_blocks + 1):
        block = GatedPixelBlock(filters, kernel_size, "AB"[number > 1], dropout, name=f"block_{number}")
        v, h = block(v, h, condition)
        if attention_every and number % attention_every == 0:
            h = _attended(h, looked_up, num_heads, dropout, f"attention_{number}")
    for number in range(1, num_output_blocks + 1):
        y = keras.layers.ReLU(name=f"output_{number}_before")(h)
        y = keras.layers.Dense(filters, activation="relu", name=f"output_{number}_in")(y)
        y = keras.layers.Dropout(dropout, name=f"output_{number}_dropout")(y)
        y = keras.layers.Dense(filters, name=f"output_{number}_out")(y)
        h = keras.layers.Add(name=f"output_{number}")([h, y])
    h = keras.layers.ReLU(name="last")(h)
    return keras.Model(inputs, keras.layers.Dense(num_codes, dtype="float32", name="logits")(h), name="pixelsnail")


def attentions(model: keras.Model) -> dict[int, CausalAttention2D]:
    """Returns the attention layers of a network.

    Args:
        model: What `pixelsnail` returned, or the same loaded from a file; or `pixelcnn.pixelcnn`, which has none.

    Returns:
        Each by the number of gated blocks before it.
    """
    found = [layer for layer in model.layers if isinstance(layer, CausalAttention2D)]
    return {int(layer.name.rpartition("_")[2]): layer for layer in found}


def _attended(h, looked_up, num_heads, dropout, name):
    filters = h.shape[-1]
    query = CoordinateChannels(name=f"{name}_query")(h)
    value = keras.layers.Concatenate(name=f"{name}_known")([h, looked_up])
    value = CoordinateChannels(name=f"{name}_value")(value)
    found = CausalAttention2D(num_heads, filters // num_heads, name=name)(query, value)
    both = keras.layers.Concatenate(name=f"{name}_both")([h, found])
    opened = gate(keras.layers.Dense(2 * filters, name=f"{name}_gates")(both))
    opened = keras.layers.Dropout(dropout, name=f"{name}_dropout")(opened)
    return keras.layers.Add(name=f"{name}_added")([h, keras.layers.Dense(filters, name=f"{name}_outward")(opened)])
