"""A conditional random field whose pixels are connected within a window only: for phones."""

import functools
import itertools
import math
import operator

import keras
from keras import ops

from toolkit.layers.dense_crf import DenseCRF


@keras.saving.register_keras_serializable(package="toolkit")
class LocalCRF(DenseCRF):
    """Mean field like that of `DenseCRF`, each sum over a window round the pixel instead of over the whole image.

    Q_i <- softmax(logits_i - sum over l' of mu(l, l') sum over j near i of [w1 k1(i, j) + w2 k2(i, j)] Q_j(l')), with
    the kernels of `DenseCRF`, normalized in the same way over what the window holds. It consists of shifts,
    exponentials, products and sums, which TFLite has; time grows with the pixels and the window's area.

    Args:
        num_iterations: Steps of mean field.
        position_stddev: a, in pixels.
        color_stddev: b, in grey levels.
        spatial_stddev: c, in pixels.
        bilateral_weight: w1 at first.
        spatial_weight: w2 at first.
        window: How many pixels in a row and in a column are looked at; odd.
        dilation_rate: Steps from one of them to the next, in pixels.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: logits (batch, height, width, classes), for example (1, 360, 480, 21); and the image (batch, height,
    width, channels), 0 to 255, for example (1, 360, 480, 3).

    Output shape: that of the logits; their softmax is Q.

    Raises:
        ValueError: Where a number is out of range, or logits and image have not four axes and one height and width; or
            where there is `DenseCRF`'s capacity.

    Example:

    >>> logits, image = keras.ops.zeros((1, 8, 9, 3)), keras.ops.ones((1, 8, 9, 3))
    >>> tuple(LocalCRF(num_iterations=2, window=3)(logits, image).shape)
    (1, 8, 9, 3)

    Reference: Teichmann and Cipolla 2018, "Convolutional CRFs for semantic segmentation", arXiv 1805.04777.
    """

    def __init__(
        self,
        num_iterations: int = 5,
        *,
        position_stddev: float = 60.0,
        color_stddev: float = 5.0,
        spatial_stddev: float = 3.0,
        bilateral_weight: float = 5.0,
        spatial_weight: float = 3.0,
        window: int = 7,
        dilation_rate: int = 4,
        **kwargs,
    ) -> None:
        if "capacity" in kwargs:
            raise ValueError("capacity is for the lattice of DenseCRF; LocalCRF has a window instead, and no lattice.")
        super().__init__(
            num_iterations,
            position_stddev=position_stddev,
            color_stddev=color_stddev,
            spatial_stddev=spatial_stddev,
            bilateral_weight=bilateral_weight,
            spatial_weight=spatial_weight,
            **kwargs,
        )
        if window < 1 or window % 2 == 0 or dilation_rate < 1:
            raise ValueError(
                f"{self.name}: window must be odd and dilation_rate at least 1; got {window}, {dilation_rate}."
            )
        self.window, self.dilation_rate = window, dilation_rate

    def _pairwise(self, image):
        height, width = ops.shape(image)[1:3]
        reach = self.dilation_rate * (self.window // 2)
        steps = range(-reach, reach + 1, self.dilation_rate)

        def around(values):
            """(..., height, width) as each place of the window sees them; 0 outside."""
            room = [(0, 0)] * (len(values.shape) - 2) + [(reach, reach)] * 2
            padded = ops.pad(values, room)
            for down, along in itertools.product(steps, steps):
                yield padded[..., reach + down : reach + down + height, reach + along : reach + along + width]

        image = ops.transpose(image, (3, 0, 1, 2))
        # Ones that are computed: the converter would write constant ones, and all that follows from them, to the file.
        inside = list(around(ops.cast(image[0] > -math.inf, "float32")))
        apart = [down**2 + along**2 for down, along in itertools.product(steps, steps)]
        unlike = [ops.sum(ops.square(image - other), axis=0) for other in around(image)]
        position, color, spatial = (0.5 / s**2 for s in (self.position_stddev, self.color_stddev, self.spatial_stddev))
        kernels = [
            [ops.exp(-position * far - color * other) for far, other in zip(apart, unlike, strict=True)],
            [math.exp(-spatial * far) for far in apart],
        ]
        weighted = []
        for weight, kernel in zip((self.kernel_weights[0], self.kernel_weights[1]), kernels, strict=True):
            kernel = list(map(operator.mul, kernel, inside))
            root = ops.rsqrt(functools.reduce(operator.add, kernel))
            weighted.append([weight * root * each * other for each, other in zip(kernel, around(root), strict=True)])
        taps = list(map(operator.add, *weighted))
        return lambda belief: functools.reduce(operator.add, map(operator.mul, taps, around(belief)))

    def get_config(self) -> dict:
        config = super().get_config()
        del config["capacity"]
        return {**config, "window": self.window, "dilation_rate": self.dilation_rate}
