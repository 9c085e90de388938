"""How much a network's outputs change with its inputs."""

import keras
import numpy as np
import tensorflow as tf


def jacobian_norm(model: keras.Model, inputs: np.ndarray, batch_size: int = 256) -> float:
    """Computes the mean over examples of ||d f(x) / d x||, the Frobenius norm of the Jacobian, exactly.

    Args:
        model: From (batch, ...) to (batch, outputs); called with `training=False`.
        inputs: (examples, ...).
        batch_size: Examples at a time.

    Raises:
        ValueError: Where there are no examples, or the outputs are no vectors.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="ones")])
    >>> jacobian_norm(model, np.zeros((3, 2), "float32"))
    2.0

    Reference: Carratino et al. 2020, arXiv 2006.06049, section 5; Novak et al. 2018, arXiv 1802.08760, section 3.
    """
    if not len(inputs) or len(model.output_shape) != 2:
        raise ValueError(f"expected examples, and outputs (batch, n); got {len(inputs)} and {model.output_shape}.")

    @tf.function
    def squares(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            # Examples do not touch one another: a sum over the batch has each one's own gradient.
            columns = [tf.reduce_sum(column) for column in tf.unstack(model(x, training=False), axis=-1)]
        total = tf.zeros(tf.shape(x)[:1])
        for column in columns:
            gradient = tape.gradient(column, x, unconnected_gradients="zero")
            total += tf.reduce_sum(tf.square(gradient), axis=range(1, x.shape.rank))
        return tf.sqrt(total)

    inputs = np.asarray(inputs, "float32")
    norms = [squares(tf.constant(inputs[at : at + batch_size])) for at in range(0, len(inputs), batch_size)]
    return float(np.concatenate(norms).mean())
