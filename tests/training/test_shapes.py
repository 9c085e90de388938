"""Each shape of a training, cut off again and again: it ends bit for bit as one that was not, and loads as a model."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import shapes
from tests.training.shapes import INPUTS, SHAPES, TARGETS, Example, Kill, weights
from toolkit import export, serving
from toolkit.export import signature
from toolkit.training import Run

TAKE_LONG = (shapes.two_stages, shapes.question_answering)


@pytest.mark.parametrize(
    "recipe", [pytest.param(each, marks=[pytest.mark.slow] if each in TAKE_LONG else []) for each in SHAPES]
)
def test_resumes_bit_for_bit(recipe, tmp_path):
    """Killed after some steps of a process, twice; rounds within the first and within the second."""
    cuts = (1, 3, 100) if recipe is shapes.rounds else (2, 9, 100)
    run = Run(Example(workdir=str(tmp_path / "whole")))
    expected = weights(recipe(run))
    run.close()
    for attempt, cut in enumerate(cuts):
        keras.utils.set_random_seed(attempt)  # the process before is gone, and its random state with it
        run = Run(Example(workdir=str(tmp_path / "cut"), checkpoint_minutes=0.0))
        try:
            resumed = weights(recipe(run, callbacks=(Kill(cut),)))
        except RuntimeError:
            continue
        finally:
            run.close()
    assert attempt == 2
    for left, right in zip(expected, resumed, strict=True):
        np.testing.assert_array_equal(left, right)


def test_rounds_have_stages_metrics_and_logs_of_their_own(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    models = shapes.rounds(run)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert set(metrics) == {f"round_{number}/error_squared_units" for number in range(2)}
    assert run.round(1).metrics() == {"error_squared_units": metrics["round_1/error_squared_units"]}
    asked = run.round(1).load("asked")["asked"]
    assert len(set(asked)) == 12 and asked.dtype.kind == "i"
    for number, model in enumerate(models):
        loaded = run.round(number).load()
        np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
        assert (tmp_path / "logs" / f"round_{number}" / "train").is_dir()


def power_cut(*arguments, **how):
    raise RuntimeError("power cut")


@pytest.mark.slow
def test_killed_between_rounds(tmp_path, monkeypatch):
    """When a round is trained, and what it asks for is not chosen yet."""
    expected = weights(shapes.rounds(Run(Example(workdir=str(tmp_path / "whole")))))
    run = Run(Example(workdir=str(tmp_path / "cut")))
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        patch.setattr(Run, "compute", power_cut)
        shapes.rounds(run)
    run.close()
    resumed = weights(shapes.rounds(Run(Example(workdir=str(tmp_path / "cut")))))
    for left, right in zip(expected, resumed, strict=True):
        np.testing.assert_array_equal(left, right)


def test_several_stages_and_models_are_loaded_by_name_and_exported_together(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    shapes.two_stages(run)
    shapes.two_optimizers(run)
    both = run.load()
    assert set(both) == {"maker", "judge"}
    maker, second = run.load(name="maker"), run.load("second")

    def served(model):
        call = signature(lambda x: {"y": model(x)}, x=((1, 3), "float32", "metres"))
        return serving.Served(signatures={"run": call}, examples={"run": {"x": INPUTS[:1]}}, trackables=(model,))

    run.export(serving.Served.together(maker=served(maker), second=served(second)), description="Two models.")
    call = export.interpreter.tflite_caller(tmp_path / "export" / "model.tflite")
    for name, model in (("maker_run", maker), ("second_run", second)):
        np.testing.assert_allclose(call(name, x=INPUTS[3:4])["y"], model(INPUTS[3:4]), rtol=1e-5)


def test_a_model_of_another_recipes_workdir_is_built_loaded_and_differentiated_twice(tmp_path):
    other = Run(Example(workdir=str(tmp_path / "other"), units=5), recipe="other")
    (model,) = shapes.one_model(other)
    other.close()
    run = Run(Example(workdir=str(tmp_path / "own")), recipe="own")
    loaded = run.load(workdir=tmp_path / "other")
    assert loaded.count_params() == model.count_params()
    inputs = tf.constant(INPUTS[:4])
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            loss = tf.reduce_sum((loaded(inputs) - TARGETS[:4]) ** 2)
        gradient = inner.gradient(loss, inputs)
        product = tf.reduce_sum(gradient * tf.ones_like(gradient))
    kernel = np.linalg.multi_dot([loaded.get_weights()[0], loaded.get_weights()[2]])[:, 0]
    np.testing.assert_allclose(outer.gradient(product, inputs), np.tile(2 * kernel * kernel.sum(), (4, 1)), rtol=1e-4)
    with pytest.raises(ValueError, match=f"{tmp_path / 'other'} holds no trained 'prior'"):
        run.load("prior", workdir=tmp_path / "other")


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_state_outside_gradients_in_mixed_precision(precision, tmp_path):
    run = Run(Example(workdir=str(tmp_path), precision=precision))
    (model,) = shapes.state_outside_gradients(run)
    seen = float(model.get_layer("watch").mean)
    exact = Run(Example(workdir=str(tmp_path / "exact")))
    (whole,) = shapes.state_outside_gradients(exact)
    assert seen == pytest.approx(float(whole.get_layer("watch").mean), abs=1e-2) and seen != 0


def test_a_question_about_an_image_learns_and_its_network_says_what_its_words_are(tmp_path):
    run = Run(Example(workdir=str(tmp_path), epochs=12))
    shapes.question_answering(run)
    model = run.load()
    assert tuple(model.get_layer("vocabulary").tokens) == shapes.WORDS
    inputs = {"image": np.zeros((2, 4, 4, 1), "float32"), "question": np.array([[4, 5, 2, 0], [4, 5, 3, 1]])}
    assert model.predict_on_batch(inputs).argmax(axis=-1).tolist() == [0, 1]


def test_a_stage_says_where_the_one_it_was_built_on_has_trained_on(tmp_path):
    def two(run, epochs):
        with run.scope():
            first = shapes.network(run.settings)
        run.fit(first, shapes.batches(), shapes.batches(), epochs=epochs)
        features = run.load()
        with run.scope("second"):
            second = shapes.network(run.settings)
        run.fit(second, shapes.batches().map(lambda x, y: (x, features(x))), stage="second", epochs=1)
        run.close()

    two(Run(Example(workdir=str(tmp_path))), 2)
    two(Run(Example(workdir=str(tmp_path))), 2)
    told = r"second was made of 'model' as it was at step 10; that is now at step 15. Remove .*/checkpoints/second"
    with pytest.raises(ValueError, match=told):
        two(Run(Example(workdir=str(tmp_path))), 3)
