"""What the image networks are made of: convolutions, strides that can become dilation, heads."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import keras

from toolkit.layers.fused_batch_normalization import FusedBatchNormalization
from toolkit.layers.standardization import Standardization
from toolkit.layers.subsampling_2d import Subsampling2D

STEMS = ("imagenet", "small")


class Resolution:
    """Where an image network stands: its stride so far, the dilation in place of more, the levels left behind.

    Once the output stride is reached, a further stride s becomes 1, and what follows is dilated by s (Chen et al. 2016,
    arXiv 1606.00915, section 3.1). The weights stay the same, and every s-th value is that of the strided network where
    both pad alike and all is convolution. Poolings are not dilated: after them, values are near to those only.

    A feature level is what a network knows at one resolution, just before it goes to the next. It is named for the
    resolution that it has without an output stride: `level_3` is an eighth of the image's height and width.

    Args:
        image: The network's standardized image; no level.
        output_stride: The image's height over that of the last features; None: as published.

    Raises:
        ValueError: Where the output stride is no power of two.
    """

    def __init__(self, image: keras.KerasTensor, output_stride: int | None = None) -> None:
        if output_stride is not None and output_stride not in (1, 2, 4, 8, 16, 32):
            raise ValueError(f"output_stride must be None, 1, 2, 4, 8, 16 or 32; got {output_stride}.")
        self.output_stride = output_stride
        self.dilation_rate = 1
        self.levels = {}
        self._image = image
        self._stride, self._nominal = 1, 1

    def reduce(self, x: keras.KerasTensor, strides: int = 2) -> tuple[keras.KerasTensor, dict[str, int]]:
        """Goes to the next resolution.

        Args:
            x: The features, which end a level.
            strides: The published stride of what follows.

        Returns:
            (x, where): the features, and "strides" and "dilation_rate" for the convolution or pooling that follows.
        """
        x = self.end(x)
        where = {"strides": strides, "dilation_rate": self.dilation_rate}
        self._nominal *= strides
        if self.output_stride is not None and self._stride * strides > self.output_stride:
            where["strides"] = 1
            self.dilation_rate *= strides
        else:
            self._stride *= strides
        return x, where

    def end(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Names the features as their resolution's level.

        Args:
            x: The features.

        Returns:
            The features.
        """
        if x is self._image:
            return x
        name = f"level_{self._nominal.bit_length() - 1}"
        x = keras.layers.Identity(name=name)(x)
        self.levels[name] = x
        return x


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A family's convolution: its bias or normalization, and ReLU.

    Args:
        normalized: Whether batch normalization follows each convolution, which then has no bias.
        scale: Whether the normalization has a factor (gamma).
        epsilon: Added to the variance.
    """

    normalized: bool = True
    scale: bool = True
    epsilon: float = 1e-3

    def __call__(
        self,
        x,
        filters: int,
        kernel_size: int | tuple[int, int],
        name: str,
        *,
        strides: int = 1,
        dilation_rate: int = 1,
        padding: str = "same",
        groups: int = 1,
        activation: str | None = "relu",
    ):
        """Convolves.

        Args:
            x: Features (batch, height, width, channels).
            filters: Channels of the result.
            kernel_size: Height and width of the kernel.
            name: Of its layers.
            strides: As in `keras.layers.Conv2D`.
            dilation_rate: As in `keras.layers.Conv2D`; in place of a stride, where that is over.
            padding: "valid", or "same": as much on each side, with a stride too, where Keras pads by the input's size.
            groups: Parts of the channels, of the features and of the result, each of which sees its own alone.
            activation: "relu", or None.

        Returns:
            Features.
        """
        height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        if strides > 1 and max(height, width) == 1:  # never strided itself: see Subsampling2D
            x, strides = Subsampling2D(strides, name=f"{name}_subsampling")(x), 1
        if padding == "same" and strides > 1:
            x = keras.layers.ZeroPadding2D(((height - 1) // 2, (width - 1) // 2), name=f"{name}_pad")(x)
            padding = "valid"
        layer = functools.partial(
            keras.layers.Conv2D,
            kernel_size=(height, width),
            strides=strides,
            dilation_rate=dilation_rate if max(height, width) > 1 else 1,
            padding=padding,
            use_bias=not self.normalized,
            kernel_initializer="he_normal",
        )
        if groups == 1:
            x = layer(filters, name=name)(x)
        else:
            # A layer for each group: TensorFlow leaves a grouped convolution on a CPU to XLA, six times as slow.
            parts = enumerate(keras.ops.split(x, groups, axis=-1), start=1)
            results = [layer(filters // groups, name=f"{name}_group_{number}")(part) for number, part in parts]
            x = keras.layers.Concatenate(name=f"{name}_groups")(results)
        if self.normalized:
            x = self.normalize(x, f"{name}_bn")
        return keras.layers.Activation(activation, name=f"{name}_{activation}")(x) if activation else x

    def normalize(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """Batch normalization alone.

        Args:
            x: Features.
            name: Of the layer.
        """
        # 0.9, not Keras' 0.99, with which the statistics lag behind the weights in trainings of a few epochs.
        return FusedBatchNormalization(momentum=0.9, epsilon=self.epsilon, scale=self.scale, name=name)(x)


def pool(
    x: keras.KerasTensor,
    size: int,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    average: bool = False,
) -> keras.KerasTensor:
    """Takes the largest value, or the mean, of each window.

    It has no dilation: where a stride has become dilation, the windows' values stay neighbours.

    Args:
        x: Features (batch, height, width, channels).
        size: Height and width of the window.
        name: Of the layer.
        strides: As in Keras.
        padding: "same" or "valid".
        average: The mean instead of the largest.

    Returns:
        Features.
    """
    layer = keras.layers.AveragePooling2D if average else keras.layers.MaxPooling2D
    return layer(size, strides=strides, padding=padding, name=name)(x)


def concatenated(
    x: keras.KerasTensor,
    paths: Sequence[Sequence],
    name: str,
    conv: Convolution,
    scaled: Callable[[int], int],
    *,
    strides: int = 1,
    dilation_rate: int = 1,
    padding: str = "same",
) -> keras.KerasTensor:
    """Builds an Inception block: paths side by side, their results one after another in the channels.

    Args:
        x: Features (batch, height, width, channels).
        paths: Each a sequence of steps: (filters, kernel_size), a convolution; "max" or "average", pooling of 3 x 3; or
            a list of paths, into which this one parts.
        name: Of its layers.
        conv: The family's convolution.
        scaled: From the published filters to the network's, as `scaling` makes it.
        strides: Of each path's last step; the others have 1.
        dilation_rate: Of all convolutions.
        padding: Of each path's last step; the others have "same".

    Returns:
        Features.
    """
    results = []
    for number, steps in enumerate(paths, start=1):
        y = x
        for place, step in enumerate(steps, start=1):
            how = {"strides": strides, "padding": padding} if place == len(steps) else {}
            step_name = f"{name}_{number}_{place}"
            if isinstance(step, str):
                y = pool(y, 3, step_name, average=step == "average", **how)
            elif isinstance(step, list):
                y = concatenated(y, step, step_name, conv, scaled, dilation_rate=dilation_rate, **how)
            else:
                y = conv(y, scaled(step[0]), step[1], step_name, dilation_rate=dilation_rate, **how)
        results.append(y)
    return keras.layers.Concatenate(name=f"{name}_paths")(results)


def scaling(width: int, published: int, multiple: int = 1) -> Callable[[int], int]:
    """Says how a narrower or wider network's layers follow its first convolution.

    Args:
        width: Filters of the first convolution.
        published: What the paper has there.
        multiple: All filters are a multiple of this, as groups of a convolution need.

    Returns:
        A function of the published filters or units of a layer to its own, at least `multiple`.

    Raises:
        ValueError: Where the width is less than 1.

    Example:

    >>> scaled = scaling(width=16, published=64)
    >>> scaled(512), scaled(1)
    (128, 1)
    """
    if width < 1:
        raise ValueError(f"width must be at least 1; got {width}.")
    return lambda size: multiple * max(1, round(size * width / (published * multiple)))


def image_input(
    input_shape: tuple[int | None, int | None, int], stem: str
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Begins a network: its input and its standardization.

    Args:
        input_shape: (height, width, channels).
        stem: "imagenet" or "small", checked here for all networks.

    Returns:
        (inputs, standardized): `keras.Input` "image" of values 0 to 255, and what the network sees.

    Raises:
        ValueError: Where the shape is not one of an image, or the stem is unknown.
    """
    shape = tuple(input_shape)
    if len(shape) != 3 or shape[-1] is None or any(size is not None and size < 1 for size in shape):
        raise ValueError(f"input_shape must be (height, width, channels), the channels known; got {input_shape}.")
    if stem not in STEMS:
        raise ValueError(f"stem must be one of {', '.join(STEMS)}; got {stem!r}.")
    inputs = keras.Input(shape, name="image")
    return inputs, Standardization(name="standardize")(inputs)


def hidden_layers(x: keras.KerasTensor, units: int) -> keras.KerasTensor:
    """Adds two layers of units that see the whole image, each with half of its results left out in training.

    Args:
        x: Features (batch, height, width, channels), height and width known.
        units: Of each; the second is named "features".

    Returns:
        (batch, units).

    Raises:
        ValueError: Where height or width is not known.
    """
    if None in x.shape[1:]:
        raise ValueError(
            f"input_shape: height and width must be known, since each place has weights of its own in the first dense "
            f"layer; got features of shape {tuple(x.shape)}. Without them there is include_top=False."
        )
    x = keras.layers.Flatten(name="flatten")(x)
    for name in ("hidden", "features"):
        x = keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name)(x)
        x = keras.layers.Dropout(0.5, name=f"{name}_dropout")(x)
    return x


def logits(x: keras.KerasTensor, num_classes: int, name: str = "logits") -> keras.KerasTensor:
    """Adds the last layer: scores whose softmax are the classes' probabilities, in float32.

    Args:
        x: (batch, features).
        num_classes: How many.
        name: Of the layer.

    Raises:
        ValueError: Where there are fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(f"num_classes must be at least 2; got {num_classes}.")
    return keras.layers.Dense(num_classes, dtype="float32", name=name)(x)


def synchronize(model: keras.Model) -> None:
    """Has batch normalization see the whole batch of a step that several devices share, as it would on one device.

    Args:
        model: The network, whose layers are changed, those inside other layers too.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
