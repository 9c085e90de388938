import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests import checks
from toolkit.layers import Mixup
from toolkit.layers.mixup import mixed, symmetric_beta


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


LABELS = np.eye(3, dtype="float32")[[0, 1, 2, 1]]


def test_gate():
    checks.check_layer(lambda: Mixup(0.4, name="mixup"), numbers(0, 4, 5, 2), LABELS)


def test_gate_of_class_numbers():
    classes = np.array([0, 2, 1], "int32")
    checks.check_layer(lambda: Mixup(0.4, True, num_classes=3, name="mixup"), numbers(0, 3, 2), classes)


@pytest.mark.parametrize("per_example", [False, True])
def test_targets_are_mixed_as_the_inputs_are(per_example):
    inputs, targets = numbers(0, 50, 4, 3), np.eye(50, dtype="float32")
    found, soft = map(np.asarray, Mixup(1.0, per_example, seed=1)(inputs, targets, training=True))
    np.testing.assert_allclose(found, np.einsum("ij,jab->iab", soft, inputs), atol=1e-5)
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(soft.sum(0), 1 if not per_example else soft.sum(0), atol=1e-5)
    assert ((soft > 0).sum(1) <= 2).all() and soft.diagonal().max() < 1
    assert (np.ptp(soft.diagonal()) > 0.5) == per_example


def test_outside_of_training_nothing_is_mixed():
    inputs, classes = numbers(0, 4, 2), np.array([0, 2, 1, 1])
    found, soft = Mixup(num_classes=3)(inputs, classes)
    np.testing.assert_array_equal(found, inputs)
    np.testing.assert_array_equal(soft, np.eye(3)[classes])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float32"])
def test_under_every_policy_with_bytes_and_masks_of_class_numbers(policy):
    """Keras' own layer fails with half precision and with integers."""
    layer = Mixup(1.0, num_classes=4, seed=0, dtype=policy)
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3)).astype("uint8")
    masks = np.random.default_rng(1).integers(0, 4, (3, 4, 4)).astype("int32")
    found, soft = layer(images, masks, training=True)
    assert found.dtype.name == layer.compute_dtype and soft.dtype.name == "float32"
    assert tuple(soft.shape) == (3, 4, 4, 4)
    np.testing.assert_allclose(np.sum(soft, -1), 1, atol=1e-6)
    assert np.abs(np.asarray(found, "float32") - images).max() > 1


def test_compiles_and_draws_anew_at_each_step():
    layer = Mixup(0.3, per_example=True, seed=3)
    layer.build((4, 2), (4, 3))
    step = tf.function(lambda x, y: layer(x, y, training=True)[1], jit_compile=True)
    first, second = (np.asarray(step(numbers(0, 4, 2), LABELS)) for _ in range(2))
    assert np.isfinite(first).all() and np.abs(first - second).max() > 0


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1.0, 8.0])
def test_shares_are_of_beta(alpha):
    random = np.random.default_rng(1)
    found = np.asarray(symmetric_beta(*random.random((2, 20_000)).astype("float32"), alpha))
    assert np.isfinite(found).all() and 0 <= found.min() and found.max() <= 1
    # Rounded: in float32 no number is nearer to 1 than 6e-8.
    expected = scipy.stats.beta(alpha, alpha).rvs(20_000, random_state=0)
    assert scipy.stats.ks_2samp(found.astype("float64").round(6), expected.round(6)).pvalue > 0.01
    ends = np.asarray(symmetric_beta(*np.array([[0, 1 - 2.0**-24], [0.3, 0.3]], "float32"), alpha))
    assert ((0 <= ends) & (ends <= 1)).all()


def test_a_model_of_inputs_and_targets_trains_with_any_loss():
    features, targets = keras.Input((2,)), keras.Input((3,))
    hidden, soft = Mixup(1.0, seed=0)(features, targets)
    outputs = keras.layers.Dense(3)(hidden)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model = keras.Model([features, targets], keras.ops.stack([outputs, soft], axis=1))
    model.compile("sgd", lambda _, both: loss(both[:, 1], both[:, 0]), jit_compile=False)
    history = model.fit([numbers(0, 4, 2), LABELS], LABELS, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_what_cannot_be_mixed_is_refused():
    inputs = numbers(0, 4, 2)
    for alpha in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="alpha must be more than 0"):
            Mixup(alpha)
    with pytest.raises(ValueError, match="num_classes must be at least 2; got 1"):
        Mixup(num_classes=1)
    with pytest.raises(ValueError, match="targets of int64 cannot be mixed; expected floats; num_classes makes"):
        Mixup()(inputs, np.arange(4), training=True)
    with pytest.raises(ValueError, match="targets of float32 cannot be mixed; expected ints"):
        Mixup(num_classes=3)(inputs, LABELS, training=True)
    with pytest.raises(ValueError, match="targets of string cannot be mixed; expected ints"):
        Mixup(num_classes=3)(inputs, tf.constant(["cat"] * 4), training=True)
    with pytest.raises(ValueError, match="a batch of one example has no other one"):
        Mixup()(inputs[:1], LABELS[:1], training=True)


def test_mixed_is_the_formula():
    values, share, partner = numbers(0, 4, 3), np.array([0.1, 0.5, 1.0, 0.0], "float32"), np.array([1, 2, 3, 0])
    expected = share[:, None] * values + (1 - share[:, None]) * values[partner]
    np.testing.assert_allclose(mixed(values, share, partner), expected, atol=1e-6)
