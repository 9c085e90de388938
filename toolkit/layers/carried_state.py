"""A recurrent network's state, carried from one batch to the next."""

from collections.abc import Mapping

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class CarriedState(keras.layers.Wrapper):
    """Keeps the state of a network that takes and returns it, so that batches of a long stream follow one another.

    The wrapped network maps a dictionary to a dictionary, and what has the same name in both is its state. A call gives
    it the state that the call before left, zeros in the rows that begin anew, and keeps the new one. Derivatives end at
    the batch's first step: truncated back-propagation. The states are variables of the layer, so a checkpoint holds
    them; the batch size is theirs.

    Args:
        layer: The network.
        state_sizes: Channels of each state, by name.
        batch_size: Rows of a batch.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: The network's inputs but the states, by name, and "continues" (batch,): 1 where a row goes on from the
            last call's, 0 where it begins anew.

    Input shape: a dictionary, such as {"tokens": (batch, time), "continues": (batch,)}.

    Output shape: the network's outputs but the states, a dictionary; its only one, if it is only one.

    Raises:
        ValueError: Where the batch size is less than 1.

    Example:

    >>> total = keras.Input((1,), name="total")
    >>> more = keras.Input((1,), name="more")
    >>> network = keras.Model({"total": total, "more": more}, {"total": total + more, "shown": 10 * (total + more)})
    >>> layer = CarriedState(network, {"total": 1}, batch_size=1)
    >>> batch = {"more": ops.ones((1, 1)), "continues": ops.ones((1,))}
    >>> [float(layer(batch)[0, 0]) for _ in range(3)]
    [10.0, 20.0, 30.0]

    Reference: Graves 2013, arXiv 1308.0850, section 3.2.
    """

    def __init__(self, layer, state_sizes: Mapping[str, int], batch_size: int, **kwargs) -> None:
        # Nothing is cast on the way in: precision is the network's, and states are kept in float32.
        kwargs.setdefault("dtype", "float32")
        super().__init__(layer, autocast=False, **kwargs)
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; got {batch_size}.")
        self.state_sizes = dict(state_sizes)
        self.batch_size = batch_size
        self.states = {
            name: self.add_weight(name=name, shape=(batch_size, size), initializer="zeros", trainable=False)
            for name, size in self.state_sizes.items()
        }

    def build(self, input_shape=None) -> None:
        if not self.layer.built:
            shapes = {name: shape for name, shape in (input_shape or {}).items() if name != "continues"}
            self.layer.build({**shapes, **{name: (self.batch_size, size) for name, size in self.state_sizes.items()}})
        self.built = True

    def call(self, inputs, training=None):
        given = dict(inputs)
        keep = ops.cast(given.pop("continues"), "float32")[:, None]
        # A state that is not finite would be so for ever: 0 * nan is nan.
        before = {name: ops.where(keep > 0, keep * state, 0.0) for name, state in self.states.items()}
        outputs = dict(self.layer({**given, **before}, training=training))
        for name, state in self.states.items():
            state.assign(ops.stop_gradient(ops.cast(outputs.pop(name), "float32")))
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def reset_state(self) -> None:
        """Zeros in all states."""
        for state in self.states.values():
            state.assign(ops.zeros_like(state))

    def compute_output_shape(self, input_shape):
        specs = self.compute_output_spec({name: keras.KerasTensor(shape) for name, shape in input_shape.items()})
        return keras.tree.map_structure(lambda spec: spec.shape, specs)

    def compute_output_spec(self, inputs, training=None):
        given = {name: spec for name, spec in inputs.items() if name != "continues"}
        states = {name: keras.KerasTensor((self.batch_size, size)) for name, size in self.state_sizes.items()}
        outputs = dict(self.layer.compute_output_spec({**given, **states}))
        outputs = {name: spec for name, spec in outputs.items() if name not in states}
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def get_config(self) -> dict:
        return {**super().get_config(), "state_sizes": self.state_sizes, "batch_size": self.batch_size}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None) -> "CarriedState":
        return super().from_config(dict(config), custom_objects)  # Keras' takes the layer out of what it is given
