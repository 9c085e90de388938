"""Mixtures of logistics discretised to a grid of levels, for values of more levels than a softmax can have."""

from typing import Any

import keras
from keras import ops

# As of the Gaussians: far from what data asks for and far from float32's ends.
LOG_SCALE_LIMIT = 12.0


@keras.saving.register_keras_serializable(package="toolkit")
class LogisticMixture:
    """A family of discretised mixtures of logistics, indexed by raw parameters as a network's last layer emits them.

    Level n of N lies at v = 2 n / (N - 1) - 1 and takes what a mixture of logistics has within half a level of it, h =
    1 / (N - 1): p(n) = sum_j w_j [sigmoid((v + h - m_j) / s_j) - sigmoid((v - h - m_j) / s_j)]. The lowest level takes
    all that is below it, the highest all above, so that the levels sum to one.

    The raw vector is laid out [weights, means, log of scales], `num_mixtures` each: w = softmax, m = as it is, s = exp.
    All is computed in float32, in log space; log s is held within +-12.

    Args:
        num_mixtures: Number of logistics (PixelCNN++: 5 or 10).
        num_levels: Levels of the grid.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> family = LogisticMixture(num_mixtures=10, num_levels=256)
    >>> family.num_params
    30
    >>> family.log_prob(ops.zeros((4, 7, 30)), ops.zeros((4, 7), "int32")).shape
    TensorShape([4, 7])

    Reference: Salimans et al. 2017, arXiv 1701.05517, section 2.1; van den Oord et al. 2017, arXiv 1711.10433.
    """

    def __init__(self, num_mixtures: int, num_levels: int = 256) -> None:
        if num_mixtures < 1 or not 2 <= num_levels <= 65_536:
            raise ValueError(
                "num_mixtures must be at least 1 and num_levels between 2 and 65,536; got "
                f"{num_mixtures} and {num_levels}."
            )
        self.num_mixtures = int(num_mixtures)
        self.num_levels = int(num_levels)

    @property
    def num_params(self) -> int:
        """Length of the raw parameter vector."""
        return 3 * self.num_mixtures

    @property
    def num_noise(self) -> int:
        """Length of the noise that one draw of `sample` uses up."""
        return 2

    def _split(self, params):
        params = ops.convert_to_tensor(params)
        if params.shape[-1] != self.num_params:
            raise ValueError(
                f"Expected parameters with last axis {self.num_params} for {self.num_mixtures} logistics; got shape "
                f"{tuple(params.shape)}."
            )
        params, k = ops.cast(params, "float32"), self.num_mixtures
        log_scales = ops.clip(params[..., 2 * k :], -LOG_SCALE_LIMIT, LOG_SCALE_LIMIT)
        return params[..., :k], params[..., k : 2 * k], log_scales

    def log_prob(self, params, value) -> Any:
        """Computes log p(value), in nats.

        Args:
            params: Raw parameters, (batch, time, num_params) or any leading axes.
            value: Levels, integers from 0 to `num_levels` - 1, (batch, time): the same leading axes.

        Returns:
            float32 of shape (batch, time).

        Raises:
            ValueError: Where the last axis is not as long as the family says.
        """
        weights, means, log_scales = self._split(params)
        value = ops.cast(value, "float32")[..., None]
        inverse_scale, half = ops.exp(-log_scales), 1.0 / (self.num_levels - 1)
        # Beyond this the product overflows float32, and the gradients become NaN.
        distance = ops.clip(2.0 * half * value - 1.0 - means, -1e12, 1e12)
        above, below = (distance + half) * inverse_scale, (distance - half) * inverse_scale
        # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), and a - b = w is known without rounding;
        # 1 - exp(-w) = tanh(w / 2) (1 + exp(-w)) keeps its digits for small w.
        width = half * inverse_scale
        log_width = ops.log(ops.tanh(width)) + ops.softplus(-2.0 * width)
        lowest, highest = value < 0.5, value > self.num_levels - 1.5
        log_level = ops.where(highest, 0.0, -ops.softplus(-above)) + ops.where(lowest, 0.0, -ops.softplus(below))
        log_level = log_level + ops.where(ops.logical_or(lowest, highest), 0.0, log_width)
        return ops.logsumexp(ops.log_softmax(weights, axis=-1) + log_level, axis=-1)

    def sample(self, params, temperature=1.0, noise=None, seed=None) -> Any:
        """Draws one level for each parameter vector.

        Args:
            params: Raw parameters, (..., num_params).
            temperature: A number or (...): the weights' logits are divided by it and the scales multiplied; 1 draws
                from the mixture, near 0 the likeliest component's mean.
            noise: Optional (..., num_noise), uniform in [0, 1): for the component and within it. The result is a pure
                function of params, temperature and noise.
            seed: An int or `keras.random.SeedGenerator`, used where `noise` is not given.

        Returns:
            int32 of shape (...).
        """
        weights, means, log_scales = self._split(params)
        if noise is None:
            noise = keras.random.uniform((*ops.shape(weights)[:-1], self.num_noise), seed=seed)
        temperature = ops.maximum(ops.cast(temperature, "float32"), 1e-4)[..., None]
        cumulative = ops.cumsum(ops.softmax(weights / temperature, axis=-1), axis=-1)
        # Scaled by the last sum: rounding may leave it below 1, and a draw above it would pick no component.
        below = ops.cast(cumulative <= noise[..., :1] * cumulative[..., -1:], "int32")
        chosen = ops.one_hot(ops.minimum(ops.sum(below, axis=-1), self.num_mixtures - 1), self.num_mixtures)
        mean, scale = (ops.sum(chosen * each, axis=-1) for each in (means, ops.exp(log_scales) * temperature))
        uniform = ops.clip(noise[..., 1], 1e-7, 1.0 - 1e-7)
        value = mean + scale * (ops.log(uniform) - ops.log(1.0 - uniform))
        place = (ops.clip(value, -1.0, 1.0) + 1.0) * ((self.num_levels - 1) / 2)
        return ops.cast(ops.floor(place + 0.5), "int32")

    def mean(self, params) -> Any:
        """Computes the mean of the mixture, before it is discretised to levels.

        Args:
            params: Raw parameters, (..., num_params).

        Returns:
            float32 of shape (...); -1 is the lowest level, 1 the highest.
        """
        weights, means, _ = self._split(params)
        # Keras warns of a softmax of one.
        return means[..., 0] if self.num_mixtures == 1 else ops.sum(ops.softmax(weights, axis=-1) * means, axis=-1)

    def get_config(self) -> dict:
        """What `from_config` needs to make an equal family."""
        return {"num_mixtures": self.num_mixtures, "num_levels": self.num_levels}

    @classmethod
    def from_config(cls, config: dict) -> "LogisticMixture":
        """Makes a family from `get_config`'s dictionary.

        Args:
            config: The dictionary.
        """
        return cls(**config)

    def __eq__(self, other):
        return isinstance(other, LogisticMixture) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash(tuple(self.get_config().values()))

    def __repr__(self):
        return f"LogisticMixture(num_mixtures={self.num_mixtures}, num_levels={self.num_levels})"
