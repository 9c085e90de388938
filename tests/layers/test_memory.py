"""Against the loss written out in NumPy, and one device beside replicas."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks, jax_backend
from toolkit.layers import Memory, memory_state

ROOT = pathlib.Path(__file__).resolve().parents[2]


def vectors(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def filled(size=20, key_size=6, seed=0, **how):
    """A memory whose values are 0 to 3, every fifth slot empty."""
    memory = Memory(size, key_size, name="memory", seed=0, **how)
    memory.build((None, key_size))
    random = np.random.default_rng(seed)
    values = random.integers(0, 4, size)
    values[::5] = -1
    memory.keys.assign(memory_state.unit(vectors(seed, size, key_size)))
    memory.values.assign(values)
    memory.ages.assign(random.permutation(size))
    return memory


def state(layer):
    return [np.asarray(each) for each in layer.state]


def near_keys(*shape, seed=1):
    """Queries that are nearest to the same key in half precision."""
    keys = np.asarray(filled().keys)
    used = np.flatnonzero(np.asarray(filled().values) >= 0)
    which = np.random.default_rng(seed).choice(used, shape)
    return keys[which] * 3 + 0.05 * vectors(seed, *shape, 6)


def test_gate():
    checks.check_layer(filled, near_keys(4))


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"num_neighbors": 3}, {"margin": 0.5, "age_noise": 0.0}], ids=str)
def test_gate_with_labels_and_a_time_axis(how):
    labels = np.random.default_rng(2).integers(-1, 5, (3, 4)).astype("int32")
    checks.check_layer(lambda: filled(**how), near_keys(3, 4), labels)


def by_hand(memory, queries, labels):
    """The paper's loss, query by query."""
    keys, values, ages = state(memory)
    losses = []
    for query, label in zip(queries / np.linalg.norm(queries, axis=1, keepdims=True), labels, strict=True):
        if label < 0:
            continue
        used = [slot for slot in np.argsort(-keys @ query, kind="stable") if values[slot] >= 0]
        near = used[: memory.num_neighbors]
        same, other = ([s for s in near if bool(values[s] == label) is wanted] for wanted in (True, False))
        of_class = sorted((s for s in used if values[s] == label), key=lambda s: ages[s])
        positive = keys[(same or of_class)[0]] @ query if of_class else 0.0
        losses.append(max(0.0, (keys[other[0]] @ query if other else 0.0) - positive + memory.margin))
    return np.mean(losses)


@pytest.mark.parametrize("num_neighbors", [1, 3, 256])
def test_loss_is_the_papers(num_neighbors):
    memory = filled(num_neighbors=num_neighbors)
    queries, labels = vectors(3, 30, 6), np.random.default_rng(3).integers(-1, 6, 30)
    memory(queries, labels)
    np.testing.assert_allclose(memory.losses[0], by_hand(memory, queries, labels), rtol=1e-5)


def test_the_loss_draws_to_the_label_and_pushes_from_the_other():
    memory = Memory(4, 2, seed=0)
    memory.update(np.eye(2, dtype="float32"), np.array([0, 1]))
    query = tf.constant([[1.0, 1.2]])
    with tf.GradientTape() as tape:
        tape.watch(query)
        found = memory(query, np.array([0]))
        loss = memory.losses[0]
    unit, slope = np.array([1.0, 1.2]) / np.sqrt(2.44), np.array([-1.0, 1.0])
    expected = (slope - unit * (unit @ slope)) / np.sqrt(2.44)
    np.testing.assert_allclose(tape.gradient(loss, query), expected[None], rtol=1e-5)
    assert found["value"] == 1 and not memory.trainable_variables


def test_labels_that_are_left_out_give_no_loss_and_are_not_written():
    memory = filled()
    before = state(memory)
    memory(vectors(0, 5, 6), np.full(5, -1), training=True)
    assert memory.losses[0] == 0
    for one, other in zip(before[:2], state(memory)[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(before[2] + 1, state(memory)[2])


def test_training_writes_as_update_does():
    one, other = filled(), filled()
    queries, labels = vectors(4, 2, 3, 6), np.array([[0, 1, 2], [9, 9, -1]])
    one(queries, labels, training=True)
    other.update(queries, labels)
    expected = memory_state.remembered(
        *filled().state,
        queries.reshape(-1, 6),
        labels.ravel(),
        keras.random.uniform((20,), -8, 8, seed=keras.random.SeedGenerator(0)),
    )
    for left, right, ours in zip(state(one), state(other), expected, strict=True):
        np.testing.assert_array_equal(left, right)
        np.testing.assert_allclose(left, ours, atol=1e-6)


def test_nothing_is_written_outside_of_training_or_where_it_is_frozen():
    memory, queries, labels = filled(), vectors(0, 4, 6), np.arange(4)
    before = state(memory)
    memory(queries, labels)
    memory(queries, training=True)
    memory.trainable = False
    memory(queries, labels, training=True)
    for one, other in zip(before, state(memory), strict=True):
        np.testing.assert_array_equal(one, other)
    memory.clear()
    assert np.all(memory(queries)["value"] == -1) and not np.any(memory.ages)


def network(optimizer):
    """Learns to tell 30 classes, each of which it sees twice an epoch."""
    keras.utils.set_random_seed(0)
    image, label = keras.Input((10,)), keras.Input((), dtype="int32")
    embedding = keras.layers.Dense(8)(keras.layers.Dense(32, "relu")(image))
    model = keras.Model([image, label], Memory(80, 8, seed=0, name="memory")(embedding, label))
    model.compile(optimizer)
    return model


def examples(seed, number=2):
    """Classes that differ in two of ten numbers; the rest is noise."""
    angles = np.arange(30) * 2 * np.pi / 30
    labels = np.tile(np.arange(30), number)
    images = np.concatenate([3 * np.cos(angles)[labels, None], 3 * np.sin(angles)[labels, None]], axis=1)
    return np.concatenate([images, vectors(seed, len(labels), 8)], axis=1).astype("float32"), labels


@pytest.mark.slow
def test_fit_learns_what_to_compare(tmp_path):
    model = network(keras.optimizers.Adam(1e-2))
    for seed in range(40):
        model.fit([*examples(seed)], batch_size=20, verbose=0)
    images, labels = examples(1000, 10)
    found = model.predict([images, labels], batch_size=20, verbose=0)
    shown, memory = examples(0)[0], Memory(80, 10, seed=0)
    memory.update(shown, examples(0)[1])
    raw = np.mean(np.asarray(memory(images)["value"]) == labels)
    learned = np.mean(found["value"] == labels)
    assert learned > raw + 0.1, (learned, raw)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").predict([images, labels], batch_size=20, verbose=0)
    np.testing.assert_array_equal(again["value"], found["value"])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_the_memory_in_float32(policy):
    """Keys that are one and the same in half precision."""
    memory = Memory(4, 2, dtype=policy, seed=0)
    memory.build((None, 2))
    memory.keys.assign([[1.0, 0.0], [1.0, 1e-4], [0, 0], [0, 0]])
    memory.values.assign([1, 2, -1, -1])
    found = memory(np.array([[1.0, 0.0], [1.0, 1.0]], "float32"), np.array([1, 2]), training=True)
    np.testing.assert_array_equal(found["value"], [1, 2])
    assert memory.keys.dtype == "float32" and memory.losses[0].dtype == "float32"
    assert found["confidence"].dtype == "float32"


@pytest.mark.slow
def test_compiled_training_is_as_eager_training():
    queries, labels = vectors(6, 5, 8, 6), np.random.default_rng(6).integers(0, 9, (5, 8))
    layers = [filled(age_noise=0.0) for _ in range(3)]  # XLA draws otherwise
    steps = [
        lambda q, v: layers[0](q, v, training=True),
        tf.function(lambda q, v: layers[1](q, v, training=True)["value"]),
        tf.function(lambda q, v: layers[2](q, v, training=True)["value"], jit_compile=True),
    ]
    for step in steps:
        for query, label in zip(queries, labels, strict=True):
            step(tf.constant(query), tf.constant(label))
    for layer in layers[1:]:
        for one, other in zip(state(layers[0]), state(layer), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(not jax_backend.is_installed(), reason="JAX is not installed")
def test_fit_on_jax(tmp_path):
    model, (images, labels) = network("sgd"), examples(0)
    model.save(tmp_path / "model.keras")
    logs, _ = jax_backend.on_jax(jax_backend.fitted, tmp_path / "model.keras", [images, labels], labels)
    history = model.fit([images, labels], batch_size=60, shuffle=False, verbose=0).history
    assert logs["loss"] == pytest.approx(history["loss"][0], rel=1e-4)
    found = model.predict([images, labels], verbose=0)  # each is at its own key
    np.testing.assert_array_equal(found["value"], labels)


REPLICAS = """
import keras, numpy as np, tensorflow as tf
from toolkit.layers import Memory
from toolkit.training.distribution import Distribution

several = Distribution("mirrored", 2)
random = np.random.default_rng(0)
x, y = random.standard_normal((100, 6)).astype("float32"), random.integers(0, 12, 100)

def trained(strategy, noise):
    with strategy.scope():
        keras.utils.set_random_seed(0)
        inputs, label = keras.Input((6,)), keras.Input((), dtype="int32")
        memory = Memory(70, 4, age_noise=noise, seed=0)
        model = keras.Model([inputs, label], memory(keras.layers.Dense(4)(inputs), label))
        model.compile(keras.optimizers.SGD(0.05))
    history = model.fit([x, y], batch_size=18, epochs=2, shuffle=False, verbose=0).history  # the last batch: 10
    return model, history["loss"][-1]

one, ours = trained(tf.distribute.get_strategy(), 0.0)
two, theirs = trained(several.strategy, 0.0)
np.testing.assert_allclose(theirs, ours, rtol=1e-4)
for left, right in zip(one.variables, two.variables, strict=True):
    np.testing.assert_allclose(np.asarray(right), np.asarray(left), rtol=1e-4, atol=1e-5, err_msg=left.path)
drawn, _ = trained(several.strategy, 8.0)
for variable in drawn.variables:
    first, second = several.strategy.experimental_local_results(variable.value)
    np.testing.assert_array_equal(first, second, err_msg=variable.path)
several.check_replicas(drawn.variables)
"""


@pytest.mark.slow
def test_replicas_are_as_one_device_and_stay_equal():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", REPLICAS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"memory_size": 0}, "must be at least 1; got 0, 6, 256 and None"),
        ({"num_neighbors": 0}, "must be at least 1; got 5, 6, 0 and None"),
        ({"margin": 0.0}, "margin must be over 0"),
        ({"age_noise": -1.0}, "age_noise at least 0; got 0.1 and -1.0"),
    ],
)
def test_numbers_out_of_range(how, message):
    with pytest.raises(ValueError, match=message):
        Memory(**({"memory_size": 5, "key_size": 6} | how))


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"expected queries \(batch, ..., 6\), of the keys' size; got shape \(2, 7\)"):
        Memory(5, 6)(vectors(0, 2, 7))
    with pytest.raises(ValueError, match=r"expected a label for each query, \(batch, ...\); got shape \(2, 3\)"):
        Memory(5, 6)(vectors(0, 2, 6), np.zeros((2, 3), "int32"))
    with pytest.raises(ValueError, match="a batch of 6 queries cannot be written to a memory of 5 slots"):
        Memory(5, 6).update(vectors(0, 6, 6), np.arange(6))


@pytest.mark.parametrize("built", [False, True])
def test_queries_of_another_size_are_refused_whenever_they_come(built):
    """12 numbers would make two queries of 6."""
    memory, wrong = Memory(5, 6), r"expected queries \(batch, ..., 6\), of the keys' size; got shape \(2, 12\)"
    if built:
        memory.update(vectors(0, 2, 6), np.arange(2))
    for call in (memory, lambda queries: memory.update(queries, np.arange(2))):
        with pytest.raises(ValueError, match=wrong):
            call(vectors(0, 2, 12))
    for function in (memory_state.recalled, lambda *given: memory_state.remembered(*given, np.arange(2), np.zeros(5))):
        state = memory_state.empty(5, 6)
        state = state[:2] if function is memory_state.recalled else state
        with pytest.raises(ValueError, match="of the keys' size; got shape"):
            function(*state, vectors(0, 2, 12))


def test_labels_beyond_the_classes_are_refused():
    memory = Memory(5, 6, num_classes=3)
    memory.update(vectors(0, 2, 6), np.array([2, -1]))
    before = [np.asarray(each) for each in memory.state]
    with pytest.raises(ValueError, match="expected labels below 3; got 3"):
        memory.update(vectors(1, 2, 6), np.array([0, 3]))
    for old, new in zip(before, memory.state, strict=True):
        np.testing.assert_array_equal(old, new)
    assert Memory.from_config(memory.get_config()).num_classes == 3
