import pathlib
import tempfile

import numpy as np
import pytest
import tensorflow as tf

from toolkit import export
from toolkit.generation.code_maps import CodeMapGenerator
from toolkit.generation.drawing import draw_token
from toolkit.models import pixelcnn, pixelsnail

TOLD = {"num_classes": 3, "num_maps": 2, "context_size": (2, 3), "num_context_codes": 9, "num_context_blocks": 1}
NETWORKS = {
    "plain": {"num_blocks": 3},
    "one block": {"num_blocks": 1, "kernel_size": 5},
    "conditioned": {"num_blocks": 2, "kernel_size": 5, **TOLD},
    "attending": {"num_blocks": 3, "attention_every": 1, **TOLD},
    "attending, plain": {"num_blocks": 5, "attention_every": 2, "kernel_size": 3},
}


def network(name):
    if name.startswith("attending"):
        own, make = {"num_heads": 2, "num_output_blocks": 2}, pixelsnail.pixelsnail
    else:
        own, make = {"head_filters": 10}, pixelcnn.pixelcnn
    model = make(4, 6, 7, filters=8, condition_filters=5, **own, **NETWORKS[name])
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / (3 if w.ndim > 1 else 10) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module", params=list(NETWORKS))
def model(request):
    return network(request.param)


def told(model, num, seed=1):
    """A class and known maps for a network that is told them."""
    random = np.random.default_rng(seed)
    if "label" not in model.input:
        return {}
    label, context = random.integers(0, 3, num), random.integers(0, 9, (num, 2, 2, 3))
    return {"label": label.astype("int32"), "context": context.astype("int32")}


def uniform(num, seed=2):
    return np.random.default_rng(seed).uniform(size=(num, 4, 6)).astype("float32")


def naive(model, noise, temperature=1.0, **asked):
    """Each code from a pass of the whole network over the map so far."""
    asked = {name: tf.constant(value) for name, value in asked.items()}
    emit = tf.function(lambda codes: model({"codes": codes, **asked}), autograph=False)
    codes = np.zeros(noise.shape, "int32")
    for row in range(4):
        for column in range(6):
            logits = emit(tf.constant(codes))[:, row, column]
            codes[:, row, column] = draw_token(logits, noise[:, row, column], temperature)
    return codes


def test_cached_is_naive(model):
    asked, noise, temperature = told(model, 3), uniform(3), np.array([1.0, 0.7, 0.0], "float32")
    generator = CodeMapGenerator(model)
    write = tf.function(lambda: generator.generate(temperature=temperature, noise=noise, **asked), autograph=False)
    found = write().numpy()
    np.testing.assert_array_equal(found, naive(model, noise, temperature, **asked))
    assert found.dtype == np.int32 and len(np.unique(found)) > 3


def test_score_is_the_models_loss(model):
    asked, codes = told(model, 2), np.random.default_rng(3).integers(0, 7, (2, 4, 6)).astype("int32")
    logits = np.asarray(model({"codes": codes, **asked}), "float64")
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    nats = -np.log(np.take_along_axis(shares, codes[..., None], axis=-1)).sum(axis=(1, 2, 3))
    generator = CodeMapGenerator(model)
    found = tf.function(lambda: generator.score(codes, **asked), autograph=False)()
    np.testing.assert_allclose(found["nats"], nats, rtol=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "attending",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("plain", "conditioned", "attending, plain")),
    ],
)
def test_tflite_writes_the_same(name):
    """Builtin ops only, drawing included."""
    model = network(name)
    generator, asked, noise = CodeMapGenerator(model), told(model, 2), uniform(2)
    specs = {each: (value.shape, "int32") for each, value in asked.items()}
    signatures = {
        "write": export.signature(
            lambda noise, **asked: {"codes": generator.generate(noise=noise, **asked)},
            noise=(noise.shape, "float32"),
            **specs,
        ),
        "draw": export.signature(lambda **asked: {"codes": generator.generate(batch_size=2, **asked)}, **specs),
        "score": export.signature(generator.score, codes=(noise.shape, "int32"), **specs),
    }
    with tempfile.TemporaryDirectory() as folder:
        saved, path = pathlib.Path(folder, "saved_model"), pathlib.Path(folder, "model.tflite")
        export.save_traced(saved, {each: export.trace(function) for each, function in signatures.items()})
        export.convert_to_tflite(saved, path, list(signatures))
        call = export.interpreter.tflite_caller(path, 1)
        written = call("write", noise=noise, **asked)["codes"]
        np.testing.assert_array_equal(written, generator.generate(noise=noise, **asked))
        drawn = [call("draw", **asked)["codes"] for _ in range(2)]
        assert (drawn[0] != drawn[1]).any() and all(((each >= 0) & (each < 7)).all() for each in drawn)
        nats = call("score", codes=written, **asked)["nats"]
        np.testing.assert_allclose(nats, generator.score(written, **asked)["nats"], rtol=1e-5)


@pytest.mark.parametrize("name", ["conditioned", "attending"])
def test_maps_of_any_number(name):
    model = network(name)
    generator, asked, noise = CodeMapGenerator(model), told(model, 4), uniform(4)
    write = tf.function(
        lambda label, context, noise: generator.generate(label, context, noise=noise),
        input_signature=[
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, 2, 2, 3], tf.int32),
            tf.TensorSpec([None, 4, 6]),
        ],
        autograph=False,
    )
    together = write(asked["label"], asked["context"], noise)
    for row in range(3):
        alone = write(*(value[row : row + 1] for value in (asked["label"], asked["context"], noise)))
        np.testing.assert_array_equal(alone[0], together[row])


def test_the_same_seed_writes_the_same():
    model = network("conditioned")
    generator, context = CodeMapGenerator(model), told(model, 1)["context"][0]
    first, again, other = (generator.write(2, label=1, context=context, seed=seed) for seed in (5, 5, 6))
    assert (first == again).all() and (first != other).any() and first.dtype == np.int32
    mixed = generator.write(2, label=[1, 2], context=context, seed=5)
    assert (mixed[0] == first[0]).all() and (mixed[1] != first[1]).any()
    greedy = generator.write(2, label=1, context=context, temperature=0.0)
    assert (greedy[0] == greedy[1]).all()


def test_errors():
    plain, conditioned = (CodeMapGenerator(network(name)) for name in ("plain", "conditioned"))
    with pytest.raises(ValueError, match="This network reads no label"):
        plain.write(1, label=1)
    with pytest.raises(ValueError, match="This network reads a context: give it"):
        conditioned.generate(label=[1])
    with pytest.raises(ValueError, match="expected each label from 0 to 2; got 3 to 3"):
        conditioned.write(1, label=3, context=np.zeros((2, 2, 3)))
    with pytest.raises(ValueError, match="num must be at least 1 and temperature at least 0; got 0 and 1.0"):
        plain.write(0)
