"""One stage of a training: its step counter, checkpoints, scalars, progress bar, and its answers to trouble."""

import math
import pathlib
import signal
import sys
import time
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from toolkit.training import checkpoints
from toolkit.training.averaging import AveragedWeights

_PATIENCE_SECONDS = 20.0
_PROGRESS = {
    "step": int,
    "built_on": dict,
    "steps_per_epoch": int,
    "lowest": (int, float, type(None)),
    "stopped": bool,
    "owes_validation": bool,
    "sums": (dict, type(None)),
}  # what a checkpoint says of the training, and its types
_SEED = "seed_generator_state"  # what Keras names the variable of every SeedGenerator


class Diverged(ValueError):
    """The loss, or a weight, is not a finite number any more.

    Args:
        message: What to tell.
        step: The step after which it was not, counted from 1.
    """

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message)
        self.step = step


class Interrupted(SystemExit):
    """SIGTERM or Ctrl-C came; a checkpoint was written.

    Args:
        number: The signal's.
        message: What to tell.
    """

    def __init__(self, number: int, message: str) -> None:
        super().__init__(128 + number)
        self.message = message


class Stage:
    """What `Run.fit` and `Run.loop` share.

    Args:
        name: The stage's name.
        folder: Where its checkpoints are.
        holders: What is trained: objects with `variables`, by name.
        steps_per_epoch: Steps in an epoch.
        epochs: Epochs to train in all.
        board: A `Board` for scalars.
        checkpoint_minutes: Minutes between checkpoints inside an epoch.
        writes: Whether to write checkpoints and show progress; False in all workers but the chief.
        best: Names of the holders that are kept as they were at the best validation; None: all.
        monitor: The scalar of the validation that says which is the best.
        mode: "min" or "max": whether the best is the lowest or the highest.
        averages: Whether the stage adds up what the steps of an epoch give, for `means`; in `fit` Keras does.
        built_on: The steps that other stages, which this one was made from, had done, by their names.
        averaged: What the best is kept with, where optimizers average the weights.
    """

    def __init__(
        self,
        name: str,
        folder: pathlib.Path,
        holders: Mapping[str, Any],
        *,
        steps_per_epoch: int,
        epochs: int,
        board,
        checkpoint_minutes: float,
        writes: bool = True,
        best: Collection[str] | None = None,
        monitor: str = "loss",
        mode: str = "min",
        averages: bool = False,
        built_on: Mapping[str, int] | None = None,
        averaged: AveragedWeights | None = None,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"{name}: mode={mode!r}: expected min or max.")
        self.name = name
        self.latest, self.best = folder / "latest.npz", folder / "best.npz"
        self.holders = holders
        self.best_holders = {key: holder for key, holder in holders.items() if best is None or key in best}
        self.monitor, self.sign = monitor, 1.0 if mode == "min" else -1.0
        self.built_on = dict(built_on or {})
        self.averaged = averaged or AveragedWeights()
        self.sums: dict[str, list] | None = {} if averages else None  # of this epoch: sum and number of steps
        self.steps_per_epoch = steps_per_epoch
        self.num_steps = steps_per_epoch * epochs
        self.board = board
        self.writes = writes
        self.checkpoint_seconds = checkpoint_minutes * 60
        self.step, self.lowest, self.stopped, self.owes_validation = 0, math.inf, False, False
        if self.latest.exists():
            progress = checkpoints.restore(self.latest, holders, _PROGRESS)
            if progress["step"] < 0:
                raise ValueError(f"{self.latest} is damaged: its step is {progress['step']}. Remove it.")
            if progress["steps_per_epoch"] != steps_per_epoch:
                raise ValueError(
                    f"{self.latest} was written with {progress['steps_per_epoch']} steps an epoch; the data now gives "
                    f"{steps_per_epoch}. Use another --workdir for other data."
                )
            check_built_on(name, folder, progress["built_on"], self.built_on)
            self.built_on = progress["built_on"]
            self.step, self.stopped = progress["step"], progress["stopped"]
            self.owes_validation = progress["owes_validation"]
            self.sums = progress["sums"]
            self.lowest = math.inf if progress["lowest"] is None else progress["lowest"]
        self.finished = self.stopped or (self.step >= self.num_steps and not self.owes_validation)
        self.began_at = self.step
        self._signal, self._bar, self._seeds = None, None, []
        self._saved_at = time.monotonic()

    @property
    def means(self) -> dict[str, float]:
        """What the steps of this epoch gave in the mean."""
        return {key: total / count for key, (total, count) in (self.sums or {}).items()}

    @property
    def epoch(self) -> int:
        """The epoch that the next step belongs to."""
        return self.step // self.steps_per_epoch

    def __enter__(self) -> "Stage":
        from tqdm import tqdm

        terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=self.num_steps,
            initial=self.step,
            desc=self.name,
            unit="step",
            mininterval=0.5 if terminal else 15,
            ncols=None if terminal else 100,
            dynamic_ncols=terminal,
            disable=not self.writes,
        )
        if self.step:
            self._say(f"goes on at step {self.step} of {self.num_steps}.")
        self._handlers = {}
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self._handlers[number] = signal.signal(number, self._remember)
            except ValueError:  # not in the main thread: leave signals to whoever is
                break
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.board.end_profile()
        self._bar.close()

    def _say(self, text):
        if self.writes:
            self._bar.write(f"{self.name}: {text}", file=sys.stderr)

    def _remember(self, number, frame):
        self._signal, self._signal_at = number, time.monotonic()
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process, whatever it waits for

    def after_step(self, step: int, logs: Mapping[str, float]) -> None:
        """To be called after each step.

        Args:
            step: Steps done since the stage began.
            logs: Scalars of this step; all must be finite.
        """
        logs = {key: float(value) for key, value in logs.items()}
        bad = [key for key, value in logs.items() if not math.isfinite(value)]
        if bad:
            kept = f"The checkpoint of an earlier step is kept in {self.latest}. " if self.latest.exists() else ""
            raise Diverged(
                f"{self.name}: {', '.join(bad)} is not finite at step {step}. {kept}"
                "Lower --learning_rate; then the same command goes on.",
                step,
            )
        self.board.after_step()
        self._bar.update(step - self.step)
        self._bar.set_postfix({key: f"{value:.4g}" for key, value in list(logs.items())[:3]}, refresh=False)
        self.step = step
        if self.sums is not None:
            for key, value in logs.items():
                total, count = self.sums.get(key, (0.0, 0))
                self.sums[key] = [total + value, count + 1]
        if step % max(1, self.steps_per_epoch // 20) == 0:
            self.board.scalars("train", {f"step/{key}": value for key, value in logs.items()}, step)
        ends_epoch = step % self.steps_per_epoch == 0
        if ends_epoch:  # a validation that is left and done again is to draw what it would have drawn
            every = [variable for _, variable in checkpoints.variables(self.holders)]
            self._seeds = [(each, np.array(each)) for each in every if getattr(each, "name", "") == _SEED]
        if self._signal or time.monotonic() - self._saved_at > self.checkpoint_seconds:
            self.save(owes_validation=ends_epoch)
        self.leave_if_signalled()

    def during_validation(self) -> None:
        """To be called after each batch of an epoch's validation: it is left at once where a signal came."""
        if self._signal:
            for variable, value in self._seeds:
                checkpoints.assign(variable, value)
            self.save(owes_validation=True)
        self.leave_if_signalled()

    def after_epoch(self, train: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """To be called after each epoch's last step.

        Args:
            train: The epoch's mean scalars.
            validation: Scalars on the validation data; `monitor` decides which weights are the best.

        Raises:
            ValueError: Where the validation has no such scalar.
        """
        self.board.scalars("train", train, self.step)
        self.board.scalars("validation", validation, self.step)
        line = ", ".join(f"{key} {value:.4f}" for key, value in train.items())
        held_out = ", ".join(f"{key} {value:.4f}" for key, value in validation.items())
        self._say(f"epoch {self.epoch}: {line}" + (f"; validation: {held_out}" if held_out else ""))
        if validation and self.monitor not in validation:
            raise ValueError(f"{self.name}: monitor={self.monitor!r} is none of {', '.join(validation)}.")
        if self.sums is not None:
            self.sums.clear()
        found = self.sign * validation[self.monitor] if validation else math.inf
        # What was averaged is nowhere else as weights: until a validation says which are the best, the last are.
        if found < self.lowest or (self.averaged and self.lowest == math.inf):
            self.lowest = min(self.lowest, found)
            self.averaged.show()
            self._save_to(self.best, self.best_holders)
        self.save()
        self.leave_if_signalled()

    def leave_if_signalled(self, together: bool = False) -> None:
        """Ends the training if SIGTERM or Ctrl-C came.

        Args:
            together: Whether the other workers are gone already. A worker that does not write waits some seconds for
                the chief, which may still need it for the step that it writes its checkpoint after.

        Raises:
            Interrupted: If one came.
        """
        if self._signal and (self.writes or together or time.monotonic() - self._signal_at > _PATIENCE_SECONDS):
            name = signal.Signals(self._signal).name
            written = "left with the last checkpoint" if together or not self.writes else "checkpoint written"
            raise Interrupted(
                self._signal,
                f"{self.name}: {name} at step {self.step}: {written}; the same command goes on from there.",
            )

    def finish(self, stopped: bool = False) -> None:
        """Marks the stage as done, and takes the best weights back.

        Args:
            stopped: Whether it ended before its last epoch, on purpose.
        """
        if not self.finished:
            self.stopped, self.finished = stopped, True
            self.save()
        if self.best.exists():
            checkpoints.restore(self.best, self.best_holders)

    def save(self, owes_validation: bool = False) -> None:
        """Writes the checkpoint from which the same command goes on.

        Args:
            owes_validation: Whether an epoch's steps are done and its validation is not.
        """
        self.owes_validation = owes_validation
        self.averaged.hide()
        self._save_to(self.latest, self.holders)
        self._saved_at = time.monotonic()

    def state(self) -> list:
        """Copies of all that is trained."""
        return [np.array(variable) for _, variable in checkpoints.variables(self.holders)]

    def set_state(self, state: list) -> None:
        """Puts copies back.

        Args:
            state: What `state` returned.
        """
        for (_, variable), value in zip(checkpoints.variables(self.holders), state, strict=True):
            checkpoints.assign(variable, value)

    def _save_to(self, path, holders):
        if not self.writes:
            return
        progress = {
            "step": self.step,
            "built_on": self.built_on,
            "steps_per_epoch": self.steps_per_epoch,
            "lowest": None if math.isinf(self.lowest) else self.lowest,
            "stopped": self.stopped,
            "owes_validation": self.owes_validation,
            "sums": self.sums,
        }
        try:
            checkpoints.save(path, holders, progress)
        except FloatingPointError as error:
            raise Diverged(
                f"{self.name}: {error} at step {self.step}; the checkpoint before it is kept. Lower --learning_rate.",
                self.step,
            ) from error


def check_built_on(name: str, folder: pathlib.Path, then: Mapping[str, int], now: Mapping[str, int]) -> None:
    """Refuses to go on with what was made of another stage that has trained on since.

    Args:
        name: Of what was made.
        folder: Where it is kept.
        then: The steps that other stages had done when it was made, by their names.
        now: The steps that they have done now.

    Raises:
        ValueError: Where one of them has trained on.
    """
    for other, step in then.items():
        if now.get(other, step) != step:
            raise ValueError(
                f"{name} was made of {other!r} as it was at step {step}; that is now at step {now[other]}. Remove "
                f"{folder} to make {name} anew, or use another --workdir."
            )
