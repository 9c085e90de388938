"""The names of a classifier's classes, kept with it."""

from collections.abc import Sequence

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class ClassNames(keras.layers.Layer):
    """Passes logits, or labels, on as they are and keeps the classes' names in its config.

    So a saved network tells its classes itself: `model.get_layer("class_names").names`.

    Args:
        names: The classes, in the order of the logits, each once.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, ..., classes); or, of labels, (batch,).

    Output shape: the input's, in its dtype.

    Raises:
        ValueError: Where a name stands twice, or the logits are not as many as the names.

    Example:

    >>> ops.convert_to_numpy(ClassNames(["cat", "dog"])(ops.convert_to_tensor([[0.5, 2.0]]))).tolist()
    [[0.5, 2.0]]

    Reference: of no paper; `keras.applications` keeps such names beside its models, in `decode_predictions`.
    """

    def __init__(self, names: Sequence[str], **kwargs) -> None:
        # Logits are float32 under every policy.
        super().__init__(autocast=False, **kwargs)
        self.names = list(names)
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice or not self.names:
            raise ValueError(f"names: expected each class once, and one at least; got {', '.join(twice) or 'none'}.")
        self.supports_masking = True

    def build(self, input_shape) -> None:
        if len(input_shape) > 1 and input_shape[-1] != len(self.names):
            raise ValueError(f"{len(self.names)} names, but logits of shape {tuple(input_shape)}.")
        self.built = True

    def call(self, inputs):
        return ops.convert_to_tensor(inputs)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "names": self.names}
