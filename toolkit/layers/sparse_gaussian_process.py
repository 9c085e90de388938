"""A fitted sparse Gaussian process as a layer: rows in, mean and variance of the target out."""

from typing import Any

import keras
from keras import ops

_ROOTS = {"matern12": 1.0, "matern32": 3.0**0.5, "matern52": 5.0**0.5}
KERNELS = ("squared_exponential", *_ROOTS)


@keras.saving.register_keras_serializable(package="toolkit")
class SparseGaussianProcess(keras.layers.Layer):
    """Predicts by a sparse Gaussian process, in the data's units.

    With k the covariances of the standardised row and the inducing inputs, the mean is y_mean + y_scale wᵀ k and the
    variance of a new observation y_scale² (v - |F k|² + σ²): matrix products, nothing is solved. Distances are sums of
    squared differences, which float32 tells apart as well. Where length scales are long, k is nearly v everywhere, and
    rounding would take what tells rows apart: then the shift s is 1, k = s v + c, and what of both formulas depends on
    s alone is a weight, c being computed without a difference of like numbers.

    Its weights, none of them trained, come from a fit: `models.sparse_gp.filled` sets them. As they begin, the process
    is a prior: mean 0, variance 1, noise 1.

    Args:
        num_inducing: M, the inducing inputs.
        kernel: "squared_exponential", "matern12", "matern32" or "matern52".
        **kwargs: As in `keras.layers.Layer`; `dtype="float64"` for exact figures.

    Call arguments:
        inputs: Rows, in the data's units.

    Input shape: (batch, D).

    Output shape: two of (batch,): mean, and variance of a new observation.

    Raises:
        ValueError: Where the kernel is unknown, there is no inducing input or rows have another shape.

    Example:

    >>> mean, variance = SparseGaussianProcess(num_inducing=3)(ops.zeros((5, 2)))
    >>> mean.shape, float(variance[0])
    (TensorShape([5]), 2.0)

    Reference: Titsias 2009, Variational Learning of Inducing Variables in Sparse Gaussian Processes, equation 6.
    """

    def __init__(self, num_inducing: int, kernel: str = "squared_exponential", **kwargs) -> None:
        super().__init__(**kwargs)
        if kernel not in KERNELS:
            raise ValueError(f"kernel must be one of {', '.join(KERNELS)}; got {kernel!r}.")
        if num_inducing < 1:
            raise ValueError(f"num_inducing must be at least 1; got {num_inducing}.")
        self.num_inducing, self.kernel = int(num_inducing), kernel

    def build(self, input_shape) -> None:
        if len(input_shape) != 2 or input_shape[1] is None:
            raise ValueError(f"expected rows of shape (batch, columns); got {tuple(input_shape)}.")
        columns, inducing = input_shape[1], self.num_inducing
        for name, shape, initializer in (
            ("log_variance", (), "zeros"),
            ("log_length_scales", (columns,), "zeros"),
            ("log_noise", (), "zeros"),
            ("inducing_inputs", (inducing, columns), "zeros"),
            ("mean_weights", (inducing,), "zeros"),
            ("factor", (inducing, inducing), "zeros"),
            ("x_mean", (columns,), "zeros"),
            ("x_scale", (columns,), "ones"),
            ("y_mean", (), "zeros"),
            ("y_scale", (), "ones"),
            ("shift", (), "zeros"),  # s
            ("offset", (), "zeros"),  # s v sum w
            ("taken", (), "zeros"),  # |s v F 1|²
            ("slope", (inducing,), "zeros"),  # 2 s v Fᵀ F 1
        ):
            weight = self.add_weight(
                name=name, shape=shape, initializer=initializer, trainable=False, autocast=False, dtype=self._dtype()
            )
            setattr(self, name, weight)
        self.built = True

    def _dtype(self):
        return "float64" if self.variable_dtype == "float64" else "float32"

    def call(self, inputs):
        covariances = self.covariances((ops.cast(inputs, self._dtype()) - self.x_mean) / self.x_scale)
        mean = self.offset + ops.matmul(covariances, self.mean_weights[:, None])[:, 0]
        explained = self.taken + ops.matmul(covariances, self.slope[:, None])[:, 0]
        explained += ops.sum(ops.square(ops.matmul(covariances, ops.transpose(self.factor))), axis=-1)
        # Rounding in float32 may explain more than there is.
        function_variance = ops.maximum(ops.exp(self.log_variance) - explained, 0.0)
        observed = function_variance + ops.exp(self.log_noise)
        return self.y_mean + self.y_scale * mean, ops.square(self.y_scale) * observed

    def covariances(self, scaled) -> Any:
        """Computes c = k - s v of rows and the inducing inputs.

        Args:
            scaled: Standardised rows, (batch, D).

        Returns:
            (batch, M).
        """
        scale = ops.exp(self.log_length_scales)
        differences = (scaled / scale)[:, None] - self.inducing_inputs / scale
        squared = ops.sum(ops.square(differences), axis=-1)
        # The correlation is (1 + more) exp(-away).
        if self.kernel == "squared_exponential":
            away, more = 0.5 * squared, 0.0
        else:  # the root of 0 has no gradient
            away = _ROOTS[self.kernel] * ops.sqrt(ops.maximum(squared, 1e-30))
            more = {"matern12": 0.0, "matern32": away, "matern52": away + ops.square(away) / 3.0}[self.kernel]
        near = ops.exp(-away)
        lacking = more * near - ops.tanh(0.5 * away) * (1.0 + near)  # the correlation less 1
        return ops.exp(self.log_variance) * (self.shift * lacking + (1.0 - self.shift) * (1.0 + more) * near)

    def compute_output_shape(self, input_shape) -> tuple:
        return (input_shape[0],), (input_shape[0],)

    def compute_output_spec(self, inputs) -> tuple:
        return tuple(keras.KerasTensor((inputs.shape[0],), dtype=self._dtype()) for _ in range(2))

    def get_config(self):
        return {**super().get_config(), "num_inducing": self.num_inducing, "kernel": self.kernel}
