"""Where in an image a network saw what speaks for a class (Selvaraju et al. 2017)."""

import difflib

import keras
import numpy as np
import tensorflow as tf


def grad_cam(model: keras.Model, images: np.ndarray, layer_name: str, classes: np.ndarray | None = None) -> np.ndarray:
    """Computes gradient-weighted class activation maps.

    For class c with the score s_c and a layer's feature maps A_k: alpha_k = the mean over space of d s_c / d A_k, and
    the map = relu(Σ_k alpha_k A_k), bilinearly resized to the image and divided by its largest value. Where the layer
    is followed by global average pooling and one dense layer this is the class activation map of Zhou et al. 2016.

    Args:
        model: A functional or sequential model of one image input, channels last; called with `training=False`. Its
            output is the logits (batch, classes), or a dictionary or list with an entry named "logits". Not
            probabilities: their gradient vanishes where the network is sure.
        images: (batch, height, width, channels), as the model takes them.
        layer_name: A layer of the model with an output (batch, rows, columns, channels), most often the last
            convolution. Layers of a model inside the model have no such name.
        classes: (batch,) class numbers to be explained; None: those of the highest score.

    Returns:
        (batch, height, width) float32 from 0 to 1; all 0 where nothing speaks for the class.

    Raises:
        ValueError: Where there is no such layer or entry, the layer's output has no space, the logits do not depend on
            it, or classes are not one for each image.

    Example:

    >>> inputs = keras.Input((4, 4, 1))
    >>> features = keras.layers.Conv2D(2, 1, name="features")(inputs)
    >>> pooled = keras.layers.GlobalAveragePooling2D()(features)
    >>> model = keras.Model(inputs, keras.layers.Dense(3)(pooled))
    >>> grad_cam(model, np.ones((2, 4, 4, 1), "float32"), "features").shape
    (2, 4, 4)

    Reference: Selvaraju et al. 2017, arXiv 1610.02391, section 3; Zhou et al. 2016, arXiv 1512.04150.
    """
    layers = {layer.name: layer for layer in model.layers}
    if layer_name not in layers:
        near = difflib.get_close_matches(layer_name, layers, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"The model has no layer {layer_name!r}.{hint} It has: {', '.join(layers)}.")
    # Not `layer.output`: where the layer is a model itself, that is a tensor of its own graph.
    output = keras.Operation.output.fget(layers[layer_name])
    if not isinstance(output, keras.KerasTensor) or len(output.shape) != 4:
        raise ValueError(
            f"Layer {layer_name!r} has no output (batch, rows, columns, channels); its shape is "
            f"{getattr(output, 'shape', None)}."
        )
    both = keras.Model(model.inputs[0], [output, _logits(model)])
    with tf.GradientTape() as tape:
        x = tf.convert_to_tensor(images)
        tape.watch(x)  # so that a model without trainable weights is followed too
        features, logits = both(x, training=False)
        logits = tf.cast(logits, "float32")
        wanted = np.argmax(logits, axis=-1) if classes is None else np.asarray(classes)
        if wanted.shape != (len(logits),) or not np.isin(wanted, np.arange(logits.shape[-1])).all():
            raise ValueError(
                f"Expected a class from 0 to {logits.shape[-1] - 1} for each of {len(logits)} images; got {wanted}."
            )
        # Images do not touch one another: the sum has each one's own gradient.
        score = tf.reduce_sum(tf.gather(logits, tf.cast(wanted, "int32"), batch_dims=1))
    gradients = tape.gradient(score, features)
    if gradients is None:
        raise ValueError(f"The logits do not depend on layer {layer_name!r}.")
    alpha = tf.reduce_mean(tf.cast(gradients, "float32"), axis=(1, 2), keepdims=True)
    maps = tf.nn.relu(tf.reduce_sum(alpha * tf.cast(features, "float32"), axis=-1, keepdims=True))
    maps = tf.image.resize(maps, x.shape[1:3], "bilinear")[..., 0]
    return tf.math.divide_no_nan(maps, tf.reduce_max(maps, axis=(1, 2), keepdims=True)).numpy()


def _logits(model):
    outputs = model.output
    if isinstance(outputs, list | tuple):
        outputs = dict(zip(model.output_names, outputs, strict=True))
    if isinstance(outputs, dict):
        if "logits" not in outputs:
            raise ValueError(f"The model has no output 'logits'; it has: {', '.join(outputs)}.")
        outputs = outputs["logits"]
    if len(outputs.shape) != 2:
        raise ValueError(f"Expected logits (batch, classes); the model's output is of shape {outputs.shape}.")
    return outputs
