"""Evaluation that learns from what it has scored (Graves 2013, section 3; Krause et al. 2017)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def dynamic_evaluation(
    model: keras.Model,
    batches: Iterable[tuple[Any, Any, Any]],
    loss: Callable[[Any, Any], Any],
    optimizer: keras.optimizers.Optimizer | None = None,
    decay: float = 0.0,
) -> np.ndarray:
    """Scores a stream batch by batch, and lets the model learn from each batch once it is scored.

    For each batch: losses_t = loss(y_t, model_t(x_t)), which are kept; then model_{t+1} = model_t after one step of the
    optimiser on their mean, plus decay * (model_0 - model_t): with `decay`, what was learned wears off, within about
    1 / decay batches. So nothing is scored by weights that have seen it. At the end, and where an error or Ctrl-C ends
    it, the model's variables are what they were before: weights, states and seeds.

    Any Keras model whose state goes on from one call to the next will do: `layers.CarriedState`, recurrent layers with
    `stateful=True`; or one without a state.

    Args:
        model: The model, called with `training=False`.
        batches: (x, y, sample_weight), in the stream's order; a weight is above 0 where an element counts. All of one
            shape, or each new shape is traced anew.
        loss: (y, outputs) -> losses, of the sample weight's shape.
        optimizer: A new optimiser for this model's weights, such as `keras.optimizers.SGD(0.1)`; it is used up. None:
            static evaluation.
        decay: Share of the way back to the first weights that a step goes, from 0 to 1; 0: what is learned stays.

    Returns:
        The losses of all that counts, float32, row by row of each batch in turn.

    Raises:
        ValueError: Where `decay` is not from 0 to 1, or a loss is not finite: the step size is too large.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    >>> one = np.ones((1, 1), "float32")
    >>> data = [(one, one, one[0])] * 3
    >>> squared = lambda y, outputs: keras.ops.sum((y - outputs) ** 2, axis=-1)
    >>> dynamic_evaluation(model, data, squared, keras.optimizers.SGD(0.125)).round(4)  # w + b goes half the way
    array([1.    , 0.25  , 0.0625], dtype=float32)
    >>> float(model.weights[0][0, 0])
    0.0

    Reference: Graves 2013, arXiv 1308.0850, section 3; Mikolov 2012, "Statistical language models based on neural
    networks"; Krause et al. 2017, arXiv 1709.07432, section 3 (decay).
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"decay={decay!r}: expected a share from 0 to 1.")
    before = [(variable, variable.numpy()) for variable in model.variables]
    first = [(variable, tf.identity(variable.value)) for variable in model.trainable_variables if decay]
    if optimizer is not None:
        optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True, autograph=False)
    def score(x, y, weight):
        if optimizer is None:
            return loss(y, model(x, training=False))
        with tf.GradientTape() as tape:
            losses = loss(y, model(x, training=False))
            counted = tf.cast(weight > 0, losses.dtype)
            mean = tf.math.divide_no_nan(tf.reduce_sum(losses * counted), tf.reduce_sum(counted))
        gradients = tape.gradient(mean, [variable.value for variable in model.trainable_variables])
        for variable, value in first:
            variable.assign_add(decay * (value - variable))
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return losses

    kept = []
    try:
        for number, (x, y, weight) in enumerate(batches, 1):
            weight = np.asarray(weight)
            losses = np.asarray(score(*tf.nest.map_structure(tf.convert_to_tensor, (x, y, weight))))[weight > 0]
            if not np.isfinite(losses).all():
                raise ValueError(f"The loss of batch {number} is not finite: take a smaller step size.")
            kept.append(losses)
    finally:
        for variable, value in before:
            variable.assign(value)
    return np.concatenate(kept) if kept else np.zeros(0, "float32")


def token_nats(
    model: keras.Model,
    batches: Iterable[Mapping[str, Any]],
    learning_rate: float = 0.0,
    decay: float = 0.0,
    name: str = "",
) -> np.ndarray:
    """Nats of each token of a text, static, or dynamic by gradient descent; a bar shows how far it is.

    Args:
        model: What `models.text_rnn.stateful` returned.
        batches: {"tokens", "targets", "continues"} of each batch, as `data.text.streaming.streams(...)`'s data set
            has them.
        learning_rate: Step size of dynamic evaluation, for the mean nats of a batch, whose gradient is at most 1 long;
            0: static.
        decay: Share of the way back to the first weights that a step goes.
        name: What the bar says.

    Returns:
        float32 (tokens,), stream by stream of each batch in turn.

    Example:

    >>> from toolkit.models import text_rnn
    >>> network = text_rnn.stateful(text_rnn.language_model(["<unk>", "a"], units=4), batch_size=1)
    >>> targets = np.array([[1, 1, -1]], "int32")
    >>> batch = {"tokens": np.array([[0, 1, 0]], "int32"), "targets": targets, "continues": np.zeros(1, "float32")}
    >>> token_nats(network, [batch, batch], learning_rate=0.1).shape
    (4,)

    Reference: Graves 2013, arXiv 1308.0850, section 3; Krause et al. 2017, arXiv 1709.07432, section 3.
    """
    from tqdm import tqdm

    optimizer = keras.optimizers.SGD(learning_rate, global_clipnorm=1.0) if learning_rate else None
    bar = tqdm(batches, desc=name, unit="batch", mininterval=15)
    given = ((batch, batch["targets"], (np.asarray(batch["targets"]) >= 0).astype("float32")) for batch in bar)
    return dynamic_evaluation(model, given, lambda targets, nats: nats, optimizer, decay)
