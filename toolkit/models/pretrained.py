"""First weights of an image network: those of `keras.applications`, or a file's."""

import pathlib
from collections.abc import Sequence

import keras
import numpy as np

# How each application's weights want the image, which is RGB from 0 to 255: mean and scale of each channel, and whether
# they take blue first.
_CAFFE = ((123.68, 116.779, 103.939), (1.0, 1.0, 1.0), True)
_MINUS_1_TO_1 = ((127.5,) * 3, (127.5,) * 3, False)
APPLICATIONS = {
    "VGG16": _CAFFE,
    "VGG19": _CAFFE,
    "ResNet50": _CAFFE,
    "ResNet101": _CAFFE,
    "ResNet152": _CAFFE,
    "ResNet50V2": _MINUS_1_TO_1,
    "ResNet101V2": _MINUS_1_TO_1,
    "ResNet152V2": _MINUS_1_TO_1,
    "InceptionV3": _MINUS_1_TO_1,
    "InceptionResNetV2": _MINUS_1_TO_1,
}


def load(model: keras.Model, weights: str | None, application: str | None) -> keras.Model:
    """Gives a new network its first weights.

    Args:
        model: The network, with a `Standardization` named "standardize".
        weights: None: they stay random; "imagenet": those that `keras.applications` has, which it downloads once to
            ~/.keras/models, but for logits of another number of classes, VGG's dense layers for another image size, and
            auxiliary heads, which stay random; or the path of a file that Keras wrote for the same network.
        application: The name that the same network has in `keras.applications`; None: it is not there.

    Returns:
        The model.

    Raises:
        ValueError: Where there are no such weights, or the image does not have three channels.

    Example:

    >>> from toolkit.models.resnet import resnet
    >>> resnet(18, weights="imagenet")
    Traceback (most recent call last):
    ValueError: resnet18: keras.applications has no ImageNet weights for it in this form. ...
    """
    if weights is None:
        return model
    if weights == "imagenet":
        if application not in APPLICATIONS:
            raise ValueError(
                f"{model.name}: keras.applications has no ImageNet weights for it in this form. It has them, in the "
                f"published sizes, for {', '.join(sorted(APPLICATIONS))}."
            )
        if model.input_shape[-1] != 3:
            raise ValueError(f"{model.name}: ImageNet weights are for 3 channels; got {model.input_shape[-1]}.")
        top = {"classifier_activation": None} if "logits" in {layer.name for layer in model.layers} else {}
        try:
            reference = getattr(keras.applications, application)(include_top=bool(top), **top)
        except Exception as error:  # what Keras raises where there is no network is no more than that
            if "fetch" not in str(error):
                raise
            raise ValueError(
                f"{model.name}: Keras could not download ImageNet weights to ~/.keras/models: {error}"
            ) from error
        # Auxiliary heads are not there, and stay random.
        trunk = keras.Model(model.input, model.output["logits"]) if top and isinstance(model.output, dict) else model
        copy_weights(trunk, reference, *APPLICATIONS[application])
        return model
    load_file(model, weights)
    return model


def transfer(source: keras.Model, model: keras.Model) -> int:
    """Gives a network the weights of another one's layers of the same names and shapes, such as its backbone's.

    Args:
        source: Theirs.
        model: Ours, which is changed.

    Returns:
        How many layers were given weights.

    Raises:
        ValueError: Where not one is the same.

    Example:

    >>> from toolkit.models.resnet import resnet
    >>> transfer(resnet(8, (32, 32, 3), 10, width=4), resnet(8, (64, 64, 3), 5, width=4, include_top=False))
    19
    """
    theirs, number = {layer.name: layer for layer in source.layers}, 0
    for layer in model.layers:
        found = theirs.get(layer.name)
        if found is None or not layer.weights:
            continue
        if [tuple(weight.shape) for weight in layer.weights] == [tuple(weight.shape) for weight in found.weights]:
            layer.set_weights(found.get_weights())
            number += 1
    if not number:
        raise ValueError(f"{source.name} has no layer that {model.name} has too, of the same name and shape.")
    return number


def load_file(model: keras.Model, weights: str) -> None:
    """Gives a network the weights of a file.

    Args:
        model: The network, built.
        weights: The path of a file that Keras wrote for the same network: .keras, .weights.h5 or .h5.

    Raises:
        ValueError: Where it is none, is damaged, or of another network; some weights may have changed then.
    """
    try:
        path = pathlib.Path(weights).expanduser()
        is_file = path.is_file() and path.stat().st_size > 0
    except (OSError, RuntimeError):  # a name that is too long; no such user
        is_file = False
    if not is_file:
        raise ValueError(f"weights={weights!r}: expected None, 'imagenet' or the path of a .keras or .weights.h5 file.")
    try:
        model.load_weights(path)
    except Exception as error:  # what HDF5, zip and Keras raise of a damaged file is of twenty kinds
        why = " ".join(str(getattr(error, "strerror", None) or error).split())[:300].rstrip(".") or type(error).__name__
        raise ValueError(
            f"weights={weights!r}: damaged, or not a file that Keras wrote for the same network as {model.name}: {why}."
        ) from error


def copy_weights(
    model: keras.Model, reference: keras.Model, mean: Sequence[float], scale: Sequence[float], blue_first: bool
) -> None:
    """Copies the weights of a network of `keras.applications` into ours of the same graph.

    Layers are matched by their place in the graph. A convolution's bias goes into the normalization that follows it
    where ours has none: BN(x + b) is BN(x) with a moving mean that is b less.

    Args:
        model: Ours.
        reference: Theirs.
        mean: Of each channel, red first, 0 to 255, that their images have subtracted.
        scale: What they are divided by.
        blue_first: Whether theirs takes BGR; ours takes RGB.

    Raises:
        ValueError: Where the two are not the same network.
    """
    mine = [layer for layer in in_order(model) if layer.name != "standardize"]
    theirs = in_order(reference)
    if [_kind(layer) for layer in mine] != [_kind(layer) for layer in theirs]:
        raise ValueError(f"{model.name} and {reference.name} are not the same network.")
    bias, is_first = 0.0, True
    for ours, its in zip(mine, theirs, strict=True):
        if isinstance(ours, keras.layers.BatchNormalization):
            for name in ("gamma", "beta", "moving_mean", "moving_variance"):
                weight = getattr(ours, name)
                if weight is not None:
                    weight.assign(np.asarray(getattr(its, name)) - (bias if name == "moving_mean" else 0.0))
            bias = 0.0
            continue
        kernel = np.asarray(its.kernel)
        if is_first and blue_first:
            kernel = kernel[:, :, ::-1]
        is_first = False
        if isinstance(ours, keras.layers.Dense) and tuple(ours.kernel.shape) != kernel.shape:
            continue  # for other classes, or after VGG's features of another image size
        ours.kernel.assign(kernel)
        if ours.bias is not None:
            ours.bias.assign(its.bias)
        elif its.bias is not None:
            bias = np.asarray(its.bias)
    model.get_layer("standardize").adapt(mean, scale)


def in_order(model: keras.Model) -> list:
    """The layers with weights, each after those that it depends on, and these in the order of its inputs.

    Two networks of one graph have them in the same order, whatever their names and the order they were made in.

    Args:
        model: A functional model.
    """
    made_by = {id(tensor): layer for layer in model.layers for tensor in keras.tree.flatten(layer.output)}
    order, seen = [], set()
    waiting = [(made_by[id(tensor)], False) for tensor in reversed(keras.tree.flatten(model.outputs))]
    while waiting:
        layer, ready = waiting.pop()
        if ready:
            order.append(layer)
        elif id(layer) not in seen:
            seen.add(id(layer))
            waiting.append((layer, True))
            if not isinstance(layer, keras.layers.InputLayer):
                inputs = reversed(keras.tree.flatten(layer.input))
                waiting += [(made_by[id(tensor)], False) for tensor in inputs]
    return [layer for layer in order if layer.weights]


def _kind(layer):
    if isinstance(layer, keras.layers.BatchNormalization):
        return "normalization"
    return "dense" if isinstance(layer, keras.layers.Dense) else layer.kernel.shape[:-1]
