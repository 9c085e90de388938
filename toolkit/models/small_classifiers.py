"""Classifiers of few weights, whose every training example can be asked about: Koh and Liang 2017, section 4.

All compute in float64 unless they are asked for another: differences between trainings lie far behind the point.
"""

from collections.abc import Sequence

import keras

from toolkit.layers.class_names import ClassNames

NETWORKS = ("logistic_regression", "svm", "cnn")


def logistic_regression(
    input_shape: Sequence[int], class_names: Sequence[str], *, scale: float = 1.0, dtype: str = "float64"
) -> keras.Model:
    """Builds softmax regression without biases: logits = W scale x, which begin at 0.

    Args:
        input_shape: Of an example, such as (28, 28, 1) or (3000,).
        class_names: The classes, two or more, which the model keeps.
        scale: What inputs are multiplied with: 1 / 255 for pixels.
        dtype: What it computes in.

    Returns:
        A model from (batch, *input_shape) to logits (batch, classes).

    Example:

    >>> logistic_regression((28, 28, 1), [str(digit) for digit in range(10)]).count_params()
    7840
    """
    inputs, x = _scaled(input_shape, scale, dtype)
    return _classifier(inputs, keras.layers.Flatten(name="features", dtype=dtype)(x), class_names, dtype, "zeros")


def linear_svm(input_shape: Sequence[int], *, scale: float = 1.0, dtype: str = "float64") -> keras.Model:
    """Builds a linear support vector machine without a bias: score = w scale x, above 0 the second of two classes.

    Args:
        input_shape: Of an example.
        scale: What inputs are multiplied with.
        dtype: What it computes in.

    Returns:
        A model from (batch, *input_shape) to the score (batch, 1).

    Example:

    >>> linear_svm((28, 28, 1)).count_params()
    784
    """
    inputs, x = _scaled(input_shape, scale, dtype)
    x = keras.layers.Flatten(name="features", dtype=dtype)(x)
    score = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="logits", dtype=dtype)(x)
    return keras.Model(inputs, score, name="linear_svm")


def all_convolutional(
    input_shape: Sequence[int],
    class_names: Sequence[str],
    *,
    filters: int = 8,
    scale: float = 1.0,
    dtype: str = "float64",
) -> keras.Model:
    """Builds the paper's small network: seven convolutions of 8 filters with tanh, two of them of stride 2.

    3 x 3, 3 x 3 of stride 2, the same again, 3 x 3 and two of 1 x 1; their mean over all places, then logits. It is
    smooth, so that its Hessian is all there is to know near an optimum.

    Args:
        input_shape: (height, width, channels) of an image.
        class_names: The classes, two or more, which the model keeps.
        filters: Of each convolution.
        scale: What inputs are multiplied with.
        dtype: What it computes in.

    Returns:
        A model from (batch, height, width, channels) to logits (batch, classes).

    Raises:
        ValueError: Where an example is no image.

    Example:

    >>> all_convolutional((28, 28, 1), [str(digit) for digit in range(10)]).count_params()
    2640

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 4.2 (2,616 weights); Springenberg et al. 2014 (its kind).
    """
    if len(input_shape) != 3:
        raise ValueError(f"A network of convolutions takes images (height, width, channels); got {tuple(input_shape)}.")
    inputs, x = _scaled(input_shape, scale, dtype)
    for kernel_size, strides in ((3, 1), (3, 2), (3, 1), (3, 2), (3, 1), (1, 1), (1, 1)):
        x = keras.layers.Conv2D(filters, kernel_size, strides, "same", activation="tanh", dtype=dtype)(x)
    x = keras.layers.GlobalAveragePooling2D(name="features", dtype=dtype)(x)
    return _classifier(inputs, x, class_names, dtype, "glorot_uniform")


def _scaled(input_shape, scale, dtype):
    inputs = keras.Input(tuple(input_shape), name="example", dtype=dtype)
    return inputs, keras.layers.Rescaling(scale, name="scaled", dtype=dtype)(inputs)


def _classifier(inputs, features, class_names, dtype, initializer):
    # A number added to all biases changes nothing: with them the Hessian would have an eigenvalue of 0.
    how = {"use_bias": False, "kernel_initializer": initializer, "name": "logits", "dtype": dtype}
    dense = keras.layers.Dense(len(class_names), **how)
    outputs = ClassNames(class_names, name="class_names", dtype=dtype)(dense(features))
    return keras.Model(inputs, outputs, name="classifier")


def last_layer(model: keras.Model) -> tuple[keras.Model, keras.layers.Layer]:
    """Takes a classifier apart before its last layer.

    Args:
        model: A model whose layer `logits` is dense and gives its output.

    Returns:
        (features, logits): a model from the input to what that layer sees, (batch, features), and the layer.

    Raises:
        ValueError: Where there is no such layer.

    Example:

    >>> features, logits = last_layer(logistic_regression((8, 8, 1), ["cat", "dog"]))
    >>> features.output_shape, logits.units
    ((None, 64), 2)
    """
    layer = next((layer for layer in model.layers if layer.name == "logits"), None)
    last = model.outputs[0]._keras_history.operation.name if len(model.outputs) == 1 else ""
    if not isinstance(layer, keras.layers.Dense) or last not in ("logits", "class_names") or layer.input.ndim != 2:
        raise ValueError(
            f"{model.name} has no dense layer `logits` of features (batch, features) at its end: it is no classifier."
        )
    return keras.Model(model.input, layer.input, name="before_logits"), layer


def in_float32(model: keras.Model) -> keras.Model:
    """Copies a model of this file to float32, for phones.

    Args:
        model: What a function here has built, with its weights.

    Returns:
        The same, in float32.

    Example:

    >>> in_float32(linear_svm((2,))).output.dtype
    'float32'
    """

    def changed(value):
        if isinstance(value, dict):
            return {key: changed(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(changed(each) for each in value)
        return "float32" if value == "float64" else value

    copy = keras.Model.from_config(changed(model.get_config()))
    copy.set_weights(model.get_weights())
    return copy
