import math
import signal

import keras
import numpy as np
import pytest

from toolkit.training.stage import Diverged, Interrupted, Stage
from toolkit.visualize.board import Board


def stage(tmp_path, epochs=2):
    held = {"model": keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])}
    board = Board(tmp_path / "logs")
    return held["model"], Stage(
        "model", tmp_path, held, steps_per_epoch=3, epochs=epochs, board=board, checkpoint_minutes=60.0
    )


def test_keeps_the_weights_of_the_lowest_validation_loss(tmp_path):
    model, kept = stage(tmp_path, epochs=3)
    with kept:
        for epoch, loss in enumerate((2.0, 1.0, 3.0)):
            model.set_weights([np.full((1, 1), epoch), np.zeros(1)])
            for step in range(3):
                kept.after_step(3 * epoch + step + 1, {"loss": 1.0})
            kept.after_epoch({"loss": 1.0}, {"loss": loss})
    kept.finish()
    assert float(model.get_weights()[0][0, 0]) == 1.0
    _, again = stage(tmp_path, epochs=3)
    assert again.finished and again.lowest == 1.0 and again.step == 9


def test_checkpoints_between_epochs_only_when_due(tmp_path):
    _, kept = stage(tmp_path)
    with kept:
        kept.after_step(1, {"loss": 1.0})
        assert not kept.latest.exists()
        kept.checkpoint_seconds = 0.0
        kept.after_step(2, {"loss": 1.0})
        assert kept.latest.exists()
    _, again = stage(tmp_path)
    assert (again.step, again.epoch, again.finished) == (2, 0, False)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops(tmp_path, loss):
    _, kept = stage(tmp_path)
    with kept, pytest.raises(Diverged, match="loss is not finite at step 1"):
        kept.after_step(1, {"loss": loss})


def test_weights_that_are_no_numbers_are_not_kept(tmp_path):
    model, kept = stage(tmp_path)
    kept.save()
    model.set_weights([np.full((1, 1), np.nan), np.zeros(1)])
    with pytest.raises(Diverged, match="kernel is not finite any more at step 0; the checkpoint before it is kept"):
        kept.save()
    assert not stage(tmp_path)[1].finished


def test_a_validation_that_is_left_gives_its_random_draws_back(tmp_path):
    """It is done again as a whole, and so must begin with the seeds of the epoch's end."""
    seeds = keras.random.SeedGenerator(1)
    how = {"steps_per_epoch": 1, "epochs": 2, "board": Board(tmp_path / "logs"), "checkpoint_minutes": 60.0}
    kept = Stage("model", tmp_path, {"seeds": seeds}, **how)
    with kept, pytest.raises(Interrupted):
        kept.after_step(1, {"loss": 1.0})
        at_the_end = np.array(seeds.state)
        keras.random.uniform((), seed=seeds)
        kept._remember(signal.SIGTERM, None)
        kept.during_validation()
    with np.load(kept.latest) as file:
        np.testing.assert_array_equal(file["seeds/0000"], at_the_end)
