"""Images with a rectangle of another one in a training, and their targets alike."""

from typing import Any

import keras
from keras import ops

from toolkit.layers.mixup import Mixup, mixed


@keras.saving.register_keras_serializable(package="toolkit")
class CutMix(Mixup):
    """Replaces a rectangle of each training image by the same one of another image of the batch.

    The rectangle is 1 - λ of the image, λ ~ Beta(α, α), its middle anywhere; what of it lies inside counts. Labels are
    mixed by the share of the image that is left, λ y + (1 - λ) y'. A mask as high and wide as the images is cut and
    pasted itself, and keeps its type: class numbers stay class numbers.

    Args:
        alpha: α.
        per_example: As in `Mixup`: of λ and the rectangle.
        num_classes: As in `Mixup`; class numbers of a mask need none.
        seed: As in `Mixup`.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: (batch, height, width, channels), of any number type.
        targets: As in `Mixup`; or a mask (batch, height, width) or (batch, height, width, channels).

    Input shape: (batch, height, width, channels) and (batch, classes), or (batch, height, width).

    Output shape: (batch, height, width, channels) and (batch, classes), or (batch, height, width).

    Raises:
        ValueError: As `Mixup`; and where inputs are no images.

    Example:

    >>> layer = CutMix(seed=1)
    >>> images, masks = layer(ops.ones((4, 8, 8, 3)), ops.ones((4, 8, 8), dtype="int32"), training=True)
    >>> images.shape, masks.shape, masks.dtype.name
    (TensorShape([4, 8, 8, 3]), TensorShape([4, 8, 8]), 'int32')

    Reference: Yun et al. 2019, arXiv 1905.04899, section 3.1 and algorithm A1.
    """

    def build(self, inputs_shape, targets_shape=None) -> None:
        if len(inputs_shape) != 4:
            raise ValueError(
                f"{self.name}: expected images (batch, height, width, channels); got {tuple(inputs_shape)}."
            )
        super().build(inputs_shape, targets_shape)

    def call(self, inputs, targets, training=None):
        inputs = ops.cast(inputs, self.compute_dtype)
        pasted = self._is_mask(inputs.shape, targets.shape)
        targets = targets if pasted and self.num_classes is None else self.soft(targets)
        if not training:
            return inputs, ops.convert_to_tensor(targets)
        self.check_batch(inputs)
        number, height, width, _ = ops.shape(inputs)
        share, partner = self.draw(number)
        inside = self._rectangle(share, height, width)
        images = _pasted(inputs, inside, partner)
        if pasted:
            return images, _pasted(targets, inside, partner)
        return images, mixed(targets, 1.0 - ops.mean(ops.cast(inside, "float32"), axis=(1, 2)), partner)

    @staticmethod
    def _is_mask(inputs_shape, targets_shape):
        """Whether targets are as high and wide as the images; what is unknown fits."""
        sizes = zip(inputs_shape[1:3], targets_shape[1:3], strict=False)
        return len(targets_shape) > 2 and all(None in pair or pair[0] == pair[1] for pair in sizes)

    def _rectangle(self, share, height, width):
        """Whether each pixel is replaced: (batch or 1, height, width)."""

        def inside(pixels):
            drawn = keras.random.uniform(ops.shape(share), dtype="float32", seed=self.seed_generator)
            size = ops.cast(pixels, "float32")
            middle = ops.cast(drawn * size, "int32")
            half = ops.cast(ops.sqrt(1.0 - share) * size, "int32") // 2
            places = ops.arange(pixels, dtype="int32")
            return ops.logical_and(places >= (middle - half)[:, None], places < (middle + half)[:, None])

        return ops.logical_and(inside(height)[:, :, None], inside(width)[:, None, :])

    def compute_output_spec(self, inputs, targets, training=None) -> tuple:
        if self._is_mask(inputs.shape, targets.shape) and self.num_classes is None:
            images = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
            return images, keras.KerasTensor(targets.shape, dtype=targets.dtype)
        return super().compute_output_spec(inputs, targets, training)


def _pasted(values: Any, inside: Any, partner: Any) -> Any:
    inside = ops.reshape(inside, (*ops.shape(inside), *[1] * (len(values.shape) - 3)))
    return ops.where(inside, ops.take(values, partner, axis=0), values)
