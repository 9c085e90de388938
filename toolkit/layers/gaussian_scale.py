"""The scale of a Gaussian decoder: fixed, one weight, or the best there is for the errors made."""

from typing import Any

import keras
from keras import ops

KINDS = ("fixed", "shared", "optimal", "optimal_per_example")
# Under Adam a weight moves by about the step size at each step, and a scale begins far from where it is to be.
_FASTER = 10.0
# Below this the optimum is no scale but rounding; the density's own bound lies above.
_LEAST_SQUARED_ERROR = 1e-10


@keras.saving.register_keras_serializable(package="toolkit")
class GaussianScale(keras.layers.Layer):
    """Gives a decoder's means a scale: the raw parameters of `distributions.DiagonalGaussian`.

    Of the four kinds "fixed" is a constant. "shared" is one trained weight w, which begins at 0: log s = 10 w, so that
    Adam moves it fast enough. "optimal" is the scale under which the batch's values x are likeliest, s² = mean (x - m)²
    over all of them, and "optimal_per_example" the same of each example. These two are functions of the means, through
    which the gradient passes: the loss becomes D/2 log mean (x - m)² but for a constant. Outside of training they are
    what training has found: s² is then the moving average of the batches' squared errors, without a bias towards its
    start.

    All is computed in float32.

    Args:
        kind: One of `KINDS`.
        scale: Of the kind "fixed".
        momentum: Of the moving average of the squared error.
        metrics_name: Of the metric that shows the scale during a training.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        means: (batch, ...), the decoder's.
        values: (batch, ...), which the means should be: the optimal kinds look at them in training.

    Input shape: (batch, ...) each.

    Output shape: (batch, ..., 2): means and logs of scales.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> layer = GaussianScale("optimal")
    >>> means, values = ops.zeros((1, 4, 4, 1)), 0.5 * ops.ones((1, 4, 4, 1))
    >>> params = layer(means, values, training=True)
    >>> params.shape, round(float(ops.exp(params[0, 0, 0, 0, 1])), 4)
    (TensorShape([1, 4, 4, 1, 2]), 0.5)

    Reference: Rybkin et al. 2020, arXiv 2006.13202, sections 3.1 to 3.3.
    """

    def __init__(
        self,
        kind: str = "shared",
        scale: float = 1.0,
        momentum: float = 0.99,
        metrics_name: str = "scale",
        **kwargs,
    ) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}.")
        if not 0 < scale < float("inf") or not 0 <= momentum < 1:
            raise ValueError(
                f"scale must be more than 0 and momentum from 0 to less than 1; got {scale} and {momentum}."
            )
        self.kind, self.scale, self.momentum, self.metrics_name = kind, float(scale), momentum, metrics_name
        # With JAX `fit` keeps the state of metrics from a layer's call.
        on_jax = keras.backend.backend() == "jax"
        self.seen = None if on_jax else keras.metrics.Mean(name=metrics_name)

    def build(self, means_shape, values_shape=None) -> None:
        how = {"shape": (), "initializer": "zeros", "autocast": False, "dtype": "float32"}
        if self.kind == "shared":
            self.tenth_of_log_scale = self.add_weight(name="tenth_of_log_scale", **how)
        elif self.kind != "fixed":
            how |= {"trainable": False, "aggregation": "mean"}
            self.squared_error = self.add_weight(name="squared_error", **how)
            self.weight = self.add_weight(name="weight", **how)
        self.built = True

    def kept_log_scale(self) -> Any:
        """Returns the log of the scale as it is outside of training, a float32 scalar; 0 where nothing was learned."""
        if self.kind == "fixed":
            return ops.log(ops.convert_to_tensor(self.scale, "float32"))
        if self.kind == "shared":
            return _FASTER * ops.convert_to_tensor(self.tenth_of_log_scale)
        weight = ops.convert_to_tensor(self.weight)
        mean = ops.where(weight > 0, self.squared_error / ops.maximum(weight, 1e-30), 1.0)
        return 0.5 * ops.log(ops.maximum(mean, _LEAST_SQUARED_ERROR))

    def call(self, means, values, training=None):
        means, values = ops.cast(means, "float32"), ops.cast(values, "float32")
        learns = training and self.kind.startswith("optimal")
        log_scale = self._optimal(means, values) if learns else self.kept_log_scale()
        if training is not None and self.seen is not None:
            self.seen.update_state(ops.exp(log_scale))
        return ops.stack([means, ops.broadcast_to(log_scale, ops.shape(means))], axis=-1)

    def _optimal(self, means, values):
        squares = ops.square(values - means)
        axes = list(range(1, len(means.shape))) if self.kind == "optimal_per_example" else None
        error = ops.mean(squares, axis=axes, keepdims=True)
        if self.trainable:
            kept, new = ops.convert_to_tensor(self.momentum, "float32"), ops.mean(ops.stop_gradient(squares))
            self.squared_error.assign(kept * self.squared_error + (1.0 - kept) * new)
            self.weight.assign(kept * self.weight + (1.0 - kept))
        return 0.5 * ops.log(ops.maximum(error, _LEAST_SQUARED_ERROR))

    def compute_output_shape(self, means_shape, values_shape=None) -> tuple:
        return (*means_shape, 2)

    def compute_output_spec(self, means, values, training=None) -> keras.KerasTensor:
        return keras.KerasTensor((*means.shape, 2), dtype="float32")

    def get_config(self) -> dict:
        names = ("kind", "scale", "momentum", "metrics_name")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
