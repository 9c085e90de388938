"""Mixtures of Gaussians whose parameters a network emits, with an optional on/off channel beside them."""

import math
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

COVARIANCES = ("diagonal", "correlated", "full")

# exp(+-LOG_SCALE_LIMIT) and 1 - tanh(CORRELATION_LIMIT)**2 are far from what data asks for and far from float32's ends.
LOG_SCALE_LIMIT = 12.0
CORRELATION_LIMIT = 6.0


class Components(NamedTuple):
    """The parts of a mixture, as `GaussianMixture.components` returns them.

    Shapes, for parameters of shape (batch, time, num_params):
        log_weights: (batch, time, mixtures), log of the mixture weights.
        means: (batch, time, mixtures, event_size).
        scale_tril: (batch, time, mixtures, event_size, event_size), lower Cholesky factor of each covariance.
        logits: (batch, time), log-odds of the on/off channel, or None.
    """

    log_weights: object
    means: object
    scale_tril: object
    logits: object


@keras.saving.register_keras_serializable(package="toolkit")
class GaussianMixture:
    """A family of Gaussian mixtures, indexed by raw parameters as a network's last layer emits them.

    p(x, b) = sum_j w_j N(x; m_j, L_j L_j') * e^b (1 - e)^(1 - b), where from the raw parameters (a hat each)
    w = softmax(ŵ), m = m̂, and the lower factor L of each covariance is, by `covariance`,

    - "diagonal": diag(exp(ŝ));
    - "correlated" (two dimensions): standard deviations exp(ŝ) and correlation r = tanh(r̂), as in Graves;
    - "full": exp(ŝ) on the diagonal, the entries below it as they are.

    With `bernoulli`, the event has one more channel b in {0, 1}, on with probability e = sigmoid(ê).

    The raw vector is laid out [ŵ (mixtures), m̂ (mixtures x event), ŝ (mixtures x event), r̂ or lower entries, ê].
    All is computed in float32, in log space; ŝ is held within +-12 and r̂ within +-6, so the result is finite for any
    finite input.

    Args:
        num_mixtures: Number of Gaussians (Graves: 20).
        event_size: Dimensions of x.
        covariance: "diagonal", "correlated" (needs `event_size=2`) or "full".
        bernoulli: Whether the event has an on/off channel after x.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> mixture = GaussianMixture(num_mixtures=20, event_size=2, covariance="correlated", bernoulli=True)
    >>> mixture.num_params
    121
    >>> tuple(mixture.log_prob(np.zeros((4, 7, 121)), np.zeros((4, 7, 3))).shape)
    (4, 7)

    Reference: Bishop 1994, "Mixture density networks"; Graves 2013, arXiv 1308.0850, equations 18-26.
    """

    def __init__(
        self, num_mixtures: int, event_size: int = 2, covariance: str = "diagonal", bernoulli: bool = False
    ) -> None:
        if num_mixtures < 1 or event_size < 1:
            raise ValueError(f"num_mixtures and event_size must be at least 1; got {num_mixtures} and {event_size}.")
        if covariance not in COVARIANCES:
            raise ValueError(f"covariance must be one of {', '.join(COVARIANCES)}; got {covariance!r}.")
        if covariance == "correlated" and event_size != 2:
            raise ValueError(f"covariance='correlated' is for event_size=2; got {event_size}. Use 'full' instead.")
        self.num_mixtures = int(num_mixtures)
        self.event_size = int(event_size)
        self.covariance = covariance
        self.bernoulli = bool(bernoulli)

    @property
    def num_params(self) -> int:
        """Length of the raw parameter vector."""
        return self.num_mixtures * (1 + 2 * self.event_size + self._num_lower) + self.bernoulli

    @property
    def num_channels(self) -> int:
        """Length of an event: `event_size`, and one more with the on/off channel."""
        return self.event_size + self.bernoulli

    @property
    def num_noise(self) -> int:
        """Length of the noise that one draw of `sample` uses up."""
        return 1 + self.event_size + self.bernoulli

    @property
    def _num_lower(self) -> int:
        return {
            "diagonal": 0,
            "correlated": 1,
            "full": self.event_size * (self.event_size - 1) // 2,
        }[self.covariance]

    def _split(self, params):
        """Raw parameters -> (ŵ, m̂, ŝ, lower, ê), the middle three with axes (..., mixtures, size)."""
        if params.shape[-1] != self.num_params:
            raise ValueError(
                f"Expected parameters with last axis {self.num_params} for {self.num_mixtures} mixtures in "
                f"{self.event_size} dimensions ({self.covariance}); got shape {tuple(params.shape)}."
            )
        params = ops.cast(params, "float32")
        k, d, n = self.num_mixtures, self.event_size, self._num_lower
        leading = ops.shape(params)[:-1]

        def part(start, size):
            return ops.reshape(params[..., start : start + k * size], (*leading, k, size))

        lower = part(k + 2 * k * d, n) if n else None
        logits = params[..., -1] if self.bernoulli else None
        return params[..., :k], part(k, d), part(k + k * d, d), lower, logits

    def _rows(self, log_scales, lower):
        """The lower factor's rows, as a list of lists of (..., mixtures) tensors, and the log of its diagonal."""
        log_scales = ops.clip(log_scales, -LOG_SCALE_LIMIT, LOG_SCALE_LIMIT)
        logs = [log_scales[..., i] for i in range(self.event_size)]
        rows = [[None] * i + [ops.exp(logs[i])] for i in range(self.event_size)]
        if self.covariance == "correlated":
            raw = ops.clip(lower[..., 0], -CORRELATION_LIMIT, CORRELATION_LIMIT)
            # log sqrt(1 - tanh(r)^2) = -log cosh(r), written so that it keeps its digits for large |r|.
            log_sech = math.log(2.0) - ops.abs(raw) - ops.softplus(-2.0 * ops.abs(raw))
            scale = rows[1][1]
            logs[1] = logs[1] + log_sech
            rows[1] = [ops.tanh(raw) * scale, ops.exp(logs[1])]
        elif self.covariance == "full":
            for entry, (i, j) in enumerate(zip(*np.tril_indices(self.event_size, -1), strict=True)):
                rows[i][j] = lower[..., entry]
        return rows, logs

    def log_prob(self, params, value) -> Any:
        """Computes log p(value), in nats.

        Args:
            params: Raw parameters, (batch, time, num_params) or any leading axes.
            value: Events, (batch, time, num_channels) with the same leading axes.

        Returns:
            float32 of shape (batch, time).

        Raises:
            ValueError: Where a last axis is not as long as the family says.
        """
        params, value = ops.convert_to_tensor(params), ops.convert_to_tensor(value)
        if value.shape[-1] != self.num_channels:
            raise ValueError(f"Expected events with last axis {self.num_channels}; got shape {tuple(value.shape)}.")
        weights, means, log_scales, lower, logits = self._split(params)
        value = ops.cast(value, "float32")
        rows, logs = self._rows(log_scales, lower)
        # Forward substitution, unrolled: z = L^-1 (x - m).
        solved = []
        for i, row in enumerate(rows):
            rest = value[..., i : i + 1] - means[..., i]
            for j in range(i):
                if row[j] is not None:
                    rest = rest - row[j] * solved[j]
            # Beyond this the square overflows float32, and the gradients become NaN.
            solved.append(ops.clip(rest / row[i], -1e12, 1e12))
        log_normal = -0.5 * self.event_size * math.log(2 * math.pi)
        for z, log_diagonal in zip(solved, logs, strict=True):
            log_normal = log_normal - 0.5 * ops.square(z) - log_diagonal
        result = ops.logsumexp(ops.log_softmax(weights, axis=-1) + log_normal, axis=-1)
        if logits is not None:
            flag = value[..., -1]
            result = result - flag * ops.softplus(-logits) - (1.0 - flag) * ops.softplus(logits)
        return result

    def components(self, params, bias=0.0) -> Components:
        """Computes the mixture's weights, means and Cholesky factors, for pictures and for other libraries.

        Args:
            params: Raw parameters, (..., num_params).
            bias: Sampling bias b >= 0, a number or (...): standard deviations exp(ŝ - b), weights softmax(ŵ (1 + b)).

        Returns:
            `Components`.
        """
        params = ops.convert_to_tensor(params)
        weights, means, log_scales, lower, logits = self._split(params)
        bias = ops.broadcast_to(ops.cast(bias, "float32"), ops.shape(params)[:-1])[..., None]
        rows, _ = self._rows(log_scales, lower)
        shrink = ops.exp(-bias)
        zero = ops.zeros_like(rows[0][0])
        full = [
            ops.stack([(row[j] if j < len(row) and row[j] is not None else zero) for j in range(self.event_size)], -1)
            for row in rows
        ]
        scale_tril = ops.stack(full, axis=-2) * shrink[..., None, None]
        return Components(ops.log_softmax(weights * (1.0 + bias), axis=-1), means, scale_tril, logits)

    def sample(self, params, bias=0.0, noise=None, seed=None) -> Any:
        """Draws one event for each parameter vector.

        Args:
            params: Raw parameters, (..., num_params).
            bias: Sampling bias b >= 0, a number or (...); 0 is unbiased, 1 neat, 5 nearly the mode.
            noise: Optional (..., num_noise): a uniform number for the component, `event_size` standard normal ones,
                and a uniform one for the on/off channel. The result is a pure function of params, bias and noise.
            seed: An int or `keras.random.SeedGenerator`, used where `noise` is not given.

        Returns:
            float32 of shape (..., num_channels).
        """
        params = ops.convert_to_tensor(params)
        if noise is None:
            noise = self.noise(ops.shape(params)[:-1], seed=seed)
        log_weights, means, scale_tril, logits = self.components(params, bias)
        cumulative = ops.cumsum(ops.exp(log_weights), axis=-1)
        # Scaled by the last sum: rounding may leave it below 1, and a draw above it would pick no component.
        below = ops.cast(cumulative <= noise[..., :1] * cumulative[..., -1:], "int32")
        chosen = ops.one_hot(ops.minimum(ops.sum(below, axis=-1), self.num_mixtures - 1), self.num_mixtures)
        mean = ops.sum(means * chosen[..., None], axis=-2)
        factor = ops.sum(scale_tril * chosen[..., None, None], axis=-3)
        event = mean + ops.sum(factor * noise[..., None, 1 : 1 + self.event_size], axis=-1)
        if logits is None:
            return event
        flag = ops.cast(noise[..., -1] < ops.sigmoid(logits), "float32")
        return ops.concatenate([event, flag[..., None]], axis=-1)

    def noise(self, shape, seed=None) -> Any:
        """Draws the noise that `sample` takes.

        Args:
            shape: Leading axes, such as (batch, time).
            seed: An int or `keras.random.SeedGenerator`.

        Returns:
            float32 of shape (*shape, num_noise): uniform, `event_size` standard normal, and uniform numbers.
        """
        generator = seed if isinstance(seed, keras.random.SeedGenerator) else keras.random.SeedGenerator(seed)
        parts = [
            keras.random.uniform((*shape, 1), seed=generator),
            keras.random.normal((*shape, self.event_size), seed=generator),
        ]
        if self.bernoulli:
            parts.append(keras.random.uniform((*shape, 1), seed=generator))
        return ops.concatenate(parts, axis=-1)

    def mean(self, params) -> Any:
        """Computes E[x], and the probability of the on/off channel.

        Args:
            params: Raw parameters, (..., num_params).

        Returns:
            float32 of shape (..., num_channels).
        """
        weights, means, _, _, logits = self._split(ops.convert_to_tensor(params))
        mean = ops.sum(ops.exp(ops.log_softmax(weights, axis=-1))[..., None] * means, axis=-2)
        return mean if logits is None else ops.concatenate([mean, ops.sigmoid(logits)[..., None]], axis=-1)

    def to_tfp(self, params, tfd) -> Any:
        """Makes a TensorFlow Probability distribution of the same density.

        Args:
            params: Raw parameters, (..., num_params).
            tfd: `tfp.distributions`, of whichever TFP substrate goes with the Keras backend.

        Returns:
            A `tfd.MixtureSameFamily`, or with the on/off channel a `tfd.Blockwise` of it and a Bernoulli.
        """
        log_weights, means, scale_tril, logits = self.components(params)
        mixture = tfd.MixtureSameFamily(
            tfd.Categorical(logits=log_weights), tfd.MultivariateNormalTriL(means, scale_tril)
        )
        if logits is None:
            return mixture
        flag = tfd.Independent(tfd.Bernoulli(logits=logits[..., None], dtype="float32"), 1)
        return tfd.Blockwise([mixture, flag])

    def get_config(self) -> dict:
        """What `from_config` needs to make an equal family."""
        return {
            "num_mixtures": self.num_mixtures,
            "event_size": self.event_size,
            "covariance": self.covariance,
            "bernoulli": self.bernoulli,
        }

    @classmethod
    def from_config(cls, config: dict) -> "GaussianMixture":
        """Makes a family from `get_config`'s dictionary.

        Args:
            config: The dictionary.
        """
        return cls(**config)

    def __eq__(self, other):
        return isinstance(other, GaussianMixture) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash(tuple(self.get_config().values()))

    def __repr__(self):
        return f"GaussianMixture({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"
