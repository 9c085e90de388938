"""Trainings that are cut off and go on: their end is that of an undisturbed one, bit for bit."""

from collections.abc import Callable, Iterable
from pathlib import Path

import keras
import numpy as np
import pytest

from toolkit.training import Run
from toolkit.training.stage import Stage


class Cut(Exception):
    """The power went."""


def check_resumes(
    start: Callable[[Path], Run], train: Callable[[Run], object], folder: Path, cuts: Iterable[int]
) -> None:
    """Trains once undisturbed, and once cut off after some steps.

    Args:
        start: Makes the run in a workdir; it must write a checkpoint at each step (checkpoint_minutes=0.0).
        train: The recipe's phase.
        folder: Where both workdirs go.
        cuts: Steps after which the process ends, each later than the one before.
    """
    whole = start(folder / "whole")
    train(whole)
    whole.close()
    after_step = Stage.after_step
    for cut in cuts:

        def until(stage, step, logs, cut=cut):
            after_step(stage, step, logs)
            if step == cut:
                raise Cut

        interrupted = start(folder / "cut")
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Cut):
            patch.setattr(Stage, "after_step", until)
            train(interrupted)
        interrupted.close()
        keras.utils.set_random_seed(cut)  # the process is gone, and its random state with it
    last = start(folder / "cut")
    train(last)
    last.close()
    check_same_checkpoints(folder / "whole", folder / "cut")


def check_same_checkpoints(one: Path, other: Path) -> None:
    """Compares all that two workdirs' checkpoints hold, bit for bit."""
    paths = sorted(path.relative_to(one) for path in one.glob("checkpoints/**/*.npz"))
    assert paths == sorted(path.relative_to(other) for path in other.glob("checkpoints/**/*.npz")) != []
    for path in paths:
        with np.load(one / path) as left, np.load(other / path) as right:
            assert set(left.files) == set(right.files)
            for key in left.files:
                np.testing.assert_array_equal(left[key], right[key], err_msg=f"{path}: {key}")
