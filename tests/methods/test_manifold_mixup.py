import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers import Mixup
from toolkit.layers.mixup import mixed
from toolkit.methods.manifold_mixup import ManifoldMixup, mixable
from toolkit.models import image_classifier

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(12, 3)).astype("float32")
TARGETS = np.eye(4, dtype="float32")[RANDOM.integers(0, 4, 12)]
LOSS = keras.losses.CategoricalCrossentropy(from_logits=True)


def network():
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((3,), name="x")
    for name in ("first", "second"):
        x = keras.layers.Dense(5, "tanh", name=name)(x)
    skipped = keras.layers.Dense(5, "tanh", name="inside")(x)
    x = keras.layers.Add(name="sum")([x, skipped])
    return keras.Model(inputs, keras.layers.Dense(4, name="logits")(x), name="small")


def trained(names, rate=0.5, **how):
    model = ManifoldMixup(network(), names, alpha=1.0, seed=5, **how)
    model.compile(keras.optimizers.SGD(rate), LOSS, metrics=["categorical_accuracy"], jit_compile=False)
    return model


@pytest.mark.parametrize("per_example", [False, True])
@pytest.mark.parametrize("name", ["x", "second", "sum"])
def test_a_step_is_down_the_gradient_of_the_mixed_loss(name, per_example):
    """With SGD the change of each weight is minus the rate times the gradient, here taken with the same draws."""
    model, rate = trained([name], per_example=per_example), 0.5
    small = model.network
    draws = Mixup(1.0, per_example, seed=5)
    share, partner = draws.draw(12)
    weights = small.trainable_variables
    before = [np.asarray(weight) for weight in weights]
    with tf.GradientTape() as tape:
        steps = {"x": lambda x: x}
        steps["first"], steps["second"] = small.get_layer("first"), small.get_layer("second")
        steps["sum"] = lambda x: x + small.get_layer("inside")(x)
        steps["logits"] = small.get_layer("logits")
        x = tf.constant(INPUTS)
        for place, step in steps.items():
            x = step(x)
            x = mixed(x, share, partner) if place == name else x
        loss = LOSS(mixed(tf.constant(TARGETS), share, partner), x)
    expected = tape.gradient(loss, weights)
    found = model.train_on_batch(INPUTS, TARGETS, return_dict=True)
    assert found["loss"] == pytest.approx(float(loss), rel=1e-5) and "categorical_accuracy" in found
    for weight, old, gradient in zip(weights, before, expected, strict=True):
        np.testing.assert_allclose(np.asarray(weight), old - rate * np.asarray(gradient), atol=1e-5)


def test_several_layers_are_taken_in_turns_at_random():
    model = trained(["x", "second", "sum"], rate=0.0)
    losses = [trained([name], rate=0.0) for name in ("x", "second", "sum")]
    for each in losses:
        each.mixup.draw = model.mixup.draw = lambda _: (tf.constant([0.5]), tf.constant(np.roll(np.arange(12), 1)))
    known = [round(float(each.train_on_batch(INPUTS, TARGETS)[0]), 4) for each in losses]
    seen = []
    for _ in range(30):
        model.reset_metrics()
        seen.append(round(float(model.train_on_batch(INPUTS, TARGETS)[0]), 4))
    assert set(seen) == set(known) and len(set(known)) == 3


def test_validation_and_prediction_mix_nothing():
    model = trained(["second"])
    expected = np.asarray(model.network(INPUTS))
    np.testing.assert_allclose(model.predict(INPUTS, verbose=0), expected, atol=1e-6)
    found = model.evaluate(INPUTS, TARGETS, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(float(LOSS(TARGETS, expected)), rel=1e-5)


def test_weights_of_examples_are_mixed_too_and_heads_alike():
    small = network()
    again = keras.layers.Dense(4, name="again")(small.get_layer("sum").output)
    both = keras.Model(small.input, {"logits": small.output, "again": again})
    model = ManifoldMixup(both, ["second"], seed=0)
    model.compile("sgd", dict.fromkeys(both.output, LOSS), jit_compile=False)
    found = model.train_on_batch(INPUTS, dict.fromkeys(both.output, TARGETS), return_dict=True)
    assert found["loss"] == pytest.approx(found["logits_loss"] + found["again_loss"], rel=1e-5)
    weighted = trained(["second"])
    assert np.isfinite(weighted.train_on_batch(INPUTS, TARGETS, sample_weight=np.ones(12))).all()


def test_in_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = trained(["x", "sum"])
        history = model.fit(INPUTS, TARGETS, epochs=3, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(history["loss"]).all()


def test_layers_that_all_goes_through():
    assert mixable(network()) == ["x", "first", "second", "sum"]
    resnet = image_classifier.trainee("resnet8", 8, ["a", "b"], width=4)
    found = mixable(resnet)
    assert {"image", "standardize", "level_0", "level_1", "features"} <= set(found)
    assert not any("block_1_1" in name for name in found), "inside a block"
    found = mixable(image_classifier.trainee("googlenet", 32, ["a", "b"], width=4))
    assert found[-1] == "inception_4a_paths", "the last that both auxiliary heads see"


def test_what_cannot_be_mixed_is_refused():
    with pytest.raises(
        ValueError, match="small has no layer 'secnd'. Did you mean 'second'.* mixed at x, first, second, sum"
    ):
        ManifoldMixup(network(), ["secnd"])
    with pytest.raises(ValueError, match="something goes past 'inside', or nothing follows it. .*mixed at x, first"):
        ManifoldMixup(network(), ["x", "inside"])
    with pytest.raises(ValueError, match="expected one layer or more"):
        ManifoldMixup(network(), [])
    with pytest.raises(ValueError, match="alpha must be more than 0; got 0"):
        ManifoldMixup(network(), ["x"], alpha=0)
    model = trained(["x"])
    with pytest.raises(ValueError, match="targets of int64 cannot be mixed"):
        model.train_on_batch(INPUTS, TARGETS.astype("int64"))
    with pytest.raises(ValueError, match="a batch of one example has no other one"):
        trained(["x"]).train_on_batch(INPUTS[:1], TARGETS[:1])
