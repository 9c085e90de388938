"""Throw-away recipes against the runner: one model, two stages, a loop of one's own; each killed and resumed."""

import dataclasses
import json
import os
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from toolkit import export
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.training import Run, Settings, setting
from toolkit.training.stage import Diverged, Interrupted

INPUTS = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")
TARGETS = INPUTS.sum(axis=1, keepdims=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example(Settings):
    units: int = setting(4, "cells", minimum=1)
    epochs: int = setting(3, "epochs", minimum=1, changeable=True)
    batch_size: int = setting(8, "examples", minimum=1)


def batches(targets=TARGETS, seed=0):
    signature = (tf.TensorSpec([None, 3]), tf.TensorSpec([None, 1]))
    plan = shuffled_plan(len(INPUTS), 8, seed=seed)
    return Batches(lambda i: (INPUTS[i], targets[i]), plan, signature, num_examples=len(INPUTS))


def splits(**how):
    return Splits(batches(**how), batches(), batches())


def network(s, name="net"):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(s.units), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.01), loss="mse", jit_compile=False)
    return model


def one_model(run, callbacks=(), data=None):
    with run.scope():
        model = network(run.settings)
    run.fit(model, data or splits(), callbacks=callbacks)
    return [model]


def two_stages(run, callbacks=()):
    with run.scope("first"):
        first = network(run.settings)
    run.fit(first, splits(), stage="first", callbacks=callbacks)
    codes = splits().map(lambda x, y: (x, first(x)))
    with run.scope("second"):
        second = network(run.settings)
    run.fit(second, codes, stage="second", callbacks=callbacks)
    return [first, second]


class Rivals(keras.Model):
    """One network makes what the other is to tell from the targets, each with an optimizer of its own."""

    def __init__(self, units):
        super().__init__()
        self.maker = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dense(1)])
        self.judge = keras.Sequential([keras.Input((1,)), keras.layers.Dense(units, "tanh"), keras.layers.Dense(1)])
        self.optimizers = {"judge": keras.optimizers.Adam(0.02)}

    def call(self, inputs, training=False):
        return self.maker(inputs, training=training)

    def train_step(self, batch):
        inputs, targets = batch
        with tf.GradientTape(persistent=True) as tape:
            made = self.maker(inputs, training=True)
            told = keras.ops.softplus(self.judge(made)) + keras.ops.softplus(-self.judge(targets))
            judge_loss = keras.ops.mean(told) / self.distribute_strategy.num_replicas_in_sync
            fooled = keras.ops.mean((made - targets) ** 2 + keras.ops.softplus(-self.judge(made)))
            maker_loss = fooled / self.distribute_strategy.num_replicas_in_sync
        for loss, network, optimizer in (
            (judge_loss, self.judge, self.optimizers["judge"]),
            (maker_loss, self.maker, self.optimizer),
        ):
            weights = network.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)
        return {"judge": judge_loss, "loss": maker_loss}


def two_optimizers(run, callbacks=(), build=True):
    with run.scope():
        model = Rivals(run.settings.units)
        model.compile(keras.optimizers.Adam(0.01), loss="mse")
        model.optimizer.build(model.maker.trainable_variables)
        if build:
            model.optimizers["judge"].build(model.judge.trainable_variables)
    run.fit(model, Splits(batches(), batches(), batches()), callbacks=callbacks)
    return [model, model.optimizer, model.optimizers["judge"]]


def own_loop(run, callbacks=()):
    """Two models and two optimisers that take turns."""
    with run.scope():
        left, right = network(run.settings), network(run.settings)
        optimizers = [keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.01)]
    for optimizer, model in zip(optimizers, (left, right), strict=True):
        optimizer.build(model.trainable_variables)
    state = {"left": left, "right": right, "left_optimizer": optimizers[0], "right_optimizer": optimizers[1]}
    for (inputs, targets), log in run.steps(batches(), stage="turns", state=state):
        total = 0.0
        for model, other, optimizer in ((left, right, optimizers[0]), (right, left, optimizers[1])):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(inputs, training=True) - targets - 0.1 * other(inputs)) ** 2)
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            total += float(loss)
        log(loss=total)
        for callback in callbacks:
            callback.on_train_batch_end(None, None)
    return [left, right]


class Kill(keras.callbacks.Callback):
    """Stops as a power cut would, at some step of the process."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise RuntimeError("power cut")


def weights(models):
    return [np.asarray(variable) for model in models for variable in model.variables]


@pytest.mark.parametrize("recipe", [one_model, two_stages, two_optimizers, own_loop])
def test_resumes_bit_for_bit(recipe, tmp_path):
    run = Run(Example(workdir=str(tmp_path / "whole")))
    expected = weights(recipe(run))
    for attempt, cut in enumerate((2, 7, 5, 4, 100, 100)):
        keras.utils.set_random_seed(attempt)  # the process before is gone, and its random state with it
        run = Run(Example(workdir=str(tmp_path / "cut"), checkpoint_minutes=0.0))
        try:
            resumed = weights(recipe(run, callbacks=(Kill(cut),)))
        except RuntimeError:
            run.close()
            continue
        run.close()
    assert attempt == 5
    for left, right in zip(expected, resumed, strict=True):
        np.testing.assert_array_equal(left, right)


def test_an_optimizer_that_could_not_be_kept_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"optimizers.judge, a further optimizer of .*, is not built"):
        two_optimizers(Run(Example(workdir=str(tmp_path))), build=False)
    assert not list(tmp_path.glob("checkpoints/*/*"))


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


def test_a_finished_stage_returns_at_once_and_more_epochs_train_on(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    before = weights(one_model(run))
    run.close()
    run = Run(Example(workdir=str(tmp_path)))
    kill = Kill(1)
    for left, right in zip(before, weights(one_model(run, callbacks=(kill,))), strict=True):
        np.testing.assert_array_equal(left, right)
    run.close()
    run = Run(Example(workdir=str(tmp_path), epochs=4))
    with pytest.raises(RuntimeError, match="power cut"):
        one_model(run, callbacks=(Kill(5),))


def test_it_learns_and_load_finds_the_best(tmp_path):
    run = Run(Example(workdir=str(tmp_path), epochs=30))
    (model,) = one_model(run)
    loaded = network(run.settings)
    run.load(loaded)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert loaded.evaluate(INPUTS, TARGETS, verbose=0) < 0.3 * np.mean(TARGETS**2)
    with pytest.raises(ValueError, match="no trained 'other'. Train first: --mode=train"):
        run.load(loaded, stage="other")


def test_early_stopping_ends_a_stage(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    run = Run(Example(workdir=str(tmp_path)))
    before = weights(one_model(run, callbacks=(Stop(),)))
    run.close()
    run = Run(Example(workdir=str(tmp_path)))
    for left, right in zip(before, weights(one_model(run, callbacks=(Kill(1),))), strict=True):
        np.testing.assert_array_equal(left, right)


def test_steps_without_data(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    variable, seen = keras.Variable(np.zeros(()), name="x"), []
    for step, log in run.steps(5, stage="count", state={"numbers": [variable]}):
        variable.assign_add(1.0)
        seen.append(step)
        log(value=variable)
    assert seen == [0, 1, 2, 3, 4]
    assert list(run.steps(5, stage="count", state={"numbers": [variable]})) == []
    assert float(variable) == 5.0


def test_a_loop_keeps_seeds_and_single_variables_and_its_pictures_have_their_step(tmp_path):
    def drawn(name, cut=None):
        run = Run(Example(workdir=str(tmp_path / name), checkpoint_minutes=0.0))
        seeds, total = keras.random.SeedGenerator(1), keras.Variable(0.0)
        for step, log in run.steps(6, stage="sum", state={"seeds": seeds, "total": total}):
            total.assign_add(keras.random.uniform((), seed=seeds))
            if step == 3:
                run.picture("grid", np.zeros((4, 5, 3), "uint8"))
            log(total=total)
            if step == cut:
                run.close()
                return None
        run.close()
        return float(total.numpy())

    assert drawn("cut", cut=4) is None
    assert drawn("cut") == drawn("whole")
    events = EventAccumulator(str(tmp_path / "whole" / "logs" / "pictures"))
    events.Reload()
    assert [event.step for event in events.Tensors("grid")] == [3]


def test_scalars_pictures_and_metrics(tmp_path, capsys):
    run = Run(Example(workdir=str(tmp_path)))
    with run.scope():
        model = network(run.settings)
    figure = Figure((1, 1))
    figure.subplots().plot([0, 1])
    run.fit(model, splits(), pictures=lambda: {"line": figure})
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


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_and_resumes(tmp_path, precision):
    def settings(name):
        return Example(workdir=str(tmp_path / name), precision=precision, checkpoint_minutes=0.0)

    expected = weights(one_model(Run(settings("whole"))))
    run = Run(settings("cut"))
    with pytest.raises(RuntimeError):
        one_model(run, callbacks=(Kill(8),))
    run.close()
    for left, right in zip(expected, weights(one_model(Run(settings("cut")))), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("checkpoint_minutes", [0.0, 60.0])
def test_diverged_says_why_and_keeps_the_last_good_checkpoint(tmp_path, checkpoint_minutes):
    """With a checkpoint to look from, and from the first weights."""
    run = Run(Example(workdir=str(tmp_path), checkpoint_minutes=checkpoint_minutes))
    broken = TARGETS.copy()
    bad = shuffled_plan(len(INPUTS), 8, seed=0)(0)[3][2]
    broken[bad] = np.nan
    with pytest.raises(Diverged) as error:
        one_model(run, data=Splits(batches(broken), batches(), batches()))
    assert "loss is not finite at step 4" in str(error.value)
    assert "Example 2 of that batch is not finite in its targets" in str(error.value)
    latest = tmp_path / "checkpoints" / "model" / "latest.npz"
    assert latest.exists() == (checkpoint_minutes == 0.0)
    if latest.exists():
        with np.load(latest) as file:
            assert json.loads(file["progress"].tobytes())["step"] == 3


def test_a_signal_ends_a_validation_and_it_is_made_up_for(tmp_path):
    class Terminate(keras.callbacks.Callback):
        def on_test_batch_begin(self, batch, logs=None):
            if batch == 1:
                os.kill(os.getpid(), signal.SIGTERM)

    def kept(name):
        with np.load(tmp_path / name / "checkpoints" / "model" / "latest.npz") as file:
            return json.loads(file["progress"].tobytes())

    expected = weights(one_model(Run(Example(workdir=str(tmp_path / "whole")))))
    run = Run(Example(workdir=str(tmp_path / "cut")))
    with pytest.raises(Interrupted) as stop:
        one_model(run, callbacks=(Terminate(),))
    assert "SIGTERM at step 5: checkpoint written" in stop.value.message
    assert kept("cut")["lowest"] is None
    run.close()
    resumed = weights(one_model(Run(Example(workdir=str(tmp_path / "cut")))))
    assert kept("cut") == kept("whole")
    for left, right in zip(expected, resumed, strict=True):
        np.testing.assert_array_equal(left, right)


def test_signals_leave_a_checkpoint(tmp_path):
    class Terminate(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                os.kill(os.getpid(), signal.SIGTERM)

    run = Run(Example(workdir=str(tmp_path)))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as stop:
        one_model(run, callbacks=(Terminate(),))
    assert "SIGTERM at step 3: checkpoint written" in stop.value.message and stop.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert (tmp_path / "checkpoints" / "model" / "latest.npz").exists()


def test_other_data_is_refused(tmp_path):
    run = Run(Example(workdir=str(tmp_path), checkpoint_minutes=0.0))
    with pytest.raises(RuntimeError):
        one_model(run, callbacks=(Kill(2),))
    with pytest.raises(ValueError, match="written with 5 steps an epoch; the data now gives 3"):
        one_model(run, data=Splits(batches().take(3), batches(), batches()))


def test_export_and_benchmark(tmp_path, capsys):
    run = Run(Example(workdir=str(tmp_path)), recipe="example")
    with run.scope():
        model = network(run.settings)
    run.report({"error_mm": 1.5})
    run.export(
        {"predict": export.signature(lambda x: model(x), x=((1, 3), "float32", "metres"))},
        examples={"predict": {"x": INPUTS[:1]}},
        card={"description": "An example"},
    )
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert card["metrics"] == {"error_mm": 1.5} and card["name"] == "example"
    assert (tmp_path / "export" / "model.tflite").exists()
    assert run.benchmark("predict", lambda: model(INPUTS), repeats=3) > 0
    assert json.loads((tmp_path / "benchmarks.json").read_text())["predict"]["per"] == "call"
    assert run.path("a", "b").parent.is_dir()
