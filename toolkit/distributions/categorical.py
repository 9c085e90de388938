"""Categorical distributions over levels, whose parameters are logits."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class Categorical:
    """The distributions over levels 0 to N - 1 whose raw parameters are logits: log p(n) = a_n - log sum_j exp(a_j).

    Args:
        num_levels: N.

    Raises:
        ValueError: Where there is no level.

    Example:

    >>> round(float(Categorical(4).log_prob(ops.zeros((1, 4)), ops.zeros((1,), "int32"))[0]), 4)  # -log 4
    -1.3863

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 2.2.
    """

    def __init__(self, num_levels: int) -> None:
        if num_levels < 1:
            raise ValueError(f"num_levels must be at least 1; got {num_levels}.")
        self.num_levels = int(num_levels)

    @property
    def num_params(self) -> int:
        """Length of the raw parameter vector."""
        return self.num_levels

    def log_prob(self, params: Any, value: Any) -> Any:
        """Computes log p(value).

        Args:
            params: Logits (..., num_levels).
            value: Integers (...).

        Returns:
            (...), float32.
        """
        logits, value = ops.cast(params, "float32"), ops.cast(value, "int32")
        return -ops.sparse_categorical_crossentropy(value, logits, from_logits=True)

    def get_config(self) -> dict:
        """Gives what makes the same family again."""
        return {"num_levels": self.num_levels}

    @classmethod
    def from_config(cls, config: dict) -> "Categorical":
        """Makes the family that a config describes.

        Args:
            config: What `get_config` gave.
        """
        return cls(**config)
