"""A square of each training image left out."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class Cutout(keras.layers.Layer):
    """Sets a square of each map to 0, in training; its centre is drawn from all places, so it may stick out.

    After a standardization 0 is the mean colour. In testing the input passes as it is.

    Args:
        size: Height and width of the square, in pixels.
        seed: Of the draws.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels).

    Output shape: the input's.

    Raises:
        ValueError: Where `size` is below 1, or the input has other axes.

    Example:

    >>> image = ops.ones((1, 8, 8, 1))
    >>> bool(ops.sum(Cutout(4, seed=0)(image, training=True)) < 64), bool(ops.all(Cutout(4)(image) == 1))
    (True, True)

    Reference: DeVries, Taylor 2017, arXiv 1708.04552, section 3.
    """

    def __init__(self, size: int, seed: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError(f"size must be at least 1 pixel; got {size}.")
        self.size, self.seed = size, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape) -> None:
        if len(input_shape) != 4:
            raise ValueError(
                f"{self.name}: expected (batch, height, width, channels); got the shape {tuple(input_shape)}."
            )
        self.built = True

    def call(self, inputs, training=False):
        if not training:
            return inputs
        batch, height, width, _ = ops.shape(inputs)
        drawn = keras.random.uniform((2, batch, 1), dtype="float32", seed=self.seed_generator)
        rows = self._kept(drawn[0], height)[:, :, None, None]
        columns = self._kept(drawn[1], width)[:, None, :, None]
        return ops.where(ops.logical_or(rows, columns), inputs, ops.zeros_like(inputs))

    def _kept(self, drawn, length):
        """Which of the places along an axis lie outside of the squares."""
        centers = ops.floor(drawn * ops.cast(length, "float32"))
        offsets = ops.cast(ops.arange(length), "float32") - centers
        return ops.logical_or(offsets < -(self.size // 2), offsets >= self.size - self.size // 2)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size, "seed": self.seed}
