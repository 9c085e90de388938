"""Levels drawn one after the other: cached is naive, the coarser levels are what each is told, in TFLite too."""

import keras
import numpy as np
import pytest

from toolkit import export
from toolkit.generation import code_levels as generation
from toolkit.generation.code_levels import CodeLevelsGenerator
from toolkit.models import code_levels
from toolkit.models.pixelcnn import pixelcnn
from toolkit.models.pixelsnail import pixelsnail

SHAPES, NUM_CODES = ((1, 2), (2, 4), (4, 8)), 6
RANDOM = np.random.default_rng(0)


def priors(num_levels=2, **how):
    """Every weight drawn, so that each input counts."""
    sizes, found = {"filters": 8, "num_blocks": 2, "kernel_size": 3, "dropout": 0.0, **how}, []
    for number, shape in enumerate(SHAPES[:num_levels]):
        known = {"num_maps": number, "context_size": SHAPES[number - 1], "num_context_blocks": 1} if number else {}
        if number:
            found.append(pixelcnn(*shape, NUM_CODES, head_filters=8, **sizes, **known))
        else:
            attention = {"attention_every": 2, "num_heads": 2, "num_output_blocks": 1}
            found.append(pixelsnail(*shape, NUM_CODES, **attention, **sizes))
        found[-1].set_weights([RANDOM.normal(size=w.shape) / 2 for w in found[-1].get_weights()])
    return found


def naive(models, noise, label, temperature):
    """Each code by the whole network, from the cumulated probabilities."""
    maps = []
    for model, shape, own in zip(models, SHAPES, code_levels.parted(noise, SHAPES[: len(models)]), strict=False):
        codes, own = np.zeros((len(noise), *shape), "int32"), np.asarray(own)
        given = {"label": label} | ({"context": np.asarray(code_levels.context(maps))} if maps else {})
        for row in range(shape[0]):
            for column in range(shape[1]):
                logits = model({"codes": codes, **given})[:, row, column] / temperature
                below = np.cumsum(keras.ops.softmax(logits), axis=-1)
                codes[:, row, column] = (own[:, row, column, None] > below).sum(axis=-1)
        maps.append(codes)
    return np.asarray(code_levels.joined(maps))


@pytest.mark.parametrize("num_levels", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_cached_is_naive(num_levels):
    models = priors(num_levels, num_classes=3)
    generator, label = CodeLevelsGenerator(models), np.array([2, 0, 1, 1])
    noise = RANDOM.uniform(size=(4, sum(map(np.prod, SHAPES[:num_levels])))).astype("float32")
    found = generator.generate(label, 0.7, noise=noise)
    np.testing.assert_array_equal(found, naive(models, noise, label, 0.7))
    # What they take is the sum over the levels.
    maps, nats = code_levels.parted(found, SHAPES[:num_levels]), 0.0
    for number, model in enumerate(models):
        given = {"label": label} | ({"context": np.asarray(code_levels.context(maps[:number]))} if number else {})
        log_probs = np.asarray(keras.ops.log_softmax(model({"codes": np.asarray(maps[number]), **given})))
        nats -= np.take_along_axis(log_probs, np.asarray(maps[number])[..., None], axis=-1).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(generator.score(found, label)["nats"], nats, rtol=1e-4)


def test_many_are_drawn_some_at_a_time(monkeypatch):
    models = priors(num_classes=3)
    whole = CodeLevelsGenerator(models).write(5, label=[0, 1, 2, 0, 1], seed=3)
    noise = np.random.default_rng(3).uniform(size=(5, 10)).astype("float32")
    np.testing.assert_array_equal(whole, CodeLevelsGenerator(models).generate([0, 1, 2, 0, 1], noise=noise))
    monkeypatch.setattr(generation, "_TOGETHER", 2)
    np.testing.assert_array_equal(CodeLevelsGenerator(models).write(5, label=[0, 1, 2, 0, 1], seed=3), whole)


@pytest.mark.slow
def test_tflite_draws_the_same(tmp_path):
    """Builtin ops only, three levels after one another."""
    generator, label = CodeLevelsGenerator(priors(3, num_classes=3)), np.array([1], "int32")
    noise = RANDOM.uniform(size=(1, sum(map(np.prod, SHAPES)))).astype("float32")
    draw = export.signature(
        lambda noise, label: {"codes": generator.generate(label, noise=noise)},
        noise=(noise.shape, "float32"),
        label=((1,), "int32"),
    )
    export.save_traced(tmp_path / "saved_model", {"draw": export.trace(draw)})
    export.convert_to_tflite(tmp_path / "saved_model", tmp_path / "model.tflite", ["draw"])
    call = export.interpreter.tflite_caller(tmp_path / "model.tflite", 1)
    np.testing.assert_array_equal(
        call("draw", noise=noise, label=label)["codes"], generator.generate(label, noise=noise)
    )


def test_priors_that_do_not_fit():
    top, bottom = priors()
    with pytest.raises(ValueError, match=r"prior 1 of 1: expected one that reads context None; got .*'context'"):
        CodeLevelsGenerator([bottom])
    with pytest.raises(ValueError, match=r"prior 2 of 2: expected one that reads context \(1, 1, 2\); got "):
        CodeLevelsGenerator([top, top])
    labelled, _ = priors(num_classes=3)
    with pytest.raises(ValueError, match="prior 2 of 2: expected one that reads a label and context"):
        CodeLevelsGenerator([labelled, bottom])
