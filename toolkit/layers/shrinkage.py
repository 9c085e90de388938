"""Values drawn to their mean, or away from it."""

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="toolkit")
class Shrinkage(keras.layers.Layer):
    """mean + factor (inputs - mean): a factor below 1 shrinks, its inverse undoes it.

    The mean is that of whole examples, a number for each of theirs; it is set by `adapt` and kept as a non-trainable
    weight. Computed in float32.

    Args:
        factor: More than 0.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels), all but the batch known.

    Output shape: (batch, height, width, channels).

    Raises:
        ValueError: Where the factor is not over 0, the shape is not known at build, or `adapt` is given another one.

    Example:

    >>> layer = Shrinkage(0.5)
    >>> layer.build((None, 2))
    >>> layer.adapt([1.0, 0.0])
    >>> np.asarray(layer(keras.ops.array([[5.0, 1.0]])))
    array([[3. , 0.5]], dtype=float32)

    Reference: Carratino et al. 2020, arXiv 2006.06049, theorem 1.
    """

    def __init__(self, factor: float = 1.0, **kwargs) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not 0 < factor < float("inf"):
            raise ValueError(f"{self.name}: factor must be more than 0; got {factor}.")
        self.factor = float(factor)

    def build(self, input_shape) -> None:
        if None in input_shape[1:]:
            raise ValueError(f"{self.name}: all axes but the batch must be known; got shape {tuple(input_shape)}.")
        self.mean = self.add_weight(name="mean", shape=input_shape[1:], initializer="zeros", trainable=False)
        self.built = True

    def adapt(self, mean) -> None:
        """Sets the mean.

        Args:
            mean: Of the training examples, of one example's shape, in the data's unit.
        """
        mean = np.asarray(mean, "float32")
        if mean.shape != tuple(self.mean.shape) or not np.isfinite(mean).all():
            raise ValueError(
                f"{self.name}: expected a finite mean of shape {tuple(self.mean.shape)}; got shape {mean.shape}."
            )
        self.mean.assign(mean)

    def call(self, inputs):
        return self.mean + self.factor * (inputs - self.mean)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict:
        return {**super().get_config(), "factor": self.factor}
