"""What a run gives and keeps: first weights, scalars, pictures, models loaded again, the export."""

import json

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.shapes import INPUTS, TARGETS, Example, batches, network, one_model
from toolkit import export
from toolkit.serving.served import Served
from toolkit.training import Run


def test_first_weights_are_those_of_the_stage_whatever_was_trained_before(tmp_path):
    """A resumed run does not build again what is finished."""

    def first_weights(run, stages):
        found = {}
        for stage in stages:
            with run.scope(stage):
                found[stage] = network(run.settings).get_weights()[0]
        return found

    rounds = [f"round_{number}" for number in range(4)]
    whole = first_weights(Run(Example(workdir=str(tmp_path / "whole"))), rounds)
    resumed = first_weights(Run(Example(workdir=str(tmp_path / "resumed"))), rounds[2:])
    for stage, weights in resumed.items():
        np.testing.assert_array_equal(weights, whole[stage])
    assert len({weights.tobytes() for weights in whole.values()}) == 4
    other = first_weights(Run(Example(workdir=str(tmp_path / "other"), seed=1)), rounds[:1])
    assert np.abs(other["round_0"] - whole["round_0"]).max() > 0


def test_it_learns_and_load_finds_the_best(tmp_path):
    run = Run(Example(workdir=str(tmp_path), epochs=30))
    (model,) = one_model(run)
    loaded = run.load()
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert np.mean((loaded.predict_on_batch(INPUTS) - TARGETS) ** 2) < 0.3 * np.mean(TARGETS**2)
    with pytest.raises(ValueError, match="no trained 'other'. Train first: --mode=all"):
        run.load("other")


def test_what_is_not_built_and_compiled_in_its_scope_is_refused(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    model = network(run.settings)
    with run.scope("denoiser"):
        bare = keras.Sequential([keras.Input(INPUTS.shape[1:]), keras.layers.Dense(1)], name="bare")
    with pytest.raises(ValueError, match=r"run.fit\(stage='model'\): nothing was built in run.scope\('model'\)"):
        run.fit(model, batches())
    with pytest.raises(ValueError, match=r"bare is not compiled; call its compile\(optimizer, loss\) in run.scope"):
        run.fit(bare, batches(), stage="denoiser")


def test_scalars_pictures_and_metrics(tmp_path, capsys):
    run = Run(Example(workdir=str(tmp_path)))
    with run.scope():
        model = network(run.settings)
    figure = Figure((1, 1))
    figure.subplots().plot([0, 1])
    run.fit(model, batches(), batches(), pictures=lambda: {"line": figure})
    run.picture("grid", np.zeros((4, 5, 3), "uint8"))
    run.report({"error_mm": 1.5}, paper={"error_mm": 1.25})
    assert "error_mm        1.5000" in capsys.readouterr().out
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"error_mm": 1.5}
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"line.png", "line.svg", "grid.png"}

    def tags(split):
        events = EventAccumulator(str(tmp_path / "logs" / split))
        events.Reload()
        return events

    assert [event.step for event in tags("validation").Tensors("loss")] == [5, 10, 15]
    assert {"loss", "learning_rate", "step/loss"} <= set(tags("train").Tags()["tensors"])
    assert {"line", "grid"} == set(tags("pictures").Tags()["tensors"])
    assert tags("test").Tags()["tensors"] == ["error_mm"]


def test_a_schedule_ends_with_its_stage(tmp_path):
    """Of any stage, with whole epochs and with shorter ones."""
    whole = Run(Example(workdir=str(tmp_path / "whole"), epochs=3))
    assert (whole.num_steps(batches()), whole.num_steps(batches(), epochs=7)) == (15, 35)
    short = Run(Example(workdir=str(tmp_path / "short"), epochs=3, steps_per_epoch=2))
    assert (short.num_steps(batches()), short.num_steps(batches(), epochs=7)) == (6, 14)
    with short.scope("second"):
        model = network(short.settings)
    short.fit(model, batches(), stage="second", epochs=7)
    assert int(model.optimizer.iterations) == 14
    longer = Run(Example(workdir=str(tmp_path / "longer"), epochs=1, steps_per_epoch=9))
    assert longer.num_steps(batches()) == 5


def test_precision_and_seed(tmp_path):
    run = Run(Example(workdir=str(tmp_path / "a"), precision="mixed_bfloat16"))
    with run.scope():
        first = network(run.settings)
        second = network(run.settings)
    assert first.layers[0].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    assert np.abs(first.get_weights()[0] - second.get_weights()[0]).max() > 0
    again = Run(Example(workdir=str(tmp_path / "b")))
    with again.scope():
        np.testing.assert_array_equal(network(again.settings).get_weights()[0], first.get_weights()[0])


def test_export_and_benchmark(tmp_path, capsys):
    run = Run(Example(workdir=str(tmp_path)), recipe="example")
    with run.scope():
        model = network(run.settings)
    run.report({"error_mm": 1.5})
    predict = export.signature(lambda x: model(x), x=((1, 3), "float32", "metres"))
    run.export(Served(signatures={"predict": predict}, examples={"predict": {"x": INPUTS[:1]}}), description="Example")
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert card["metrics"] == {"error_mm": 1.5} and card["name"] == "example"
    assert (tmp_path / "export" / "model.tflite").exists()
    assert run.benchmark("predict", lambda: model(INPUTS), repeats=3) > 0
    assert json.loads((tmp_path / "benchmarks.json").read_text())["predict"]["per"] == "call"
    assert run.path("a", "b").parent.is_dir()
