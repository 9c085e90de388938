"""A fitted sparse Gaussian process as a model: rows of a table to mean and variance of the target."""

from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit.layers.sparse_gaussian_process import SparseGaussianProcess


def sparse_gp(
    num_inputs: int, num_inducing: int, kernel: str = "squared_exponential", *, dtype: str = "float64"
) -> keras.Model:
    """Makes a model of one `layers.SparseGaussianProcess`, a prior until it is `filled`.

    Args:
        num_inputs: D, the columns of a row.
        num_inducing: M, the inducing inputs.
        kernel: As in the layer.
        dtype: "float64", or "float32" for a device.

    Returns:
        A model from rows (batch, D), in the data's units, to mean and variance of a new observation, (batch,) each. Its
        layer is named "gp".

    Raises:
        ValueError: As the layer, or where there is no input.

    Example:

    >>> mean, variance = sparse_gp(num_inputs=2, num_inducing=3)(np.zeros((5, 2)))
    >>> mean.shape, mean.dtype.name
    (TensorShape([5]), 'float64')

    Reference: Titsias 2009, Variational Learning of Inducing Variables in Sparse Gaussian Processes.
    """
    if num_inputs < 1:
        raise ValueError(f"num_inputs must be at least 1; got {num_inputs}.")
    rows = keras.Input((num_inputs,), dtype=dtype, name="rows")
    layer = SparseGaussianProcess(num_inducing, kernel, dtype=dtype, name="gp")
    return keras.Model(rows, layer(rows), name="sparse_gp")


def filled(
    model: keras.Model,
    parameters: Any,
    posterior: Any,
    *,
    x_mean: Any = 0.0,
    x_scale: Any = 1.0,
    y_mean: float = 0.0,
    y_scale: float = 1.0,
) -> keras.Model:
    """Sets the weights of a model to what a fit to standardised columns has found.

    Args:
        model: What `sparse_gp` returned.
        parameters: (variance, length_scales, noise, inducing_inputs), as `methods.gp_covariance.GPParameters`.
        posterior: (weights (M,), factor (M, M)), as `methods.sparse_gp.GPPosterior`.
        x_mean: Of each column, in the data's units, (D,) or one.
        x_scale: What the columns were divided by, (D,) or one.
        y_mean: Of the target, in the data's units.
        y_scale: What the target was divided by.

    Returns:
        The model.

    Raises:
        ValueError: Where a shape is not the model's, or a scale or variance not over 0.
    """
    layer = model.get_layer("gp")
    variance, length_scales, noise, inducing_inputs = (np.asarray(each, np.float64) for each in parameters)
    weights, factor = (np.asarray(each, np.float64) for each in posterior)
    positive = {"variance": variance, "length_scales": length_scales, "noise": noise}
    positive |= {"x_scale": np.asarray(x_scale), "y_scale": np.asarray(y_scale)}
    for name, value in positive.items():
        if not (value > 0).all():
            raise ValueError(f"{name} must be more than 0; got {value.tolist()}.")
    columns = layer.x_mean.shape
    layer.shift.assign(0.0)
    _assign(
        (layer.log_variance, np.log(variance)),
        (layer.log_length_scales, np.log(length_scales)),
        (layer.log_noise, np.log(noise)),
        (layer.inducing_inputs, inducing_inputs),
        (layer.mean_weights, weights),
        (layer.factor, factor),
        (layer.x_mean, np.broadcast_to(x_mean, columns)),
        (layer.x_scale, np.broadcast_to(x_scale, columns)),
        (layer.y_mean, np.asarray(y_mean)),
        (layer.y_scale, np.asarray(y_scale)),
    )
    # F of what all covariances have in common, v; and whether most of F k is that.
    common = variance * factor.sum(axis=1)
    every = factor @ np.asarray(layer.covariances(layer.inducing_inputs), np.float64)
    shift = float(np.mean(common @ every) > 0.5 * common @ common)
    _assign(
        (layer.shift, np.asarray(shift)),
        (layer.offset, shift * variance * weights.sum()),
        (layer.taken, shift * common @ common),
        (layer.slope, 2.0 * shift * factor.T @ common),
    )
    return model


def parameters(model: keras.Model) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Takes out of a model what `filled` put there.

    Args:
        model: What `sparse_gp` returned.

    Returns:
        (variance, length_scales, noise, inducing_inputs), of standardised columns, float64.
    """
    layer = model.get_layer("gp")
    logs = (layer.log_variance, layer.log_length_scales, layer.log_noise)
    return *(np.exp(np.asarray(each, "float64")) for each in logs), np.asarray(layer.inducing_inputs, "float64")


def _assign(*pairs):
    for weight, value in pairs:
        if tuple(weight.shape) != value.shape:
            raise ValueError(f"{weight.name} of the model has shape {tuple(weight.shape)}; got {value.shape}.")
        weight.assign(ops.convert_to_tensor(value, weight.dtype))
