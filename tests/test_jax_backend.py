"""Distributions, losses, metrics and models on Keras' JAX backend: what TensorFlow computes, without TensorFlow.

Layers are compared by their gate, `checks.check_layer`.
"""

import ast
import pathlib

import keras
import numpy as np
import pytest

from tests import jax_backend
from toolkit import layers, losses, metrics
from toolkit.distributions import GaussianMixture
from toolkit.models import handwriting, text_rnn

if not jax_backend.is_installed():
    pytest.skip('JAX is not installed, so nothing runs on it: pip install -e ".[jax]"', allow_module_level=True)

LAYERS = sorted((jax_backend.ROOT / "toolkit" / "layers").glob("[!_]*.py"))


def test_its_modules_run_without_tensorflow():
    backend, imported = jax_backend.on_jax(jax_backend.backend_and_packages)
    assert backend == "jax" and "jax" in imported
    assert not imported & {"tensorflow", "tensorflow_io", "tensorflow_probability", "tf_keras"}
    assert {f"toolkit.layers.{file.stem}" for file in LAYERS} < set(jax_backend.modules())


# A cell's call takes a list of states, and carried states belong to one batch and change with each call: the gate knows
# neither. `single_step` and the text network below run them. The lattice is no layer: it goes through it with DenseCRF;
# so does the metric of codes with VectorQuantizer, the state of a memory with Memory, and what the layers that perturb
# weights share with each of them.
APART = ("_cell", "carried_state", "permutohedral_lattice", "code_usage", "memory_state", "perturbed_weights")


@pytest.mark.parametrize("file", [file for file in LAYERS if not file.stem.endswith(APART)], ids=lambda file: file.stem)
def test_every_layer_passes_the_gate(file):
    tests = pathlib.Path(__file__).parent / "layers" / f"test_{file.name}"
    tree = ast.parse(tests.read_text(encoding="utf-8"))
    assert "checks.check_layer" in {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def network(name):
    sizes = {"units": 6, "num_layers": 2, "num_mixtures": 3, "lstm_gradient_clip": 0.01, "output_gradient_clip": 1.0}
    if name == "prediction":
        return handwriting.prediction(**sizes)
    return handwriting.synthesis(" abc", num_gaussians=2, points_per_character=2.0, **sizes)


@pytest.mark.slow
def test_a_step_of_the_text_network_is_tensorflows(tmp_path):
    """Lookups, the head's nats, and the states that a batch leaves for the next one."""
    model = text_rnn.language_model(["<unk>", "a", "b", "c"], units=5, num_layers=2, lstm_gradient_clip=0.1)
    inputs = {name: keras.Input((None,), batch_size=3, dtype="int32", name=name) for name in ("tokens", "targets")} | {
        "continues": keras.Input((), batch_size=3, name="continues")
    }
    carried = layers.CarriedState(text_rnn.streaming(model, scored=True), text_rnn.state_sizes(model), 3)
    stateful = keras.Model(inputs, carried(inputs))
    stateful.compile(keras.optimizers.SGD(1.0), loss=losses.Precomputed(), weighted_metrics=[metrics.bits.Bits()])
    tokens = np.random.default_rng(1).integers(1, 4, (3, 8)).astype("int32")
    batch = {"tokens": tokens[:, :-1], "targets": tokens[:, 1:], "continues": np.ones(3, "float32")}
    path = tmp_path / "model.keras"
    stateful.save(path)
    history, after = jax_backend.on_jax(jax_backend.fitted, path, batch, batch["targets"])
    expected = stateful.fit(batch, batch["targets"], batch_size=3, epochs=1, verbose=0).history
    for what, values in expected.items():
        np.testing.assert_allclose(history[what], values, rtol=1e-5)
    for mine, its in zip(stateful.get_weights(), after, strict=True):
        np.testing.assert_allclose(its, mine, atol=1e-5)
    assert all(np.abs(state.numpy()).max() > 0 for state in carried.states.values())


def example(model, points=9):
    random = np.random.default_rng(0)
    offsets = random.standard_normal((4, points, 3)).astype("float32")
    offsets[..., 2] = offsets[..., 2] > 1
    text = np.zeros((4, 5), "int32")
    text[:, :4] = [ord(character) for character in "ab c"]
    return [offsets, text] if len(model.inputs) > 1 else offsets, offsets


@pytest.mark.slow
@pytest.mark.parametrize("name", ["prediction", "synthesis"])
def test_one_step_of_fit_is_tensorflows(name, tmp_path):
    """Forward pass, gradient, loss and metrics: the step of gradient descent is as large as the gradient."""
    model = network(name)
    model.get_layer("standardize").adapt([0.5, -0.2, 0.0], [2.0, 3.0, 1.0])
    density = model.get_layer("density").distribution
    model.compile(
        keras.optimizers.SGD(1.0),
        loss=losses.NegativeLogLikelihood(density),
        weighted_metrics=[metrics.LogLoss(density, "sequence"), metrics.SquaredDistance(density, [2.0, 3.0])],
    )
    inputs, targets = example(model)
    path = tmp_path / "model.keras"
    model.save(path)
    before = model.get_weights()
    history, after = jax_backend.on_jax(jax_backend.fitted, path, inputs, targets)
    expected = model.fit(inputs, targets, batch_size=len(targets), epochs=1, verbose=0).history
    assert history.keys() == expected.keys() == {"loss", "log_loss_nats_per_sequence", "squared_error_per_point"}
    for what, values in expected.items():
        np.testing.assert_allclose(history[what], values[0], rtol=1e-4, err_msg=what)
    for mine, its in zip(after, model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-5)
    assert any(np.abs(old - new).max() > 1e-3 for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("name", ["prediction", "synthesis"])
def test_one_step_of_generation_is_tensorflows(name, tmp_path):
    step = handwriting.single_step(network(name))
    random = np.random.default_rng(1)
    inputs = {
        key: random.random((2, *(size or 5 for size in tensor.shape[1:]))).astype("float32")
        for key, tensor in step.input.items()
    }
    path = tmp_path / "step.keras"
    step.save(path)
    results = jax_backend.on_jax(jax_backend.predicted, path, inputs)
    expected = step(inputs)
    assert results.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(results[key], value, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("covariance", ["diagonal", "correlated", "full"])
def test_distribution_is_tensorflows(covariance):
    family = GaussianMixture(3, 2, covariance, bernoulli=True)
    random = np.random.default_rng(2)
    params = random.standard_normal((2, 5, family.num_params)).astype("float32")
    values = random.standard_normal((2, 5, 3)).astype("float32")
    noise = random.random((2, 5, family.num_noise)).astype("float32")
    config = keras.saving.serialize_keras_object(family)
    calls = {
        "log_prob": (params, values),
        "components": (params, 0.5),
        "sample": (params, 0.5, noise),
        "mean": (params,),
    }
    for name, arguments in calls.items():
        expected = [np.asarray(x) for x in keras.tree.flatten(getattr(family, name)(*arguments))]
        results = jax_backend.on_jax(jax_backend.method, config, name, *arguments)
        for mine, its in zip(results, expected, strict=True):
            np.testing.assert_allclose(mine, its, atol=2e-5, rtol=1e-5, err_msg=name)
    (drawn,) = jax_backend.on_jax(jax_backend.method, config, "sample", params)
    assert drawn.shape == (2, 5, 3) and np.isfinite(drawn).all()


def test_an_error_there_is_raised_here():
    with pytest.raises(RuntimeError, match="File not found"):
        jax_backend.on_jax(jax_backend.predicted, "/nowhere/model.keras", {})
