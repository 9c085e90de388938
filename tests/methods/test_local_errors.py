import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.losses.similarity_matching import random_projection
from toolkit.methods import local_errors
from toolkit.models.local_blocks import LOCAL_LOSSES, block_names, local_blocks, stages

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(0, 255, (12, 8, 8, 2)).astype("float32")
CLASSES = np.arange(12) % 5
LABELS = np.eye(5, dtype="float32")[CLASSES]
PLAN = (5, "pool", 6)


def made(loss, optimizer=None, one_pass=False, dropout=0.0, eagerly=True, **how):
    keras.utils.set_random_seed(0)
    sizes = {"units": 7, "decoder_size": 40, "projection_size": 16}
    network = local_blocks(PLAN, (8, 8, 2), 5, loss=loss, dropout=dropout, **sizes)
    how |= {"one_pass": one_pass, "projection_size": 16}
    model = local_errors.compiled(network, optimizer or keras.optimizers.SGD(0.1), loss, **how)
    model.run_eagerly = eagerly  # of a step or two, faster than a graph
    return network, model


def targets(network):
    return dict.fromkeys(network.output, LABELS)


def cosines(x):
    return np.corrcoef(np.asarray(x, "float64").reshape(len(x), -1))


def log_softmax(logits):
    logits = np.asarray(logits, "float64")
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def by_the_formula(name, value, free, seed):
    """A loss of an output, in NumPy."""
    value = np.asarray(value, "float64")
    projection = random_projection(5, 16, seed).astype("float64")
    if name.endswith("similarity"):
        return np.mean((cosines(value) - cosines(LABELS @ projection if free else LABELS)) ** 2)
    if name == "logits" or not free:
        return -np.mean(log_softmax(value)[np.arange(12), CLASSES])
    bits = (LABELS @ projection > 0).astype("float64")
    return np.mean(np.log1p(np.exp(-np.abs(value))) + np.maximum(value, 0) - value * bits)


@pytest.mark.parametrize("loss", ["global", *LOCAL_LOSSES])
def test_losses_are_the_formulas_and_weighed_as_published(loss):
    network, _ = made(loss)
    for layer in network.layers:  # they begin at 0
        if layer.name.endswith("prediction") or layer.name == "logits":
            layer.kernel.assign(RANDOM.standard_normal(layer.kernel.shape))
    losses, weights = local_errors.local_losses(network, loss, projection_size=16, seed=20)
    outputs = network(IMAGES, training=True)
    for name, each in losses.items():
        number = int(name.split("_")[1]) if "block" in name else 0
        expected = by_the_formula(name, outputs[name], loss.endswith("bpf"), 20 + number)
        assert float(each(LABELS, outputs[name])) == pytest.approx(expected, rel=1e-4), name
    beta = {"predsim": 0.99, "predsim-bpf": 0.01}.get(loss)
    for name, weight in weights.items():
        assert weight == pytest.approx(1 if beta is None else beta if "similarity" in name else 1 - beta)


@pytest.mark.parametrize("loss", LOCAL_LOSSES)
def test_block_by_block_is_one_pass(loss):
    """With SGD the change of a weight is its gradient."""
    eagerly = loss != "predsim"
    (network, model), (other, one_pass) = made(loss, eagerly=eagerly), made(loss, one_pass=True, eagerly=eagerly)
    for step in range(2):
        logs, told = (each.train_on_batch(IMAGES, targets(network), return_dict=True) for each in (model, one_pass))
        assert set(logs) == set(told)
        for name, value in logs.items():
            assert value == pytest.approx(told[name], rel=1e-4), (step, name)
    assert not isinstance(one_pass, local_errors.BlockByBlock)
    for weight, same in zip(network.weights, other.weights, strict=True):
        np.testing.assert_allclose(weight, same, atol=1e-5, err_msg=weight.path)


def test_a_blocks_step_is_the_gradient_of_its_own_error_alone():
    """An independent tape on the second block: layers by hand, from features that are constants."""
    network, model = made("predsim", keras.optimizers.SGD(0.1))
    before = {weight.path: np.asarray(weight) for weight in network.weights}
    first = stages(network)[0](IMAGES, training=True)["passed"]
    names = ["block_2_linear/kernel", "block_2_bn/gamma", "block_2_similarity_map/kernel", "block_2_prediction/kernel"]
    kernel, gamma, similarity, decoder = (tf.Variable(before[name]) for name in names)
    x = tf.constant(first)
    with tf.GradientTape() as tape:
        h = tf.nn.conv2d(x, kernel, 1, "SAME")
        mean, variance = tf.nn.moments(h, [0, 1, 2])
        h = tf.nn.leaky_relu(gamma * (h - mean) / tf.sqrt(variance + 1e-5), 0.01)
        mapped = tf.math.reduce_std(tf.nn.conv2d(h, similarity, 1, "SAME"), [1, 2])
        centered = mapped - tf.reduce_mean(mapped, 1, keepdims=True)
        unit = centered / tf.norm(centered, axis=1, keepdims=True)
        sim = tf.reduce_mean((tf.matmul(unit, unit, transpose_b=True) - cosines(LABELS).astype("float32")) ** 2)
        pooled = tf.reshape(tf.nn.avg_pool2d(h, (2, 2), (2, 2), "VALID"), (12, -1))
        pred = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(LABELS, pooled @ decoder))
        loss = 0.99 * sim + 0.01 * pred
    gradients = tape.gradient(loss, [kernel, gamma, similarity, decoder])
    model.train_on_batch(IMAGES, targets(network))
    after = {weight.path: np.asarray(weight) for weight in network.weights}
    for name, gradient in zip(names, gradients, strict=True):
        np.testing.assert_allclose(after[name], before[name] - 0.1 * gradient, atol=1e-6, err_msg=name)
        assert np.abs(gradient).max() > 1e-4, name


def test_what_later_blocks_are_does_not_move_earlier_ones():
    steps = []
    for factor in (1.0, 3.0):
        network, model = made("predsim")
        layer = network.get_layer("block_2_linear")
        layer.kernel.assign(factor * layer.kernel[..., ::-1])
        before = np.asarray(network.get_layer("block_1_linear").kernel)
        model.train_on_batch(IMAGES, targets(network))
        steps.append(np.asarray(network.get_layer("block_1_linear").kernel) - before)
    np.testing.assert_array_equal(*steps)
    assert np.abs(steps[0]).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["predsim", "predsim-bpf"])
def test_the_fixed_matrices_stay_and_all_else_learns(loss):
    network, model = made(loss, keras.optimizers.Adam(1e-2), dropout=0.1, eagerly=False)
    before = {weight.path: np.asarray(weight) for weight in network.weights}
    first = model.train_on_batch(IMAGES, targets(network), return_dict=True)
    for _ in range(30):
        last = model.train_on_batch(IMAGES, targets(network), return_dict=True)
    assert last["loss"] < 0.8 * first["loss"]
    for weight in network.weights:
        stays = weight.path.endswith("feedback") or weight.path.startswith("standardize")
        assert np.array_equal(weight, before[weight.path]) == stays, weight.path
    kept = local_errors.block_accuracies(network, [(IMAGES[:7], CLASSES[:7]), (IMAGES[7:], CLASSES[7:])], loss)
    assert list(kept) == ["block_1", "block_2", "block_3", "network"] and kept["network"] > 0.5


def test_accuracies_and_scores_are_counted():
    network, _ = made("pred")
    for name in ("block_1_prediction", "logits"):
        network.get_layer(name).bias.assign([0, 0, 5, 0, 0])  # always the class 2
    found = local_errors.block_accuracies(network, [(IMAGES, CLASSES)], "pred")
    assert found["block_1"] == found["network"] == np.mean(CLASSES == 2)
    free, _ = made("pred-bpf")
    bits = random_projection(5, 16, seed=9 + 1) > 0
    free.get_layer("block_1_prediction").bias.assign(np.where(bits[3], 5.0, -5.0))
    scores = local_errors.block_scores(free, IMAGES, "pred-bpf", seed=9)
    assert (scores["block_1"].argmax(axis=1) == 3).all() and scores["network"].shape == (12, 5)
    assert list(local_errors.block_scores(made("sim")[0], IMAGES, "sim")) == ["network"]


def test_similarities_of_features():
    network, _ = made("global")
    found = local_errors.block_similarities(network, IMAGES, CLASSES)
    assert list(found) == [*block_names(network), "labels"]
    np.testing.assert_allclose(found["labels"], cosines(LABELS), atol=1e-6)
    h = keras.Model(network.input, network.get_layer("block_2").output)(IMAGES)
    np.testing.assert_allclose(found["block_2"], cosines(np.std(h, axis=(1, 2))), atol=1e-4)
    h = keras.Model(network.input, network.get_layer("block_3").output)(IMAGES)
    np.testing.assert_allclose(found["block_3"], cosines(h), atol=1e-4)


def test_similarities_of_a_few_maps_are_of_all_their_numbers():
    """As what a block of so few learns from; the standard deviation of one map has no angle."""
    network = local_blocks("vgg8b", (16, 16, 1), 5, loss="sim", width=1, units=4)
    images = np.random.default_rng(1).uniform(0, 255, (6, 16, 16, 1))
    found = local_errors.block_similarities(network, images, np.arange(6) % 5)["block_1"]
    h = keras.Model(network.input, network.get_layer("block_1").output)(images)
    np.testing.assert_allclose(found, cosines(np.reshape(h, (6, -1))), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(precision):
    keras.config.set_dtype_policy(precision)
    try:
        network, model = made("predsim", keras.optimizers.Adam(1e-2), eagerly=False)
    finally:
        keras.config.set_dtype_policy("float32")
    logs = [model.train_on_batch(IMAGES, targets(network), return_dict=True)["loss"] for _ in range(20)]
    assert np.isfinite(logs).all() and logs[-1] < 0.9 * logs[0]
    assert all(value.dtype == "float32" for value in network(IMAGES).values())


def test_a_batch_of_one_class_trains():
    network, model = made("predsim")
    labels = dict.fromkeys(network.output, np.eye(5, dtype="float32")[np.ones(12, int)])
    assert np.isfinite(model.train_on_batch(IMAGES, labels)).all()
    assert all(np.isfinite(weight).all() for weight in network.weights)


def test_arguments_are_checked():
    network, _ = made("predsim")
    with pytest.raises(ValueError, match="loss must be one of global, pred, .*; got 'best'"):
        local_errors.local_losses(network, "best")
    with pytest.raises(ValueError, match="beta must be from 0 to 1; got 1.5"):
        local_errors.local_losses(network, "predsim", beta=1.5)
    with pytest.raises(ValueError, match="made with loss='global'"):
        local_errors.BlockByBlock(made("global")[0])
    with pytest.raises(ValueError, match="batches: expected one image at least"):
        local_errors.block_accuracies(network, [], "predsim")
