"""Training a network on mixtures of what its layers make of the examples: manifold mixup."""

import difflib
from collections.abc import Sequence

import keras

from toolkit.layers.mixup import Mixup, mixed
from toolkit.lazy import tensorflow as tf


class ManifoldMixup(keras.Model):
    """Trains a network on examples that are mixed at one of its layers, and on targets mixed alike.

    At each step one of the layers is taken at random. Its outputs h become λ h + (1 - λ) h', h' those of another
    example of the batch, and what follows it sees these. The layer that is the network's input gives mixup. In
    validation and prediction nothing is mixed.

    Args:
        network: The network, functional, of one input; its outputs may be several, by name.
        layer_names: The layers, each of which the whole of the network goes through; see `mixable`.
        alpha: α of λ ~ Beta(α, α).
        per_example: Whether λ is drawn for each example, or once for the batch.
        seed: Seed of the layers, shares and partners.
        **kwargs: As in `keras.Model`.

    Raises:
        ValueError: Where there is no such layer, or something goes past it; those that can be taken are named. In a
            step, where the batch is known to be of one example, or a target is no float.

    Example:

    >>> inputs = keras.Input((2,), name="x")
    >>> hidden = keras.layers.Dense(8, "relu", name="hidden")(inputs)
    >>> model = ManifoldMixup(keras.Model(inputs, keras.layers.Dense(2)(hidden)), ["x", "hidden"], alpha=2.0, seed=0)
    >>> model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    >>> sorted(model.train_on_batch(keras.ops.ones((4, 2)), keras.ops.ones((4, 2)) / 2, return_dict=True))
    ['loss']

    Reference: Verma et al. 2019, arXiv 1806.05236, section 3.
    """

    def __init__(
        self,
        network: keras.Model,
        layer_names: Sequence[str],
        alpha: float = 2.0,
        per_example: bool = False,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not layer_names:
            raise ValueError("layer_names: expected one layer or more; got none.")
        self.network = network
        self.mixup = Mixup(alpha, per_example, seed=seed, name="mixup")
        self._halves = tuple(_halves(network, name) for name in layer_names)

    def call(self, inputs, training=None):
        return self.network(inputs, training=training)

    def build(self, input_shape=None):
        self.built = True

    def train_step(self, batch):
        """Takes a step on a mixed batch.

        Args:
            batch: (inputs, targets[, weights]), which are floats; the weights are mixed too.

        Returns:
            The metrics, which see the mixed targets.
        """
        inputs, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
        self.mixup.check_batch(inputs)
        share, partner = self.mixup.draw(tf.shape(inputs)[0])
        targets, weights = keras.tree.map_structure(
            lambda each: None if each is None else mixed(self.mixup.soft(each), share, partner), (targets, weights)
        )

        def through(halves):
            before, after = halves
            return lambda: after(mixed(before(inputs, training=True), share, partner), training=True)

        with tf.GradientTape() as tape:
            branches = [through(halves) for halves in self._halves]
            outputs = branches[0]() if len(branches) == 1 else tf.switch_case(self._number(), branches)
            loss = self.compute_loss(inputs, targets, outputs, weights, training=True)
            scaled = self.optimizer.scale_loss(loss)
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        replicas = self.distribute_strategy.num_replicas_in_sync
        self._loss_tracker.update_state(loss * replicas, sample_weight=tf.shape(inputs)[0])
        return self.compute_metrics(inputs, targets, outputs, weights)

    def _number(self):
        """Which layer is taken."""
        return keras.random.randint((), 0, len(self._halves), dtype="int32", seed=self.mixup.seed_generator)


def mixable(network: keras.Model) -> list[str]:
    """Finds the layers that the whole of a network goes through, at which its examples can be mixed.

    Args:
        network: A functional model of one input.

    Returns:
        Their names, in the network's order; the first is the input.

    Example:

    >>> inputs = keras.Input((2,), name="x")
    >>> hidden = keras.layers.Dense(2, name="hidden")(inputs)
    >>> mixable(keras.Model(inputs, keras.layers.Add(name="sum")([inputs, hidden])))
    ['x']
    """
    found = []
    for layer in network.layers:
        try:
            _halves(network, layer.name, hint=False)
        except ValueError:
            continue
        found.append(layer.name)
    return found


def _halves(network, name, hint=True):
    """The network up to a layer, and from there on."""
    layers = {layer.name: layer for layer in network.layers}
    told = f"{network.name} has no layer {name!r}"
    if name in layers:
        # Not `layer.output`: where the layer is a model itself, that is a tensor of its own graph.
        output = keras.Operation.output.fget(layers[name])
        try:
            return keras.Model(network.input, output), keras.Model(output, network.output)
        except (ValueError, AttributeError):  # of Keras, where the outputs depend on more; of a list of outputs
            told = f"{network.name}: something goes past {name!r}, or nothing follows it"
    if not hint:
        raise ValueError(told)
    known = mixable(network)
    nearest = difflib.get_close_matches(name, known, n=1)
    suggestion = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(f"{told}.{suggestion} It can be mixed at {', '.join(known)}.")
