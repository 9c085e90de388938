"""How large a model's weights and gradients are, by layer."""

from typing import Any

from toolkit.lazy import tensorflow as tf


def weight_norms(model) -> dict[str, float]:
    """Euclidean norms of a model's trainable weights.

    Args:
        model: The model.

    Returns:
        "weight_norm/LAYER" for each layer that has such weights.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, name="last")])
    >>> model.set_weights([tf.constant([[3.0], [4.0]])])
    >>> weight_norms(model)
    {'weight_norm/last': 5.0}
    """
    layers = _by_layer(model, model.trainable_variables, model.trainable_variables)
    return {f"weight_norm/{name}": float(_norm(weights)) for name, weights in layers.items()}


class GradientNorms:
    """Euclidean norms of the gradients, in the training steps that are asked for.

    They are what the optimiser is given in the step itself, dropout and noise included, before it clips: nothing is
    computed twice, no random state moves, and the training is what it is without.

    Args:
        model: A compiled model, trained on one device: of several, each would know its part of a gradient only.

    Attributes:
        wanted: A `tf.Variable`: whether the coming step is measured.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, name="last")])
    >>> model.set_weights([tf.constant([[3.0], [4.0]])])
    >>> model.compile(keras.optimizers.SGD(0.1), loss="mse")
    >>> norms = GradientNorms.of(model)
    >>> _ = norms.wanted.assign(True)
    >>> _ = model.fit(tf.constant([[1.0, 0.0]]), tf.constant([[0.0]]), verbose=0)
    >>> norms.read()
    {'gradient_norm/last': 6.0, 'gradient_norm/all': 6.0}
    """

    @classmethod
    def of(cls, model) -> "GradientNorms":
        """Those of a model that is measured already, or new ones: Keras keeps the step that it compiled first.

        Args:
            model: The model.
        """
        return getattr(model.optimizer.apply, "norms", None) or cls(model)

    def __init__(self, model) -> None:
        optimizer, apply = model.optimizer, model.optimizer.apply
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        # Of several optimizers, each has its own.
        trained = list(inner._trainable_variables) if inner.built else model.trainable_variables
        layers = list(_by_layer(model, trained, trained))
        self.wanted = wanted = tf.Variable(False, trainable=False)
        self._norms = norms = tf.Variable(tf.zeros([len(layers)]), trainable=False)
        self._layers = layers

        def measure_and_apply(grads, trainable_variables=None):
            def measure():
                found = _by_layer(model, trainable_variables or trained, grads)
                scale = optimizer.scale_loss(tf.ones([]))  # mixed_float16 multiplies the loss, and so its gradients
                return norms.assign(tf.stack([_norm(found.get(name, [])) for name in layers]) / scale)

            tf.cond(wanted, measure, norms.value)
            return apply(grads, trainable_variables)

        measure_and_apply.norms = self
        optimizer.apply = measure_and_apply

    def read(self) -> dict[str, float]:
        """Of the last step that was `wanted`: "gradient_norm/LAYER", and "gradient_norm/all" of all together."""
        norms = self._norms.numpy()
        named = {f"gradient_norm/{name}": float(norm) for name, norm in zip(self._layers, norms, strict=True)}
        return {**named, "gradient_norm/all": float((norms**2).sum() ** 0.5)}


def _by_layer(model, variables, values) -> dict[str, list[Any]]:
    """The values of variables by the paths of their layers."""
    layers = {}
    for variable, value in zip(variables, values, strict=True):
        if value is not None:  # a gradient of a weight that the loss does not depend on
            # A path has the names of all layers and models that a layer is in, but that of a functional model.
            path = variable.path.removeprefix(f"{model.name}/")
            layers.setdefault(path.rpartition("/")[0] or path, []).append(value)
    return layers


def _norm(values):
    squares = [tf.reduce_sum(tf.square(tf.cast(tf.convert_to_tensor(value), tf.float32))) for value in values]
    return tf.sqrt(tf.add_n([tf.zeros([]), *squares]))
