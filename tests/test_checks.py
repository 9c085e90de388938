"""The gate lets sound layers through and finds what is wrong with others."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import checks, jax_backend

VALUES = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")


@pytest.fixture(autouse=True)
def these_layers_are_here_only(monkeypatch):
    monkeypatch.setattr(jax_backend, "is_installed", lambda: False)


@keras.saving.register_keras_serializable(package="toolkit")
class MeanAndScale(keras.layers.Layer):
    """Two outputs by name; what it multiplies by in training only may be broken."""

    def __init__(self, in_training=1.0, **kwargs):
        super().__init__(**kwargs)
        self.in_training = in_training

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1],), initializer="ones", name="kernel")

    def call(self, inputs, training=False):
        x = inputs * self.kernel * (self.in_training if training else 1.0)
        return {"scale": ops.max(ops.abs(x), axis=1), "mean": ops.mean(x, axis=1)}

    def compute_output_shape(self, shape):
        return {"scale": (shape[0], shape[-1]), "mean": (shape[0], shape[-1])}

    def get_config(self):
        return {**super().get_config(), "in_training": self.in_training}


def test_outputs_may_have_names():
    checks.check_layer(lambda: MeanAndScale(name="both"), VALUES)


def test_what_is_not_finite_in_training_is_found():
    with pytest.raises(AssertionError, match="float32: finite in training"):
        checks.check_layer(lambda: MeanAndScale(float("nan"), name="both"), VALUES)


@keras.saving.register_keras_serializable(package="toolkit")
class Compared(keras.layers.Layer):
    """Each value minus the mean of others, of which some may be padding."""

    def __init__(self, looks_at_mask=True, **kwargs):
        super().__init__(**kwargs)
        self.looks_at_mask = looks_at_mask

    def call(self, inputs, others, others_mask=None):
        weights = ops.ones_like(others[..., :1])
        if self.looks_at_mask and others_mask is not None:
            weights = ops.cast(others_mask, others.dtype)[..., None]
        mean = ops.sum(weights * others, axis=1, keepdims=True) / ops.sum(weights, axis=1, keepdims=True)
        return inputs - mean

    def compute_output_shape(self, inputs_shape, others_shape):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "looks_at_mask": self.looks_at_mask}


def test_any_input_may_be_padded():
    checks.check_layer(lambda: Compared(name="compared"), VALUES[:, :5], VALUES, masked={1: 4})


def test_a_mask_that_is_not_looked_at_is_found():
    with pytest.raises(AssertionError, match="the padding's content"):
        checks.check_layer(lambda: Compared(False, name="compared"), VALUES[:, :5], VALUES, masked={1: 4})
