"""Mixup without mixing: a loss of shrunk examples and its second-order regularizers, by Jacobian and Hessian products.

With shrunk examples x̃, ỹ, the noise δ, ε that mixup adds to them (see `methods.mixup`), u = h(x̃), the product with the
Jacobian v = J δ, and a = δ^T ∇²h δ, which needs but one Hessian-vector product, that of l_u · h,

    E l(ỹ + ε, h(x̃ + δ)) ≈ l(ỹ, u) + E [½ v^T l_uu v + ½ l_u · a + v^T l_uy ε + ½ ε^T l_yy ε].

Each term is quadratic in the noise, so that one draw of it for each example is right on average.
"""

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from toolkit.layers.mixup import Mixup
from toolkit.lazy import tensorflow as tf
from toolkit.methods.mixup import moments

_TOGETHER = keras.layers.BatchNormalization, keras.layers.Dropout, keras.layers.GaussianDropout


class SecondOrder(NamedTuple):
    """The loss of each shrunk example, and what its noise adds to it in second order; (examples,) each.

    Args:
        shrunk: l(ỹ, u).
        jacobian: ½ v^T l_uu v, which is small where the network changes little with its input.
        curvature: ½ l_u · a, 0 of a network of linear pieces.
        cross: v^T l_uy ε.
        targets: ½ ε^T l_yy ε, 0 of a loss that is linear in the targets.
    """

    shrunk: Any
    jacobian: Any
    curvature: Any
    cross: Any
    targets: Any

    @property
    def total(self) -> Any:
        """The sum of all five."""
        return self.shrunk + self.jacobian + self.curvature + self.cross + self.targets


def cross_entropy(targets: Any, logits: Any) -> Any:
    """Computes -Σ_c y_c log softmax(u)_c of each example.

    Args:
        targets: y, (examples, classes).
        logits: u, (examples, classes).

    Example:

    >>> round(float(cross_entropy(np.array([[0.0, 1.0]]), np.zeros((1, 2)))[0]), 4)
    0.6931
    """
    return -tf.reduce_sum(targets * tf.nn.log_softmax(logits), axis=-1)


def second_order(
    function: Callable[[Any], Any],
    loss: Callable[[Any, Any], Any],
    inputs: Any,
    targets: Any,
    input_noise: Any,
    target_noise: Any,
    *,
    curvature: bool = True,
) -> SecondOrder:
    """Expands l(ỹ + ε, h(x̃ + δ)) to second order, by forward differentiation.

    Args:
        function: h, from (examples, ...) to (examples, outputs); an example's output depends on it alone.
        loss: l(targets, outputs), (examples,), twice differentiable.
        inputs: x̃, floats.
        targets: ỹ, (examples, outputs).
        input_noise: δ, as `inputs`.
        target_noise: ε, as `targets`.
        curvature: Whether the second derivatives of h are followed; of a network of linear pieces they are 0.

    Returns:
        The terms, which can be differentiated again in a `tf.function`; TensorFlow's eager tape fails at them.

    Example:

    >>> x, y, dx, dy = (tf.constant([[number]]) for number in (3.0, 1.0, 0.5, 0.1))
    >>> found = second_order(tf.square, lambda y, u: tf.square(u - y)[:, 0], x, y, dx, dy)
    >>> [round(float(term[0]), 3) for term in found]  # (8, then v = 3, a = 0.5, l_u = 16)
    [64.0, 9.0, 4.0, -0.6, 0.01]

    Reference: Carratino et al. 2020, arXiv 2006.06049, section 3.
    """
    tape = tf.GradientTape() if curvature else contextlib.nullcontext()
    with tape:
        if curvature:
            tape.watch(inputs)
        with tf.autodiff.ForwardAccumulator(inputs, input_noise) as forward:
            outputs = function(inputs)
        moved = forward.jvp(outputs, unconnected_gradients="zero")

    def slope(outputs, targets):
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            total = tf.reduce_sum(loss(targets, outputs))
        return tape.gradient(total, outputs)

    def along(function, at, step):
        with tf.autodiff.ForwardAccumulator(at, step) as forward:
            value = function(at)
        return value, forward.jvp(value, unconnected_gradients="zero")

    def target_slope(targets):
        return along(lambda y: loss(y, outputs), targets, target_noise)[1]

    by_outputs, in_outputs = along(lambda u: slope(u, targets), outputs, moved)
    _, in_both = along(lambda y: slope(outputs, y), targets, target_noise)
    _, in_targets = along(target_slope, targets, target_noise)
    bends = tf.zeros_like(in_targets)
    if curvature:  # l_u times the second derivatives times δ: one Hessian-vector product
        product = tape.gradient(moved, inputs, output_gradients=by_outputs, unconnected_gradients="zero")
        bends = tf.reduce_sum(product * input_noise, axis=range(1, inputs.shape.rank))
    return SecondOrder(
        loss(targets, outputs),
        0.5 * tf.reduce_sum(moved * in_outputs, axis=-1),
        0.5 * bends,
        tf.reduce_sum(moved * in_both, axis=-1),
        0.5 * in_targets,
    )


class ApproximateMixup(keras.Model):
    """Trains a network on mixup's loss in second order: shrunk examples and regularizers, in place of mixtures.

    What it learns of is shrunk, so that it is to be tested by `methods.mixup.rescaled`. A step takes some times as long
    as one of mixup. Without batch normalization and dropout: an example's outputs must depend on it alone.

    Args:
        network: The network, of one input to outputs (batch, n).
        alpha: α of the mixup that it stands for; the less, the nearer.
        input_mean: x̄ of the training inputs.
        target_mean: ȳ of the training targets.
        loss: l(targets, outputs), (batch,), twice differentiable.
        curvature: As in `second_order`.
        seed: Seed of the noise.
        **kwargs: As in `keras.Model`.

    Raises:
        ValueError: Where alpha is not over 0, a mean does not fit, or the network has a batch normalization or a
            dropout. In a step, where examples come with weights.

    Example:

    >>> inputs = keras.Input((2,))
    >>> network = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Dense(8, "tanh")(inputs)))
    >>> model = ApproximateMixup(network, 0.2, np.zeros(2), np.ones(3) / 3, seed=0)
    >>> model.compile("sgd")
    >>> sorted(model.train_on_batch(np.ones((4, 2)), np.eye(3)[[0, 1, 2, 0]], return_dict=True))
    ['cross', 'curvature', 'jacobian', 'loss', 'shrunk', 'targets']

    Reference: Carratino et al. 2020, arXiv 2006.06049, sections 3 and 5.
    """

    def __init__(
        self,
        network: keras.Model,
        alpha: float,
        input_mean: np.ndarray,
        target_mean: np.ndarray,
        loss: Callable[[Any, Any], Any] = cross_entropy,
        curvature: bool = True,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        for layer in network._flatten_layers():
            if isinstance(layer, _TOGETHER):
                raise ValueError(
                    f"{network.name} has {layer.name}: expected no batch normalization and no dropout, so that an "
                    "example's outputs depend on it alone."
                )
        for name, mean, shape in (
            ("input_mean", input_mean, network.input_shape[1:]),
            ("target_mean", target_mean, network.output_shape[1:]),
        ):
            if np.shape(mean) != tuple(shape):
                raise ValueError(f"{name}: expected shape {tuple(shape)}; got {np.shape(mean)}.")
        self.network, self.curvature = network, curvature
        self._each, self._factor = loss, moments(alpha).mean
        self._means = tuple(np.asarray(mean, "float32") for mean in (input_mean, target_mean))
        self._mixup = Mixup(alpha, per_example=True, seed=seed, name="mixup")

    def call(self, inputs, training=None):
        return self.network(inputs, training=training)

    def build(self, input_shape=None):
        self.built = True

    def train_step(self, batch):
        """Takes a step.

        Args:
            batch: (inputs, targets), floats.

        Returns:
            The means of the loss and its terms; "shrunk" is the loss without regularizers.
        """
        inputs, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
        if weights is not None:
            raise ValueError(f"{self.name}: expected (inputs, targets); got weights of examples too.")
        self._mixup.check_batch(inputs)
        share, partner = self._mixup.draw(tf.shape(inputs)[0])
        share = tf.maximum(share, 1.0 - share)
        shrunk, added = zip(
            *(
                self._parted(tf.cast(values, tf.float32), mean, share, partner)
                for values, mean in zip((inputs, self._mixup.soft(targets)), self._means, strict=True)
            ),
            strict=True,
        )
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            terms = second_order(
                lambda x: self.network(x, training=True), self._each, *shrunk, *added, curvature=self.curvature
            )
            loss = tf.reduce_mean(terms.total)
            scaled = self.optimizer.scale_loss(loss / self.distribute_strategy.num_replicas_in_sync)
        self.optimizer.apply(tape.gradient(scaled, weights), weights)
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(inputs)[0])
        return {**self.get_metrics_result(), **{name: tf.reduce_mean(term) for name, term in terms._asdict().items()}}

    def _parted(self, values, mean, share, partner):
        """Shrunk values and what mixup would add to them."""
        centred = values - mean
        share = tf.reshape(share, [-1] + [1] * (values.shape.rank - 1))
        added = (share - self._factor) * centred + (1.0 - share) * tf.gather(centred, partner)
        return mean + self._factor * centred, added
