"""Trainings that are cut off and go on: their end is that of an undisturbed one, bit for bit."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import keras
import numpy as np
import pytest

from toolkit.training import Run
from toolkit.training.stage import Stage


def check_resumes(
    start: Callable[[Path], Run], train: Callable[[Run], object], folder: Path, cuts: Iterable[int]
) -> None:
    """Trains undisturbed, and goes on from what a process that is killed after some of its steps leaves behind.

    Args:
        start: Makes the run in a workdir; it must write a checkpoint at each step (checkpoint_minutes=0.0).
        train: The recipe's phase.
        folder: Where the workdirs go: whole, cut_0, cut_1 and so on.
        cuts: Steps of which what is there after them is gone on from, in the order in which they come.
    """
    after_step, left, cut = Stage.after_step, list(cuts), []

    def noted(stage, step, logs):
        after_step(stage, step, logs)
        if left and step == left[0]:
            cut.append(folder / f"cut_{len(cut)}")
            shutil.copytree(folder / "whole", cut[-1])
            del left[0]

    whole = start(folder / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stage, "after_step", noted)
        train(whole)
    whole.close()
    assert cut and not left, f"no step {left}"
    for number, workdir in enumerate(cut):
        keras.utils.set_random_seed(number + 1)  # the process is gone, and its random state with it
        run = start(workdir)
        train(run)
        run.close()
        check_same_checkpoints(folder / "whole", workdir)


def check_same_checkpoints(one: Path, other: Path) -> None:
    """Compares all that two workdirs' checkpoints hold, bit for bit."""
    paths = sorted(path.relative_to(one) for path in one.glob("checkpoints/**/*.npz"))
    assert paths == sorted(path.relative_to(other) for path in other.glob("checkpoints/**/*.npz")) != []
    for path in paths:
        with np.load(one / path) as left, np.load(other / path) as right:
            assert set(left.files) == set(right.files)
            for key in left.files:
                np.testing.assert_array_equal(left[key], right[key], err_msg=f"{path}: {key}")
