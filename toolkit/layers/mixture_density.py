"""The output layer of a mixture density network."""

import keras
from keras import ops

from toolkit.distributions.gaussian_mixture import GaussianMixture


@keras.saving.register_keras_serializable(package="toolkit")
class MixtureDensity(keras.layers.Layer):
    """Projects features to the raw parameters of a Gaussian mixture, in any number of dimensions.

    output = features · kernel + bias, read by `layer.distribution` (a `GaussianMixture`, which has the formulas):
    train with `losses.NegativeLogLikelihood(layer.distribution)`, draw with `layer.distribution.sample(output)`, hand
    it to TensorFlow Probability with `layer.distribution.to_tfp(output, tfp.distributions)`.

    It works in float32 under every dtype policy: its exponentials do not bear half precision.

    Args:
        num_mixtures: Number of Gaussians (Graves: 20).
        event_size: Dimensions of the predicted point.
        covariance: "diagonal", "correlated" (bivariate, by its correlation) or "full" (by its Cholesky factor).
        bernoulli: Whether one more channel is on or off, such as the end of a pen stroke.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, time, features), or any leading axes.

    Output shape: (batch, time, num_params): 20 correlated mixtures in 2 dimensions and a flag have 121.

    Raises:
        ValueError: Where the features' size is unknown at build, or an argument is out of range.

    Example:

    >>> inputs = keras.Input((8,))
    >>> head = MixtureDensity(num_mixtures=5, event_size=3, covariance="full")
    >>> model = keras.Model(inputs, head(inputs))
    >>> model.output_shape
    (None, 50)
    >>> head.distribution.sample(model(ops.zeros((2, 8))), seed=0).shape
    TensorShape([2, 3])

    Reference: Bishop 1994, "Mixture density networks"; Graves 2013, arXiv 1308.0850, section 4.
    """

    def __init__(
        self,
        num_mixtures: int,
        event_size: int = 2,
        covariance: str = "diagonal",
        bernoulli: bool = False,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.distribution = GaussianMixture(num_mixtures, event_size, covariance, bernoulli)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, input_shape) -> None:
        if input_shape[-1] is None:
            raise ValueError(f"{self.name}: the last axis of the input must be known; got shape {input_shape}.")
        size = self.distribution.num_params
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], size), initializer=self.kernel_initializer, autocast=False
        )
        self.bias = self.add_weight(name="bias", shape=(size,), initializer=self.bias_initializer, autocast=False)
        self.built = True

    def call(self, inputs):
        return ops.matmul(ops.cast(inputs, "float32"), self.kernel) + self.bias

    def compute_output_shape(self, input_shape) -> tuple:
        return (*input_shape[:-1], self.distribution.num_params)

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype="float32")

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **self.distribution.get_config(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
