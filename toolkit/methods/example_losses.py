"""The loss of each example as a function of one flat vector of weights, with its first and second derivatives."""

import difflib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class ExampleLosses:
    """The losses l_i(w) of examples under a model whose weights w are one flat vector.

    The model is called as in inference, so without dropout and with the means that batch normalization has kept.
    Second derivatives are forward over reverse: the derivative of the gradient in a direction costs a few gradients and
    no more memory than they do, whatever the number of weights. Directions are taken together, as a batch.

    Args:
        model: A built model with weights in float32 or float64.
        loss: A `keras.losses.Loss`, whose elements are averaged for each example, or (y, outputs) -> losses (batch,).
        layers: Names of the layers whose weights are w, the others being constants; None: all that can be trained.

    Call arguments:
        weights: w, (num_weights,).
        x, y: Inputs and targets of a batch, arrays or nests of them.

    Attributes:
        variables: The variables that w is made of, in order.
        dtype: Their dtype.
        num_weights: Length of w.
        weights: w as it was when this was made or last read, a tensor.

    Raises:
        ValueError: Where there are no such layers, or no weights of one dtype in them.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> losses = ExampleLosses(model, keras.losses.MeanSquaredError())
    >>> x, y = np.array([[1.0], [2.0]]), np.array([[0.0], [0.0]])
    >>> losses(losses.weights, x, y).numpy()  # (w x - y)^2
    array([1., 4.], dtype=float32)
    >>> losses.gradients(x, y).ravel()
    array([2., 8.])
    >>> losses.hessian_products(x, y, np.array([[1.0]]))  # of the sum
    array([[10.]])

    Reference: Pearlmutter 1994, Fast exact multiplication by the Hessian; Schraudolph 2002, Fast curvature
    matrix-vector products for second-order gradient descent (Gauss-Newton).
    """

    def __init__(
        self, model: keras.Model, loss: keras.losses.Loss | Callable, layers: Sequence[str] | None = None
    ) -> None:
        self.model = model
        self._loss = loss
        self.variables = _variables(model, layers)
        self.dtype = self.variables[0].dtype
        self._graphs = {}
        self._shapes = [tuple(variable.shape) for variable in self.variables]
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]
        self.num_weights = sum(self._sizes)
        self.read_weights()
        _look_at_layers(model)

    def read_weights(self) -> None:
        """Takes as w what the variables are now; the graphs that were traced stay."""
        self.weights = tf.concat([tf.reshape(variable.value, [-1]) for variable in self.variables], axis=0)

    def split(self, weights: Any) -> list:
        """Takes a flat vector apart into tensors of the variables' shapes."""
        parts = tf.split(weights, self._sizes)
        return [tf.reshape(part, shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def outputs(self, weights: Any, x: Any) -> Any:
        """Computes the model's outputs with other weights, (num_weights,), for inputs x."""
        ours = {id(variable): part for variable, part in zip(self.variables, self.split(weights), strict=True)}
        # Constants are read at each call: a tensor kept from another graph could not be used.
        trainable = [ours.get(id(variable), variable.value) for variable in self.model.trainable_variables]
        others = [variable.value for variable in self.model.non_trainable_variables]
        return self.model.stateless_call(trainable, others, x, training=False)[0]

    def of_outputs(self, y: Any, outputs: Any) -> Any:
        """Computes the losses (batch,) of targets y under a model's outputs."""
        losses = self._loss.call(y, outputs) if isinstance(self._loss, keras.losses.Loss) else self._loss(y, outputs)
        losses = tf.cast(losses, self.dtype)
        return (
            tf.reduce_mean(tf.reshape(losses, (tf.shape(losses)[0], -1)), axis=1) if losses.shape.rank > 1 else losses
        )

    def __call__(self, weights, x, y):
        x, y = self.tensors(x), self.tensors(y)
        return self.of_outputs(y, self.outputs(weights, x))

    def tensors(self, arrays: Any) -> Any:
        """Makes tensors of arrays, floats being of the weights' dtype."""

        def one(array):
            tensor = tf.convert_to_tensor(array)
            return tf.cast(tensor, self.dtype) if tensor.dtype.is_floating else tensor

        return tf.nest.map_structure(one, arrays)

    def values(self, x: Any, y: Any) -> np.ndarray:
        """Computes the losses of inputs x and targets y, (batch,), float64."""
        return self._run(self.__call__, x, y)

    def sum_gradient(self, x: Any, y: Any) -> np.ndarray:
        """Computes the gradient of the sum of the losses of x and y, (num_weights,), float64."""
        return self._run(self._sum_gradient, x, y)

    def gradients(self, x: Any, y: Any) -> np.ndarray:
        """Computes the gradient of the loss of each example of x and y, (batch, num_weights), float64."""
        return self._run(self._gradients, x, y)

    def directional(self, x: Any, y: Any, directions: np.ndarray) -> np.ndarray:
        """Computes grad l_i . d for each example i of x and y and each direction d, without any gradient.

        Args:
            x, y: Inputs and targets of a batch.
            directions: (directions, num_weights).

        Returns:
            float64 (directions, batch).
        """
        return self._run(self._directional, x, y, directions)

    def input_gradients(self, x: Any, y: Any, directions: np.ndarray) -> np.ndarray:
        """Computes grad_x (grad_w l_i . d), the mixed derivative, for each example i of x and y and direction d.

        Args:
            x: Inputs of a batch, one float array.
            y: Targets.
            directions: (directions, num_weights).

        Returns:
            float64 (directions, *x.shape).
        """
        return self._run(self._input_gradients, x, y, directions)

    def hessian_products(self, x: Any, y: Any, vectors: np.ndarray) -> np.ndarray:
        """Multiplies the Hessian of the sum of the losses of x and y with vectors, (vectors, num_weights); float64."""
        return self._run(self._hessian_products, x, y, vectors)

    def gauss_newton_products(self, x: Any, y: Any, vectors: np.ndarray) -> np.ndarray:
        """Multiplies the Gauss-Newton matrix of the sum of the losses of x and y with vectors, (vectors, num_weights).

        That is sum_i J_i' (d^2 l_i / d outputs^2) J_i: the Hessian without the model's own curvature; never negative
        where the loss is convex in the outputs, as cross-entropy is in logits. float64.
        """
        return self._run(self._gauss_newton_products, x, y, vectors)

    def _run(self, function, x, y, *vectors):
        """The function's result, by a graph for any number of examples and of vectors."""
        vectors = [tf.cast(tf.convert_to_tensor(each), self.dtype) for each in vectors]
        arguments = (self.weights, self.tensors(x), self.tensors(y), *vectors)
        many = [
            tf.nest.map_structure(lambda each: tf.TensorSpec((None, *each.shape[1:]), each.dtype), each)
            for each in arguments[1:]
        ]
        signature = (tf.TensorSpec(self.weights.shape, self.dtype), *many)
        key = function.__name__, str(signature)
        if key not in self._graphs:
            self._graphs[key] = tf.function(function, input_signature=signature, autograph=False)
        return np.array(self._graphs[key](*arguments), "float64")

    def _sum_gradient(self, weights, x, y):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tf.reduce_sum(self(weights, x, y))
        return tf.convert_to_tensor(tape.gradient(loss, weights, unconnected_gradients="zero"))

    def _gradients(self, weights, x, y):
        def one(example):
            return self._sum_gradient(weights, *tf.nest.map_structure(lambda each: each[None], example))

        # Not `vectorized_map`, whose gradient of attention overwrites memory (TensorFlow 2.21).
        return tf.map_fn(one, (x, y), fn_output_signature=self.dtype)

    def _directional(self, weights, x, y, directions):
        def one(direction):
            with tf.autodiff.ForwardAccumulator(weights, direction) as forward:
                losses = self(weights, x, y)
            return forward.jvp(losses, tf.UnconnectedGradients.ZERO)

        return tf.vectorized_map(one, directions)

    def _input_gradients(self, weights, x, y, directions):
        def one(direction):
            with tf.GradientTape() as tape:
                tape.watch(x)
                with tf.autodiff.ForwardAccumulator(weights, direction) as forward:
                    losses = self(weights, x, y)
                along = forward.jvp(losses, tf.UnconnectedGradients.ZERO)
            return tape.gradient(along, x, unconnected_gradients="zero")

        return tf.vectorized_map(one, directions)

    def _hessian_products(self, weights, x, y, vectors):
        def one(vector):
            with tf.autodiff.ForwardAccumulator(weights, vector) as forward:
                gradient = self._sum_gradient(weights, x, y)
            return forward.jvp(gradient, tf.UnconnectedGradients.ZERO)

        return tf.vectorized_map(one, vectors)

    def _gauss_newton_products(self, weights, x, y, vectors):
        def one(vector):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                with tf.autodiff.ForwardAccumulator(weights, vector) as forward:
                    outputs = self.outputs(weights, x)
                moved = tf.nest.map_structure(lambda each: forward.jvp(each, tf.UnconnectedGradients.ZERO), outputs)
            flat = tf.nest.flatten(outputs)
            constant = [tf.stop_gradient(each) for each in flat]
            with tf.autodiff.ForwardAccumulator(constant, tf.nest.flatten(moved)) as forward:
                with tf.GradientTape() as inner:
                    inner.watch(constant)
                    loss = tf.reduce_sum(self.of_outputs(y, tf.nest.pack_sequence_as(outputs, constant)))
                gradients = inner.gradient(loss, constant, unconnected_gradients="zero")
            curved = [forward.jvp(each, tf.UnconnectedGradients.ZERO) for each in gradients]
            return tf.convert_to_tensor(tape.gradient(flat, weights, curved, unconnected_gradients="zero"))

        return tf.vectorized_map(one, vectors)


def _variables(model, names):
    if not model.built:
        raise ValueError(f"The model {model.name!r} has no weights yet: call it once, or give it a keras.Input.")
    if names is None:
        variables = model.trainable_variables
    else:
        layers = {layer.name: layer for layer in _layers(model)}
        for name in [names] if isinstance(names, str) else names:
            if name not in layers:
                near = difflib.get_close_matches(name, layers, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"The model has no layer {name!r}.{hint} It has: {', '.join(layers)}.")
            if not layers[name].trainable_variables:
                those = ", ".join(other for other, layer in layers.items() if layer.trainable_variables)
                raise ValueError(f"Layer {name!r} has no weights that can be trained; these have: {those}.")
        chosen = {id(each) for name in names for each in layers[name].trainable_variables}
        variables = [variable for variable in model.trainable_variables if id(variable) in chosen]
    if not variables:
        raise ValueError(f"The model {model.name!r} has no weights that can be trained.")
    for variable in variables:
        if variable.dtype not in ("float32", "float64") or variable.dtype != variables[0].dtype:
            raise ValueError(
                f"Weights are to be all float32 or all float64; {variable.path} is {variable.dtype} and "
                f"{variables[0].path} {variables[0].dtype}."
            )
    return variables


def _layers(model) -> Iterator[keras.layers.Layer]:
    """The model's layers, and those of the models among them."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _look_at_layers(model):
    layers = list(_layers(model))
    for layer in layers:
        if isinstance(layer, keras.layers.RNN) and not layer.unroll:
            raise ValueError(
                f"Layer {layer.name!r} is a loop over time, through which there is no derivative forwards: set its "
                "`unroll` to True, which leaves its weights as they are."
            )
    differ = keras.layers.Dropout, keras.layers.GaussianNoise, keras.layers.GaussianDropout, keras.layers.AlphaDropout
    names = [layer.name for layer in layers if isinstance(layer, (*differ, keras.layers.BatchNormalization))]
    if names:
        warnings.warn(f"Taken as in inference, not as in training: {', '.join(names)}.", stacklevel=4)
