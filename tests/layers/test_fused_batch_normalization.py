"""Against Keras' own layer; tests/test_fused.py has the formula, in NumPy."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks, jax_backend
from toolkit.layers import FusedBatchNormalization

IMAGES = np.random.default_rng(0).normal(3.0, 2.0, (4, 5, 6, 3)).astype("float32")


def test_gate():
    checks.check_layer(lambda: FusedBatchNormalization(momentum=0.9, name="normalized"), IMAGES)


def trained(kind, x, steps=2, **how):
    """Outputs, gradients and weights after some steps in training mode."""
    layer = kind(**{"momentum": 0.8, "epsilon": 0.01, **how})
    layer.build(x.shape)
    random = np.random.default_rng(1)
    for variable in layer.variables:
        variable.assign(random.uniform(0.5, 1.5, variable.shape))
    mask = np.arange(x.size // 3).reshape(x.shape[:-1]) % 3 > 0 if how.get("name") == "masked" else None
    for _ in range(steps):
        tensor = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            found = layer(tensor, training=True, mask=mask)
            loss = tf.reduce_sum(tf.sin(tf.cast(found, "float32") * 1.7))
        gradients = tape.gradient(loss, [tensor, *(weight.value for weight in layer.trainable_weights)])
    return [found, layer(tensor), *gradients, *layer.weights]


@pytest.mark.parametrize("axes", [(64,), (9, 7), (3, 4, 5), (2, 3, 2, 4)], ids=str)
@pytest.mark.parametrize(
    "how", [{}, {"scale": False}, {"center": False, "scale": False}, {"synchronized": True}], ids=str
)
def test_is_keras_own(axes, how):
    x = np.random.default_rng(2).normal(2.0, 3.0, (*axes, 3)).astype("float32")
    both = (trained(kind, x, **how) for kind in (FusedBatchNormalization, keras.layers.BatchNormalization))
    for ours, its in zip(*both, strict=True):
        np.testing.assert_allclose(ours, its, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_keras_own(dtype):
    x = IMAGES.astype(dtype[6:] if dtype == "mixed_float16" else "float32")
    both = (trained(kind, x, dtype=dtype) for kind in (FusedBatchNormalization, keras.layers.BatchNormalization))
    for ours, its in zip(*both, strict=True):
        assert ours.dtype == its.dtype
        np.testing.assert_allclose(tf.cast(ours, "float32"), tf.cast(its, "float32"), atol=1e-2, rtol=1e-2)


def test_second_and_forward_derivatives_are_keras_own():
    x, found = tf.constant(IMAGES), []
    for kind in (FusedBatchNormalization, keras.layers.BatchNormalization):
        layer = kind()
        layer.build(x.shape)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(layer(x, training=True) ** 3)
            steepness = tf.reduce_sum(inner.gradient(loss, x) ** 2)
        with tf.autodiff.ForwardAccumulator(x, tf.sin(x)) as accumulator:
            outputs = layer(x, training=True) ** 3
        found.append([*outer.gradient(steepness, [x, layer.gamma.value]), accumulator.jvp(outputs)])
    for ours, its in zip(*found, strict=True):
        np.testing.assert_allclose(ours, its, atol=1e-4 * np.abs(its).max())


OTHERS = [{"axis": 1}, {"renorm": True}, {"dtype": "float64"}, {"name": "masked"}, {"trainable": False}]


def operations(layer, x, mask=None):
    traced = tf.function(lambda: layer(x, training=True, mask=mask), autograph=False).get_concrete_function()
    return {operation.type for operation in traced.graph.get_operations()}


@pytest.mark.parametrize("how", OTHERS, ids=str)
def test_what_differs_is_left_to_keras(how):
    x = IMAGES.astype(how.get("dtype", "float32"))
    both = (trained(kind, x, **how) for kind in (FusedBatchNormalization, keras.layers.BatchNormalization))
    for ours, its in zip(*both, strict=True):
        np.testing.assert_array_equal(ours, its)
    mask = np.ones(x.shape[:-1], bool) if how.get("name") == "masked" else None
    assert "FusedBatchNormV3" not in operations(FusedBatchNormalization(**how), x, mask)


def test_rows_are_left_to_keras():
    assert "FusedBatchNormV3" not in operations(FusedBatchNormalization(), IMAGES[:, 0, 0])
    assert "FusedBatchNormV3" in operations(FusedBatchNormalization(), IMAGES[:, 0])


def test_is_one_operation():
    found = operations(FusedBatchNormalization(), IMAGES)
    assert "FusedBatchNormV3" in found and not found & {"SquaredDifference", "Rsqrt"}
    layer = FusedBatchNormalization()
    layer.build(IMAGES.shape)
    exported = tf.function(lambda x: layer(x, training=False)).get_concrete_function(tf.constant(IMAGES))
    assert "FusedBatchNormV3" not in {operation.type for operation in exported.graph.get_operations()}


def test_weights_and_configuration_are_keras_own():
    theirs = keras.layers.BatchNormalization(momentum=0.9, scale=False)
    theirs.build(IMAGES.shape)
    theirs(IMAGES, training=True)
    ours = FusedBatchNormalization.from_config(theirs.get_config())
    ours.build(IMAGES.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_array_equal(ours(IMAGES), theirs(IMAGES))
    assert ours.get_config() == theirs.get_config()


def test_a_step_on_jax_is_tensorflows(tmp_path):
    if not jax_backend.is_installed():
        pytest.skip('JAX is not installed: pip install -e ".[jax]"')
    inputs = keras.Input((5, 6, 3))
    model = keras.Model(inputs, FusedBatchNormalization(momentum=0.9)(inputs))
    model.compile(keras.optimizers.SGD(0.1), loss="mean_squared_error", jit_compile=False)
    targets = np.random.default_rng(1).normal(size=IMAGES.shape).astype("float32")
    model.save(tmp_path / "model.keras")
    history, after = jax_backend.on_jax(jax_backend.fitted, tmp_path / "model.keras", IMAGES, targets)
    expected = model.fit(IMAGES, targets, batch_size=4, epochs=1, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)
    for its, ours in zip(after, model.get_weights(), strict=True):
        np.testing.assert_allclose(its, ours, atol=1e-5)


REPLICAS = """
import numpy as np
from toolkit.training.distribution import Distribution
several = Distribution("mirrored", 2)
import keras
import tensorflow as tf
from toolkit.layers import FusedBatchNormalization

x = np.random.default_rng(0).normal(3.0, 2.0, (8, 5, 3)).astype("float32")

def step(strategy, kind, synchronized):
    with strategy.scope():
        layer = kind(momentum=0.5, synchronized=synchronized)
        layer.build(x.shape)
    def run(rows):
        return layer(rows, training=True)
    rows = strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensors(x).unbatch().batch(8))
    outputs = strategy.experimental_local_results(strategy.run(tf.function(run), (next(iter(rows)),)))
    return [np.concatenate([np.asarray(each) for each in outputs]), *(np.asarray(each) for each in layer.get_weights())]

for synchronized in (False, True):
    ours = step(several.strategy, FusedBatchNormalization, synchronized)
    its = step(several.strategy, keras.layers.BatchNormalization, synchronized)
    for one, other in zip(ours, its, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
alone = step(tf.distribute.get_strategy(), FusedBatchNormalization, True)
for one, other in zip(ours, alone, strict=True):
    np.testing.assert_allclose(one, other, atol=1e-5)
assert np.abs(step(several.strategy, FusedBatchNormalization, False)[0] - alone[0]).max() > 0.01
"""


@pytest.mark.slow
def test_replicas():
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", REPLICAS], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
