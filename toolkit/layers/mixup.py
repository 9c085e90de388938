"""Examples mixed with one another in a training, and their targets alike."""

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class Mixup(keras.layers.Layer):
    """λ x + (1 - λ) x' and λ y + (1 - λ) y', λ ~ Beta(α, α), x' and y' another example of the batch.

    The batch's examples stand in a circle, in an order at random, and each is mixed with the next. Outside of training
    everything stays as it is. Inputs may be images, sound, embeddings or the features inside a network (manifold
    mixup), targets one-hot labels, class numbers, masks of class numbers, or any numbers that a loss takes mixed.

    Targets are float32 under every policy; the mixture of the inputs is computed in float32.

    Args:
        alpha: α; the less, the nearer λ is to 0 or 1.
        per_example: Whether λ is drawn for each example, or once for the batch.
        num_classes: Makes integer targets one-hot, of this many classes; None: there are none.
        seed: Seed of the shares and partners.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: (batch, ...), of any number type.
        targets: (batch, ...), floats, or with `num_classes` integers.

    Input shape: (batch, height, width, channels) and (batch, classes); or (batch,) of class numbers, (batch, height,
        width) of a mask's.

    Output shape: (batch, height, width, channels) and (batch, classes); of a mask (batch, height, width, classes).

    Raises:
        ValueError: Where alpha is not over 0, targets are integers without `num_classes` or no numbers, or where a
            training batch is known to be of one example.

    Example:

    >>> layer = Mixup(0.4, num_classes=3, seed=0)
    >>> images, labels = layer(ops.ones((4, 8, 8, 1)), ops.array([0, 2, 1, 1]), training=True)
    >>> images.shape, labels.shape, round(float(ops.sum(labels)), 3)
    (TensorShape([4, 8, 8, 1]), TensorShape([4, 3]), 4.0)

    Reference: Zhang et al. 2018, arXiv 1710.09412, section 2; Verma et al. 2019, arXiv 1806.05236, section 3.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        per_example: bool = False,
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        # What is cast is said below: labels in half precision would not sum to 1.
        super().__init__(autocast=False, **kwargs)
        if not 0 < alpha < float("inf"):
            raise ValueError(f"{self.name}: alpha must be more than 0; got {alpha}.")
        if num_classes is not None and num_classes < 2:
            raise ValueError(f"{self.name}: num_classes must be at least 2; got {num_classes}.")
        self.alpha, self.per_example, self.num_classes, self.seed = float(alpha), per_example, num_classes, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, inputs_shape, targets_shape=None) -> None:
        self.built = True

    def call(self, inputs, targets, training=None):
        inputs, targets = ops.cast(inputs, self.compute_dtype), self.soft(targets)
        if not training:
            return inputs, targets
        self.check_batch(inputs)
        share, partner = self.draw(ops.shape(inputs)[0])
        return mixed(inputs, share, partner), mixed(targets, share, partner)

    def draw(self, batch_size: Any) -> tuple[Any, Any]:
        """Draws how a batch is mixed.

        Args:
            batch_size: Examples.

        Returns:
            (share, partner): λ, float32 (batch,) or (1,); with whom, int32 (batch,).
        """
        number = (batch_size,) if self.per_example else (1,)
        radius, angle, places = (
            keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
            for shape in (number, number, (batch_size,))
        )
        order = ops.argsort(places)
        return symmetric_beta(radius, angle, self.alpha), ops.take(ops.roll(order, -1), ops.argsort(order))

    def soft(self, targets: Any) -> Any:
        """Makes targets floats, which can be mixed.

        Args:
            targets: Floats, or with `num_classes` integers.

        Returns:
            float32.
        """
        self._check_kind(targets)
        if self.num_classes is None:
            return ops.cast(targets, "float32")
        return ops.one_hot(targets, self.num_classes, dtype="float32")

    def _check_kind(self, targets):
        kind = keras.backend.standardize_dtype(targets.dtype)
        expected = "float" if self.num_classes is None else "int"
        if expected not in kind:
            hint = "; num_classes makes class numbers one-hot" if "int" in kind else ""
            raise ValueError(f"{self.name}: targets of {kind} cannot be mixed; expected {expected}s{hint}.")

    def check_batch(self, inputs: Any) -> None:
        """Refuses a batch that is known to hold one example only.

        Args:
            inputs: (batch, ...).
        """
        if inputs.shape[0] == 1:
            raise ValueError(f"{self.name}: a batch of one example has no other one to mix it with.")

    def compute_output_shape(self, inputs_shape, targets_shape) -> tuple:
        return tuple(inputs_shape), (*targets_shape, *(() if self.num_classes is None else (self.num_classes,)))

    def compute_output_spec(self, inputs, targets, training=None) -> tuple:
        self._check_kind(targets)
        first, second = self.compute_output_shape(inputs.shape, targets.shape)
        return keras.KerasTensor(first, dtype=self.compute_dtype), keras.KerasTensor(second, dtype="float32")

    def get_config(self) -> dict:
        names = ("alpha", "per_example", "num_classes", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def symmetric_beta(radius: Any, angle: Any, alpha: float) -> Any:
    """Makes numbers of Beta(α, α) from uniform ones: 1/2 + c / (2 (c² + 1 / (u^(-1/α) - 1))^½), c = cos 2πv.

    No number is rejected, so that it compiles everywhere.

    Args:
        radius: u, float32, 0 to less than 1.
        angle: v, likewise.
        alpha: α.

    Returns:
        float32, the same shape, 0 to 1.

    Example:

    >>> round(float(symmetric_beta(ops.array(0.5), ops.array(0.25), 1.0)), 6)
    0.5

    Reference: Devroye 1996, "Random variate generation in one line of code", section 5.
    """
    cosine = ops.cos(2 * math.pi * angle)
    # Of 1 - u, which is never 0; where it is 1 the quotient is infinite, and its root's inverse 0.
    inverse = 1.0 / ops.expm1(ops.abs(ops.log1p(-radius)) / alpha)
    return ops.clip(0.5 + 0.5 * cosine * ops.rsqrt(cosine * cosine + inverse), 0.0, 1.0)  # a hair beyond by rounding


def mixed(values: Any, share: Any, partner: Any) -> Any:
    """Mixes a batch: λ x + (1 - λ) x'.

    Args:
        values: (batch, ...), floats.
        share: λ, float32 (batch,) or (1,).
        partner: With whom, int32 (batch,).

    Returns:
        The mixture, computed in float32, in the values' shape and type.

    Example:

    >>> mixed(ops.array([[0.0], [8.0]]), ops.array([0.75]), ops.array([1, 0])).numpy().tolist()
    [[2.0], [6.0]]
    """
    share = ops.reshape(share, (-1, *[1] * (len(values.shape) - 1)))
    wide = ops.cast(values, "float32")
    return ops.cast(share * wide + (1.0 - share) * ops.take(wide, partner, axis=0), values.dtype)
