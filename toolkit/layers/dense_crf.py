"""A fully connected conditional random field over pixels: what looks alike and lies near is likely of one class."""

import math

import keras
import numpy as np
from keras import ops

from toolkit.layers.permutohedral_lattice import filtered, lattice, normalized


@keras.saving.register_keras_serializable(package="toolkit")
class DenseCRF(keras.layers.Layer):
    """Mean field of a dense CRF: labels that follow the image's edges.

    Q_i <- softmax(logits_i - sum over l' of mu(l, l') sum over j of [w1 k1(i, j) + w2 k2(i, j)] Q_j(l')), with
    k1 = exp(-|p_i - p_j|^2 / 2 a^2 - |I_i - I_j|^2 / 2 b^2) and k2 = exp(-|p_i - p_j|^2 / 2 c^2), each normalized as
    D^-1/2 K D^-1/2. k1 goes through a permutohedral lattice, in time that grows with the pixels, not with their
    square; k2 through a product along the rows and one along the columns. mu begins as Potts' model, 1 where classes
    differ; it and both weights can be trained.

    Args:
        num_iterations: Steps of mean field.
        position_stddev: a, in pixels.
        color_stddev: b, in grey levels.
        spatial_stddev: c, in pixels.
        bilateral_weight: w1 at first.
        spatial_weight: w2 at first.
        capacity: Lattice points at most, for XLA and JAX; None: as many as there are.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: logits (batch, height, width, classes), for example (1, 360, 480, 21); and the image (batch, height,
    width, channels), 0 to 255, for example (1, 360, 480, 3).

    Output shape: that of the logits; their softmax is Q.

    Raises:
        ValueError: Where a number is out of range, or logits and image have not four axes and one height and width.

    Example:

    >>> logits, image = keras.ops.zeros((1, 8, 9, 3)), keras.ops.ones((1, 8, 9, 3))
    >>> tuple(DenseCRF(num_iterations=2)(logits, image).shape)
    (1, 8, 9, 3)

    Reference: Kraehenbuehl and Koltun 2011, arXiv 1210.5644; 2013, "Parameter learning and convergent inference for
    dense random fields" (symmetric normalization); Chen et al. 2016, arXiv 1606.00915, section 3.3.
    """

    def __init__(
        self,
        num_iterations: int = 10,
        *,
        position_stddev: float = 60.0,
        color_stddev: float = 5.0,
        spatial_stddev: float = 3.0,
        bilateral_weight: float = 5.0,
        spatial_weight: float = 3.0,
        capacity: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if num_iterations < 1 or min(position_stddev, color_stddev, spatial_stddev) <= 0:
            raise ValueError(
                f"{self.name}: num_iterations must be at least 1 and standard deviations over 0; got {num_iterations}, "
                f"{position_stddev}, {color_stddev}, {spatial_stddev}."
            )
        self.num_iterations, self.capacity = num_iterations, capacity
        self.position_stddev, self.color_stddev = position_stddev, color_stddev
        self.spatial_stddev = spatial_stddev
        self.bilateral_weight, self.spatial_weight = bilateral_weight, spatial_weight

    def build(self, logits_shape, image_shape) -> None:
        if len(logits_shape) != 4 or len(image_shape) != 4 or logits_shape[1:3] != image_shape[1:3]:
            raise ValueError(
                f"{self.name}: expected logits (batch, height, width, classes) and an image of that height and width; "
                f"got shapes {logits_shape} and {image_shape}."
            )
        num_classes = logits_shape[-1]
        how = {"dtype": "float32", "autocast": False}
        self.kernel_weights = self.add_weight(
            shape=(2,), initializer=_constant([self.bilateral_weight, self.spatial_weight]), name="weights", **how
        )
        self.compatibility = self.add_weight(
            shape=(num_classes, num_classes), initializer=_constant(1.0 - np.eye(num_classes)), name="mu", **how
        )
        self.built = True

    def call(self, logits, image):
        logits = ops.cast(logits, "float32")
        # Classes first: what follows are sums and products of pixels that lie side by side.
        start = ops.transpose(logits, (3, 0, 1, 2))
        message = self._pairwise(ops.cast(image, "float32"))
        found = start
        for _ in range(self.num_iterations):
            sent = ops.reshape(message(_softmax(found)), (start.shape[0], -1))
            found = start - ops.reshape(ops.matmul(self.compatibility, sent), ops.shape(start))
        return ops.reshape(ops.transpose(found, (1, 2, 3, 0)), ops.shape(logits))

    def _pairwise(self, image):
        """The function from beliefs Q, (classes, batch, height, width), to the messages that each pixel gets."""
        where = normalized(lattice(self._features(image), self.capacity))
        near = [_Taps(length, self.spatial_stddev) for length in ops.shape(image)[1:3]]
        root = near[0].root[:, None] * near[1].root

        def message(belief):
            bilateral = ops.reshape(filtered(ops.reshape(belief, (belief.shape[0], -1)), where), ops.shape(belief))
            spatial = root * near[0].down(near[1].along(root * belief))
            return self.kernel_weights[0] * bilateral + self.kernel_weights[1] * spatial

        return message

    def _features(self, image):
        """(batch, pixels, 2 + channels), in standard deviations."""
        height, width = ops.shape(image)[1:3]
        rows = ops.cast(ops.arange(height), "float32")[:, None, None] / self.position_stddev
        columns = ops.cast(ops.arange(width), "float32")[None, :, None] / self.position_stddev
        places = ops.concatenate([rows + 0.0 * columns, columns + 0.0 * rows], axis=-1)
        places = places + ops.zeros_like(image[..., :1])
        features = ops.concatenate([places, image / self.color_stddev], axis=-1)
        return ops.reshape(features, (-1, height * width, features.shape[-1]))

    def compute_output_shape(self, logits_shape, image_shape) -> tuple:
        return tuple(logits_shape)

    def compute_output_spec(self, logits, image):
        return keras.KerasTensor(logits.shape, dtype="float32")

    def get_config(self) -> dict:
        names = ("num_iterations", "position_stddev", "color_stddev", "spatial_stddev")
        names += ("bilateral_weight", "spatial_weight", "capacity")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _constant(value):
    return lambda shape, dtype=None: ops.convert_to_tensor(np.asarray(value, "float32"))


def _softmax(logits):
    """Over the first axis."""
    powers = ops.exp(logits - ops.stop_gradient(ops.max(logits, axis=0)))
    return powers / ops.sum(powers, axis=0)


class _Taps:
    """A Gaussian along one axis: blocks of it times a matrix that reaches over the block before and the one after.

    Products, not a depthwise convolution: one with a kernel larger than the image crashes TensorFlow 2.16.
    """

    def __init__(self, length, stddev):
        self.length, self.block = length, math.ceil(5 * stddev)
        self.blocks = -(-length // self.block)
        offsets = np.arange(3 * self.block) - np.arange(self.block, 2 * self.block)[:, None]
        self.taps = np.exp(-0.5 * (offsets / stddev) ** 2).astype("float32")
        total = self.along(ops.ones((1, length), "float32"))[0]
        self.root = ops.rsqrt(total)

    def along(self, values):
        """Along the last axis."""
        parts = self._parts(values, -1)
        found = ops.matmul(ops.concatenate(parts, axis=-1), self.taps.T)
        return self._whole(found, values, -1)

    def down(self, values):
        """Along the last axis but one."""
        parts = self._parts(values, -2)
        return self._whole(ops.matmul(self.taps, ops.concatenate(parts, axis=-2)), values, -2)

    def _parts(self, values, axis):
        """Blocks along the axis, after the ones before them and before the ones after."""
        ndim = len(values.shape)
        room = [[0, 0] for _ in values.shape]
        room[axis] = [self.block, self.blocks * self.block - self.length + self.block]
        shape = list(ops.shape(values))
        shape[ndim + axis : ndim + axis + 1] = [self.blocks + 2, self.block]
        cut = ops.reshape(ops.pad(values, room), shape)
        each = (slice(None),) * (ndim + axis)
        return [cut[(*each, slice(start, start + self.blocks))] for start in range(3)]

    def _whole(self, blocks, values, axis):
        ndim = len(values.shape)
        shape = list(ops.shape(values))
        shape[axis] = self.blocks * self.block
        return ops.reshape(blocks, shape)[(*(slice(None),) * (ndim + axis), slice(0, self.length))]
