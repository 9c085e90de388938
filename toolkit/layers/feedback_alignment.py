"""A dense layer whose error goes back through a fixed random matrix instead of its own weights."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class FeedbackAlignment(keras.layers.Layer):
    """y = x W + b, whose derivative by x is taken for that of x B, B fixed and random.

    The weights W, which begin at 0, and b learn by their own gradient; what comes before learns from the error times
    the transpose of B, so that no weights are carried backwards.

    Args:
        units: Numbers of the output.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, features).

    Output shape: (batch, units).

    Raises:
        ValueError: Where `units` is below 1, or the features are not known.

    Example:

    >>> FeedbackAlignment(5)(ops.ones((2, 3))).shape
    TensorShape([2, 5])

    Reference: Lillicrap et al. 2016, "Random synaptic feedback weights support error backpropagation for deep learning"
    (Nature Communications 7, 13276); Nøkland, Eidnes 2019, arXiv 1901.06656.
    """

    def __init__(self, units: int, **kwargs) -> None:
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"units must be at least 1; got {units}.")
        self.units = units

    def build(self, input_shape) -> None:
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ValueError(f"{self.name}: expected (batch, features), the features known; got {tuple(input_shape)}.")
        shape = (input_shape[-1], self.units)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        # Uniform, up to one over the root of the features.
        random = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
        self.feedback = self.add_weight(name="feedback", shape=shape, initializer=random, trainable=False)
        self.built = True

    def call(self, inputs):
        # The last two are the same number: 0, but for the gradient.
        backward = ops.matmul(inputs, self.feedback)
        forward = ops.matmul(ops.stop_gradient(inputs), self.kernel) + self.bias
        return forward + (backward - ops.stop_gradient(backward))

    def compute_output_shape(self, input_shape) -> tuple:
        return (input_shape[0], self.units)

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units}
