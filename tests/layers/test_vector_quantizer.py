"""Against NumPy's brute force, textbook averages and SciPy's k-means."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import scipy.cluster.vq
import scipy.spatial
import tensorflow as tf

from tests import checks, jax_backend
from toolkit.layers import VectorQuantizer, vector_quantizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUIET = {"num_start_steps": 0, "revive_below": 0.0}  # averages alone


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def built(*arguments, features=4, **how):
    layer = VectorQuantizer(*arguments, **{"seed": 0, **how})
    layer.build((None, features))
    return layer


def state(layer):
    return [np.asarray(variable) for variable in layer.variables]


def assert_same_state(left, right):
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "how",
    [
        {"num_codebooks": 2},
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"momentum": None}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_gate(how):
    checks.check_layer(lambda: VectorQuantizer(7, name="quantizer", **{"seed": 0, **how}), numbers(0, 3, 4, 5, 6))


@pytest.mark.slow
def test_gate_in_many_blocks(monkeypatch):
    monkeypatch.setattr(vector_quantizer, "_DISTANCES", 1)
    # Near the codes: between two of them half precision may take the other.
    vectors = np.asarray(built(7, features=5).embeddings)[0][np.arange(120) % 7].reshape(3, 40, 5)
    checks.check_layer(lambda: VectorQuantizer(7, seed=0, name="quantizer"), vectors + numbers(0, 3, 40, 5) / 50)


@pytest.mark.parametrize("num_vectors", [1, 63, 64, 65, 300])
def test_codes_are_those_of_all_distances(num_vectors, monkeypatch):
    vectors, layer = numbers(0, num_vectors, 6), built(20, num_codebooks=2, features=6)
    codebooks = np.asarray(layer.embeddings)
    parts = [scipy.spatial.distance.cdist(vectors[:, 3 * i : 3 * i + 3], codebooks[i]).argmin(axis=1) for i in (0, 1)]
    expected = np.stack(parts, axis=1)
    traced = tf.function(layer.encode, input_signature=[tf.TensorSpec((None, 6))])
    np.testing.assert_array_equal(layer.encode(vectors), expected)
    monkeypatch.setattr(vector_quantizer, "_DISTANCES", 1)  # blocks of 64
    np.testing.assert_array_equal(layer.encode(vectors), expected)
    np.testing.assert_array_equal(traced(vectors), expected)
    found = np.concatenate([codebooks[i][expected[:, i]] for i in (0, 1)], axis=1)
    np.testing.assert_array_equal(layer.decode(expected), found)
    np.testing.assert_array_equal(layer(vectors), found)


def test_codes_of_one_codebook_have_no_axis_more_and_ties_go_to_the_first():
    layer = built(5)
    layer.codebook.assign(np.ones((1, 5, 4)))
    codes = layer.encode(numbers(0, 2, 3, 4))
    assert codes.dtype == "int32" and codes.shape == (2, 3) and not np.any(codes)
    assert layer.decode(codes).shape == (2, 3, 4)
    np.testing.assert_array_equal(built(5).decode([-3, 99]), built(5).decode([0, 4]))


def test_a_vector_that_is_no_number_gives_a_loss_that_is_none():
    layer = built(5)
    layer(np.full((2, 4), np.nan, "float32"))
    assert np.isnan(layer.losses[0])


@pytest.mark.parametrize("momentum", [0.99, None])
def test_gradients(momentum):
    """Reconstruction: that at the code, copied. Commitment: 2 beta (z - e) / n. Codebook: 2 (e - z) / n, or none."""
    layer = built(6, momentum=momentum, commitment_cost=0.7)
    inputs, weights = tf.constant(numbers(1, 5, 4)), numbers(2, 5, 4)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        output = layer(inputs)
        reconstruction = tf.reduce_sum(tf.sin(output) * weights)
        losses = [tf.convert_to_tensor(loss) for loss in layer.losses]
    found = np.asarray(output)
    copied, size = tape.gradient(reconstruction, inputs).numpy(), inputs.shape.num_elements()
    np.testing.assert_array_equal(copied, tf.cos(output).numpy() * weights)
    np.testing.assert_allclose(losses[0], 0.7 * np.mean((inputs - found) ** 2), rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(losses[0], inputs), 2 * 0.7 * (inputs - found) / size, rtol=1e-4)
    codebook = layer.codebook.value
    assert tape.gradient(reconstruction, codebook) is None and tape.gradient(losses[0], codebook) is None
    assert len(losses) == (1 if momentum else 2) and len(layer.trainable_variables) == (0 if momentum else 1)
    if momentum is None:
        assert tape.gradient(losses[1], inputs) is None
        expected = np.zeros(codebook.shape, "float32")
        np.add.at(expected[0], np.asarray(layer.encode(inputs)), 2 * (found - inputs) / size)
        np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(losses[1], codebook)), expected, atol=1e-6)


def test_averages_are_the_papers_without_their_bias():
    """N <- g N + (1 - g) n from zero, over 1 - g^t, and smoothed, as in the appendices and in Sonnet."""
    layer, g, epsilon = built(5, momentum=0.8, epsilon=1e-2, **QUIET), 0.8, 1e-2
    counts, sums, codebook = np.zeros(5), np.zeros((5, 4)), np.asarray(layer.embeddings[0], "float64")
    for step in range(6):
        batch = numbers(step, 30, 4)
        nearest = np.eye(5)[scipy.spatial.distance.cdist(batch, codebook).argmin(axis=1)]
        counts = g * counts + (1 - g) * nearest.sum(axis=0)
        sums = g * sums + (1 - g) * nearest.T @ batch
        unbiased, total = counts / (1 - g ** (step + 1)), 30
        smoothed = (unbiased + epsilon) / (total + 5 * epsilon) * total
        codebook = sums / (1 - g ** (step + 1)) / smoothed[:, None]
        output = np.asarray(layer(batch, training=True))
        np.testing.assert_allclose(layer.embeddings[0], codebook, rtol=1e-4, atol=1e-5)
    assert output.shape == batch.shape and layer.num_steps == 6


def test_steps_without_momentum_are_those_of_k_means():
    data, layer = numbers(0, 200, 4), built(8, momentum=0.0, epsilon=1e-9, **QUIET)
    expected, _ = scipy.cluster.vq.kmeans2(data, np.asarray(layer.embeddings[0]), iter=5, minit="matrix")
    for _ in range(5):
        layer(data, training=True)
    np.testing.assert_allclose(layer.embeddings[0], expected, atol=1e-4)


def test_averages_come_to_rest_where_k_means_does():
    random = np.random.default_rng(0)
    centres = 10 * random.standard_normal((6, 4))
    data = (centres[np.arange(600) % 6] + random.standard_normal((600, 4))).astype("float32")
    layer = built(6, momentum=0.8, num_start_steps=5)
    step = tf.function(lambda batch: layer(batch, training=True))
    for _ in range(10):
        step(random.permutation(data)[:100])
    for _ in range(60):
        step(data)
    expected, _ = scipy.cluster.vq.kmeans2(data, np.asarray(layer.embeddings[0]), iter=20, minit="matrix")
    np.testing.assert_allclose(layer.embeddings[0], expected, atol=1e-3)


def test_first_codebook_is_of_the_first_batch():
    """Different vectors where there are enough; the output is of them already."""
    batch, layer = numbers(0, 40, 4) + 7, built(8)
    output = np.asarray(layer(batch, training=True))
    distances = scipy.spatial.distance.cdist(output, batch)
    np.testing.assert_allclose(distances.min(axis=1), 0.0, atol=1e-5)
    assert len(np.unique(distances.argmin(axis=1))) == 8
    untrained = built(8)
    assert np.isfinite(untrained(batch)).all() and np.std(untrained.embeddings) > 0.3


def test_more_codes_than_the_first_batch_has_vectors():
    """The duplicates are drawn from later batches, until all codes are in use."""
    data, layer = numbers(0, 400, 4), built(16, num_start_steps=20)
    layer(data[:5], training=True)
    assert np.isfinite(layer.embeddings).all() and len(np.unique(layer.encode(data[:5]))) == 5
    step = tf.function(lambda batch: layer(batch, training=True))
    for batch in np.split(data, 20)[1:]:
        step(batch)
    assert len(np.unique(layer.encode(data))) == 16


def test_unused_codes_are_drawn_anew():
    data = numbers(0, 100, 4)
    alone, revived = (built(8, momentum=0.5, num_start_steps=0, revive_below=part) for part in (0.0, 0.1))
    for layer in (alone, revived):
        codebook = np.asarray(layer.embeddings).copy()
        codebook[0, 3:] = 1e3  # too far away for any vector
        layer.codebook.assign(codebook)
        step = tf.function(lambda batch, layer=layer: layer(batch, training=True))
        for _ in range(15):
            step(data)
    assert len(np.unique(alone.encode(data))) == 3 and len(np.unique(revived.encode(data))) == 8
    np.testing.assert_array_equal(np.asarray(revived.shares) >= 0.1 / 8, True)
    reached = scipy.spatial.distance.cdist(data, revived.embeddings[0]).min(axis=1).mean()
    assert reached < scipy.spatial.distance.cdist(data, alone.embeddings[0]).min(axis=1).mean()


def test_nothing_moves_outside_of_training_or_where_it_is_frozen():
    layer, batch = built(8), numbers(0, 20, 4)
    layer(batch, training=True)
    before = state(layer)
    layer(batch)
    layer(batch, training=False)
    layer.trainable = False
    layer(batch, training=True)
    assert_same_state(before, state(layer))
    layer.trainable = True
    layer(batch, training=True)
    assert np.abs(np.asarray(layer.codebook) - before[0]).max() > 0


@pytest.mark.parametrize("cut", [2, 7])
def test_resumes_bit_for_bit(cut):
    """Within the start and after it; draws and all."""
    batches = numbers(0, 10, 500, 4)

    def steps(layer, batches):
        step = tf.function(lambda x: layer(x, training=True))
        return [np.asarray(step(batch)) for batch in batches]

    how = {"num_codebooks": 2, "num_start_steps": 5, "revive_below": 0.5}
    whole, resumed = built(32, **how), built(32, **{**how, "seed": 1})
    steps(whole, batches[:cut])
    for variable, value in zip(resumed.variables, state(whole), strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(steps(whole, batches[cut:]), steps(resumed, batches[cut:]))
    assert_same_state(state(whole), state(resumed))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_takes_distances_in_float32(policy):
    """Codes that are one and the same in half precision."""
    layer = built(2, features=2, dtype=policy)
    layer.codebook.assign([[[1.0, 1.0], [1.0002, 1.0]]])
    vectors = np.array([[1.0, 1.0], [1.0, 2.0], [1.0039, 1.0], [1.0625, 1.0]], "float32")
    np.testing.assert_array_equal(layer.encode(vectors), [0, 0, 1, 1])
    assert layer(vectors, training=True).dtype == layer.compute_dtype
    assert {variable.dtype for variable in (layer.codebook, layer.shares, layer.sums)} == {"float32"}
    assert layer.losses[0].dtype == "float32"


def test_metrics_are_of_the_epoch():
    inputs = keras.Input((8, 4))
    layer = VectorQuantizer(6, metrics_name="top", seed=0)
    model = keras.Model(inputs, keras.layers.Dense(4)(layer(inputs)))
    model.compile("sgd", "mse")
    x = numbers(0, 40, 8, 4)
    history = model.fit(x, x, batch_size=8, epochs=2, validation_data=(x[:1, :1].repeat(8, axis=1), x[:1]), verbose=0)
    assert history.history["val_top_usage"] == pytest.approx([1 / 6] * 2)
    assert history.history["val_top_perplexity"] == pytest.approx([1.0] * 2)
    found = model.evaluate(x, x, batch_size=8, verbose=0, return_dict=True)
    shares = np.bincount(np.asarray(layer.encode(x)).ravel(), minlength=6) / 320
    assert found["top_perplexity"] == pytest.approx(np.exp(-np.sum(shares * np.log(shares))), rel=1e-5)
    assert found["top_usage"] == 1.0
    before = np.asarray(layer.usage.counts)
    model(x)
    np.testing.assert_array_equal(layer.usage.counts, before)  # a plain call, as in an export


@pytest.mark.skipif(not jax_backend.is_installed(), reason="JAX is not installed")
def test_fit_on_jax(tmp_path):
    inputs = keras.Input((8, 4))
    model = keras.Model(inputs, keras.layers.Dense(4)(VectorQuantizer(6, seed=0, **QUIET)(inputs)))
    model.compile("sgd", "mse")
    model.save(tmp_path / "model.keras")
    x = numbers(0, 16, 8, 4)
    logs, weights = jax_backend.on_jax(jax_backend.fitted, tmp_path / "model.keras", x, x)
    history = model.fit(x, x, batch_size=16, shuffle=False, verbose=0).history
    assert logs == pytest.approx({"loss": history["loss"][0]}, rel=1e-4)  # there are no metrics there
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


REPLICAS = """
import sys
import keras, numpy as np, tensorflow as tf
from toolkit.layers import VectorQuantizer
from toolkit.training.distribution import Distribution

several = Distribution("mirrored", 2)
x = np.random.default_rng(0).standard_normal((60, 8, 4)).astype("float32")

def trained(strategy, seed, **how):
    with strategy.scope():
        keras.utils.set_random_seed(0)
        inputs = keras.Input((8, 4))
        first, second = (VectorQuantizer(12, seed=0, metrics_name=f"q{i}", **how) for i in range(2))
        hidden = keras.layers.Dense(4)(first(keras.layers.Dense(4, activity_regularizer="l2")(inputs)))
        model = keras.Model(inputs, keras.layers.Dense(4)(second(hidden)))
        model.compile(keras.optimizers.SGD(0.05), "mse")
    history = model.fit(x, x, batch_size=20, epochs=2, shuffle=False, verbose=0).history
    return model, {name: values[-1] for name, values in history.items()}

how = {"num_start_steps": 0, "revive_below": 0.0}
one, ours = trained(tf.distribute.get_strategy(), 0, **how)
two, theirs = trained(several.strategy, 0, **how)
print(ours, theirs)
for name in ours:
    np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-4, err_msg=name)
for left, right in zip(one.variables, two.variables, strict=True):
    np.testing.assert_allclose(np.asarray(right), np.asarray(left), rtol=1e-4, atol=1e-5, err_msg=left.path)
drawn, _ = trained(several.strategy, 0, num_start_steps=3, revive_below=0.5)
for variable in drawn.variables:
    first, second = several.strategy.experimental_local_results(variable.value)
    np.testing.assert_array_equal(first, second, err_msg=variable.path)
assert np.std(drawn.layers[2].embeddings) > 0.01
"""


@pytest.mark.slow
def test_replicas_are_as_one_device_and_stay_equal():
    """Two layers, and the losses of both and of a layer before them; where codes are drawn, on both the same."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", REPLICAS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"num_embeddings": 0}, "must be at least 1; got 0 and 1"),
        ({"num_embeddings": 4, "num_codebooks": 0}, "must be at least 1; got 4 and 0"),
        ({"num_embeddings": 4, "momentum": 1.0}, "momentum"),
        ({"num_embeddings": 4, "revive_below": -1.0}, "revive_below"),
        ({"num_embeddings": 4, "commitment_cost": -1.0}, "commitment_cost"),
        ({"num_embeddings": 4, "epsilon": 0.0}, "epsilon"),
        ({"num_embeddings": 4, "num_start_steps": -1}, "num_start_steps"),
    ],
)
def test_numbers_out_of_range(how, message):
    with pytest.raises(ValueError, match=message):
        VectorQuantizer(**how)


@pytest.mark.parametrize("shape", [(None, 5), (None, None), (6,)])
def test_features_must_be_cut_in_equal_parts(shape):
    with pytest.raises(ValueError, match=r"divisible by num_codebooks, 3; got shape \("):
        VectorQuantizer(4, num_codebooks=3).build(shape if shape != (None, 5) else (None, 2, 5))
