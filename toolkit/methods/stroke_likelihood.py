"""Training and scoring a handwriting network by the likelihood of pen offsets, with a text or without one."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from toolkit.losses.negative_log_likelihood import NegativeLogLikelihood
from toolkit.metrics.log_loss import LogLoss
from toolkit.metrics.squared_distance import SquaredDistance
from toolkit.models.weight_noise import noisy


def pairs(model: keras.Model) -> Callable[[dict[str, Any]], tuple]:
    """Makes the function that turns a batch of lines into what `fit` takes.

    Args:
        model: What `models.handwriting.synthesis` or `prediction` returned, adapted to the data.

    Returns:
        From {"offsets", "mask", "text"} to (inputs, standardized offsets, mask); for `Splits.map`.

    Example:

    >>> from toolkit import models
    >>> network = models.handwriting.prediction(units=8, num_layers=1, num_mixtures=3)
    >>> inputs, targets, mask = pairs(network)({"offsets": np.ones((1, 5, 3)), "mask": np.ones((1, 5))})
    >>> inputs.shape, targets.shape
    ((1, 5, 3), (1, 5, 3))
    """
    mean, scale = (np.asarray(weight) for weight in model.get_layer("standardize").weights)

    def pair(line):
        inputs = (line["offsets"], line["text"]) if len(model.inputs) == 2 else line["offsets"]
        return inputs, (line["offsets"] - mean) / scale, line["mask"]

    return pair


def compiled(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, *, batch_size: int, **noise: float
) -> keras.Model:
    """Compiles a network to be trained on the mean over a batch of a line's nats.

    Args:
        model: The network, which holds the density.
        optimizer: The optimiser.
        batch_size: Lines in a batch, also where the last one has fewer.
        **noise: On the weights, as `models.weight_noise.noisy` takes it.

    Returns:
        What is trained: the network itself, or on noisy weights.

    Example:

    >>> from toolkit import models
    >>> network = models.handwriting.prediction(units=8, num_layers=1, num_mixtures=3)
    >>> trainee = compiled(network, keras.optimizers.Adam(), batch_size=1)
    >>> batch = pairs(network)({"offsets": np.ones((1, 5, 3)), "mask": np.ones((1, 5))})
    >>> sorted(trainee.train_on_batch(*batch, return_dict=True))
    ['log_loss_nats_per_point', 'loss', 'squared_error_per_point']

    Reference: Graves 2013, arXiv 1308.0850, equations 26 and 27.
    """
    trainee, density = noisy(model, **noise), model.get_layer("density").distribution
    trainee.compile(
        optimizer,
        loss=NegativeLogLikelihood(density, reduction="sum"),
        loss_weights=1.0 / batch_size,
        weighted_metrics=[LogLoss(density, "point"), SquaredDistance(density)],
        jit_compile=False,
    )
    return trainee


def likelihood(model: keras.Model, batches: Any, *, jit_compile: bool = False) -> dict[str, float]:
    """Scores lines as the paper does: nats a line, and squared error a point.

    Args:
        model: The trained network; it is compiled anew.
        batches: A `tf.data.Dataset` of what `pairs(model)` makes of lines.
        jit_compile: Whether XLA compiles the step.

    Returns:
        "log_loss_nats_per_sequence", "log_loss_nats_per_point" and "squared_error_per_point" of standardized offsets,
        and the last two "..._pen_units", of offsets in the data's unit.

    Example:

    >>> import tensorflow as tf
    >>> from toolkit import models
    >>> network = models.handwriting.prediction(units=8, num_layers=1, num_mixtures=3)
    >>> line = {"offsets": np.ones((1, 5, 3), "float32"), "mask": np.ones((1, 5), bool)}
    >>> found = likelihood(network, tf.data.Dataset.from_tensors(line).map(pairs(network)))
    >>> abs(found["log_loss_nats_per_sequence"] - 5 * found["log_loss_nats_per_point"]) < 1e-3
    True

    Reference: Graves 2013, arXiv 1308.0850, tables 3 and 4.
    """
    density = model.get_layer("density").distribution
    scale = np.asarray(model.get_layer("standardize").scale)[:2]
    model.compile(
        loss=NegativeLogLikelihood(density),
        weighted_metrics=[
            LogLoss(density, "sequence"),
            LogLoss(density, "point"),
            SquaredDistance(density),
            SquaredDistance(density, scale, name="squared_error_per_point_pen_units"),
        ],
        jit_compile=jit_compile,
    )
    results = model.evaluate(batches, verbose=0, return_dict=True)
    del results["loss"]  # the mean over batches of unlike length
    # A density over offsets that are `scale` times as large is as many times lower.
    results["log_loss_nats_per_point_pen_units"] = results["log_loss_nats_per_point"] + float(np.log(scale).sum())
    return results
