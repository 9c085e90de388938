"""Fitting: what ends, fails or is stopped, and goes on."""

import json
import os
import signal

import keras
import numpy as np
import pytest

from tests.training.shapes import INPUTS, TARGETS, Example, Kill, batches, one_model, two_optimizers, weights
from toolkit.data.plans import shuffled_plan
from toolkit.training import Run
from toolkit.training.stage import Diverged, Interrupted


def test_an_optimizer_that_could_not_be_kept_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"optimizers.judge, a further optimizer of .*, is not built"):
        two_optimizers(Run(Example(workdir=str(tmp_path))), build=False)
    assert not list(tmp_path.glob("checkpoints/*/*"))


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


def test_its_optimizer_waits_for_gradients(tmp_path):
    (model,) = one_model(Run(Example(workdir=str(tmp_path))))
    assert "update_step" in vars(model.optimizer)


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


@pytest.mark.parametrize("precision", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
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
        one_model(run, data=batches(broken))
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
        one_model(run, data=batches().take(3))
