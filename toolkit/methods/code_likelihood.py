"""Training a prior over maps of codes by the likelihood of each code given those before it, and the levels above."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from toolkit.distributions.categorical import Categorical
from toolkit.losses.negative_log_likelihood import NegativeLogLikelihood
from toolkit.metrics.log_loss import LogLoss
from toolkit.models import code_levels


def pairs(model: keras.Model, levels: Sequence[Sequence[int]] = ()) -> Callable[[dict[str, Any]], tuple]:
    """Gives the function that turns a batch of codes into what `fit` takes.

    Args:
        model: What `models.pixelcnn.pixelcnn` or `models.pixelsnail.pixelsnail` returned.
        levels: The shapes of the levels whose codes the batch holds, from the top; a network that reads n maps is the
            prior of the level below the first n. Empty: codes of one level.

    Returns:
        From {"codes", "label"} to (inputs, codes). Its codes are (batch, height, width[, codebooks]), of several levels
        (batch, places) as `models.code_levels.joined` lays them, its labels (batch,); or, for a network that reads
        frames before, films (batch, frames, height, width), of which each frame that has as many before it counts.

    Example:

    >>> from toolkit import models
    >>> pair = pairs(models.pixelcnn.pixelcnn(2, 3, 8, filters=4, num_blocks=1, head_filters=4, num_maps=4))
    >>> inputs, codes = pair({"codes": ops.zeros((5, 10, 2, 3), "int32"), "label": ops.zeros(5)})
    >>> inputs["context"].shape, codes.shape
    (TensorShape([30, 4, 2, 3]), TensorShape([30, 2, 3]))
    """
    read = {each.name: tuple(each.shape) for each in model.inputs}
    shapes = code_levels.map_shapes(levels)
    height, width = read["codes"][1:]
    num_maps = read["context"][1] if "context" in read else 0

    def pair(batch):
        codes, inputs = batch["codes"], {}
        if "label" in read:
            inputs["label"] = batch["label"]
        if shapes:
            *above, codes = code_levels.parted(codes, shapes)[: num_maps + 1]
            if above:
                inputs["context"] = code_levels.context(above)
        elif num_maps:
            places = range(num_maps, codes.shape[1])
            context = ops.stack([codes[:, place - num_maps : place] for place in places], axis=1)
            inputs["context"] = ops.reshape(context, (-1, num_maps, height, width))
            if "label" in inputs:
                inputs["label"] = ops.repeat(inputs["label"], len(places))
            codes = codes[:, num_maps:]
        codes = ops.reshape(codes, (-1, height, width))
        return {"codes": codes, **inputs}, codes

    return pair


def compiled(model: keras.Model, optimizer: keras.optimizers.Optimizer | None = None) -> keras.Model:
    """Compiles a prior to be trained, or measured, on nats a code, and shows bits.

    Args:
        model: What `models.pixelcnn.pixelcnn` or `models.pixelsnail.pixelsnail` returned.
        optimizer: None where it is measured only.

    Returns:
        The network.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 3.3.
    """
    family = Categorical(model.output_shape[-1])
    bits = LogLoss(family, name="bits_per_code", unit="bits")
    loss = NegativeLogLikelihood(family, reduction="sum_over_batch_size")
    model.compile(optimizer or "sgd", loss, metrics=[bits], jit_compile=False)
    return model


def measured(
    model: keras.Model, batches: Any, levels: Sequence[Sequence[int]] = (), num_batches: int | None = None
) -> float:
    """Measures what codes take.

    Args:
        model: As in `pairs`, trained.
        batches: `data.pipelines.Batches` of what `pairs` turns.
        levels: As in `pairs`.
        num_batches: The first ones, that many; None: all.

    Returns:
        -log2 p of a code given those before it, and those of the levels above; the mean.
    """
    found = batches.map(pairs(model, levels)).dataset(num_epochs=1)
    found = found if num_batches is None else found.take(num_batches)
    return compiled(model).evaluate(found, verbose=0, return_dict=True)["bits_per_code"]
