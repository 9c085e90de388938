"""What a recipe's phases get in hand: a workdir in which models are trained, kept and exported."""

import contextlib
import copy
import dataclasses
import os
import pathlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.data import service
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.training import fitting, loops, networks, studies
from toolkit.training.checkpoints import progress_of, save
from toolkit.training.distribution import Distribution
from toolkit.training.reading import Reading
from toolkit.training.stage import Stage, check_built_on
from toolkit.training.workdir import command, folder_of, versions
from toolkit.visualize.board import Board


class Run(Reading):
    """One workdir and the verbs that write to it: scope, fit, loop, compute, load, round, study, report, check,
    picture, mask, sound, film, table, export, benchmark, path.

    The same workdir again resumes: a finished stage loads and returns at once, an interrupted one goes on at its exact
    step. docs/running.md says what the folder holds.

    Args:
        settings: The recipe's settings.
        recipe: The recipe's name, kept in settings.json.
        load: The recipe's function of the settings that gives its data: see `data`.
        stand_in: Folder of a shipped model, for a workdir in which nothing was trained.

    Raises:
        ValueError: Where the workdir belongs to another recipe, to other settings, or to another running process.
        OSError: Where it cannot be written.
    """

    def __init__(
        self,
        settings: Any,
        recipe: str = "",
        *,
        load: Callable[[Any], Any] | None = None,
        stand_in: pathlib.Path | None = None,
    ) -> None:
        super().__init__(settings, recipe)
        self._load, self._stand_in = load, stand_in
        strategy, address = self.asked("strategy"), self.asked("data_service")
        if address and settings.mode != "serve_data":
            service.check(address)
        if strategy != "multi_worker":
            self.open()  # before devices are: its errors come at once
        self.distribution = Distribution(strategy, self.asked("num_replicas") or 0, address)
        self.is_chief = self.distribution.is_chief
        if strategy == "multi_worker" and self.is_chief:
            self.open()
        self._boards: dict[str, Board] = {}
        self._built_on: dict[str, int] = {}
        self._scoped: set[str] = set()  # the stages for which something was built
        self._board = self._board_of("")

    @contextlib.contextmanager
    def scope(self, stage: str = "model") -> Iterator[None]:
        """Where models are built: with precision and strategy as asked for, and first weights that the seed decides.

        Args:
            stage: The name of the training that they are built for. The seed and this name alone decide the first
                weights, whatever else was built before: a resumed run that leaves finished stages out begins the next
                one as an undisturbed run does. The same name twice gives the same weights twice.
        """
        # "model" stands for 1, so that what a recipe of one stage gives stays what it has always given.
        stage = self.prefix + stage
        self._scoped.add(stage)
        number = 1 if stage == "model" else zlib.crc32(stage.encode())
        keras.utils.set_random_seed((self.settings.seed * 1000 + number) % 2**32)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.asked("precision"))
        try:
            with self.distribution.scope():
                yield
        finally:
            keras.config.set_dtype_policy(before)

    def num_steps(self, train: Any, epochs: int | None = None) -> int:
        """Counts the steps that `fit` takes in all, for a schedule.

        Args:
            train: `data.pipelines.Batches` that are trained on.
            epochs: As in `fit`: passes over the data; without it `--epochs`.
        """
        whole = train.steps_per_epoch
        return (epochs or self.asked("epochs")) * min(self.asked("steps_per_epoch") or whole, whole)

    def fit(
        self,
        model: Any,
        train: Any,
        validation: Any = None,
        *,
        network: Any = None,
        stage: str = "model",
        epochs: int | None = None,
        monitor: str = "loss",
        mode: str = "min",
        pictures: Callable[[], Mapping[str, Any]] | None = None,
        callbacks: tuple = (),
    ) -> None:
        """Trains by `model.fit` and keeps it: checkpoints, resume, scalars, pictures, progress, time left.

        Afterwards the model has the weights of the best validation, or the last ones without validation data. Where an
        optimizer has `use_ema`, these are its averages of the weights, which validation and pictures see as well.

        Args:
            model: A compiled model. Its `train_step` may use several optimizers, as attributes of the model that are
                built: `model.generator_optimizer.build(model.generator.trainable_variables)`, in `run.scope()`.
            train: `data.pipelines.Batches` of (inputs, targets[, weights]).
            validation: The like, that decides which weights are the best.
            network: What `load` builds again, architecture and all: a Keras model, or several by name, whose weights
                are the model's or stand still. Without it the model itself, where it says what it is made of.
            stage: A name for this training among the recipe's.
            epochs: Passes over the data; without it `--epochs`.
            monitor: The scalar of the validation that says which weights are the best.
            mode: "min" or "max": whether the best is the lowest or the highest.
            pictures: Called after each epoch; returns figures, scalars (float) and sounds (samples, rate) by name.
            callbacks: Further Keras callbacks; what they remember is part of a checkpoint where it is in `variables`.

        Raises:
            ValueError: Where the model was not built in `scope` of this stage, the network cannot be kept, or the data
                is not that of the training so far.
        """
        if self.prefix + stage not in self._scoped:
            raise ValueError(
                f"run.fit(stage={stage!r}): nothing was built in run.scope({stage!r}). Build and compile the model "
                "there, or --seed, --precision and --strategy have no effect on it."
            )
        if network is None and type(model).__module__.startswith("keras."):  # a class of one's own says it itself
            network = model
        how = {"network": network, "stage": stage, "monitor": monitor, "mode": mode}
        how |= {"pictures": pictures, "callbacks": callbacks, "epochs": epochs or self.asked("epochs")}
        fitting.fit(self, model, train, validation, **how)

    def loop(
        self,
        data: Any,
        *,
        stage: str,
        state: Mapping[str, Any],
        network: Any = None,
        epochs: int | None = None,
        validation: Callable[[], Mapping[str, float]] | None = None,
        monitor: str = "loss",
        mode: str = "min",
        pictures: Callable[[], Mapping[str, Any]] | None = None,
    ) -> Iterator[tuple[Any, Callable]]:
        """Keeps a loop of one's own as `fit` is kept: several models, several optimizers, or no gradient at all.

        Args:
            data: `data.pipelines.Batches`, or a number of steps for a loop without data.
            stage: A name for this loop among the recipe's.
            state: All that the loop changes, by name: objects with `variables`, `keras.random.SeedGenerator`s,
                variables, NumPy arrays that are changed in place, or lists of them.
            network: As in `fit`; without it, the Keras models in `state`.
            epochs: Passes over the data; without it `--epochs`, or one where `data` is a number.
            validation: Called after each epoch; returns scalars.
            monitor: The one of them that says which state is the best: that is the state in the end.
            mode: "min" or "max": whether the best is the lowest or the highest.
            pictures: Called after each epoch; returns figures, scalars (float) and sounds (samples, rate) by name.

        Yields:
            (batch, log): the batch, or the step's number; and a function to be called with this step's scalars,
            `log(loss=...)`, whose means over the epoch are shown.

        Raises:
            ValueError: Where --strategy is another than single.
        """
        epochs = epochs or (1 if isinstance(data, int) else self.asked("epochs"))
        how = {"network": network, "epochs": epochs, "validation": validation, "pictures": pictures}
        return loops.loop(self, data, stage=stage, state=state, monitor=monitor, mode=mode, **how)

    def compute(self, function: Callable[[], Mapping[str, Any]], *, stage: str) -> dict[str, np.ndarray]:
        """Computes plain arrays once and keeps them: a closed form, a SciPy optimum, what a round has chosen.

        Args:
            function: Returns arrays by name. It is called as one step: killed in it, it begins anew.
            stage: A name for this computation among the recipe's.

        Returns:
            The arrays, NumPy's; a finished stage's are read.
        """
        path = self._folder(stage) / "latest.npz"
        if path.exists():
            built_on = progress_of(path, {"built_on": dict})["built_on"]
            check_built_on(self.prefix + stage, path.parent, built_on, self._built_on)
            return networks.arrays(path)
        self.check_same_data()
        arrays = {name: np.asarray(value) for name, value in function().items()}
        if self.shows:
            self.path("checkpoints", self.prefix + stage, path.name)
            save(path, {name: [array] for name, array in arrays.items()}, {"built_on": self._built_on})
        return arrays

    def load(self, stage: str = "model", *, name: str | None = None, workdir: str | os.PathLike | None = None) -> Any:
        """Gives back what a stage has kept: built models with their best weights, or its arrays.

        What a later stage or `compute` is built on is noted: they refuse to go on where it has trained on since.

        Args:
            stage: The stage's name.
            name: Of a stage that keeps several networks, the one that is wanted; or of its arrays.
            workdir: Of another run, of this recipe or another; or a folder of saved_models/.

        Returns:
            A Keras model, in float32; where the stage keeps several and `name` is left out, all of them by name; of a
            stage that has none, arrays by name. Where nothing was trained here, the shipped model.

        Raises:
            ValueError: Where the stage has not been trained in the workdir.
        """
        if workdir is not None and networks.is_shipped(folder_of(workdir), stage):
            found = networks.shipped(folder_of(workdir), stage, name)
            return next(iter(found.values())) if len(found) == 1 else found
        folder = self._folder(stage) if workdir is None else folder_of(workdir) / "checkpoints" / stage
        path = networks.checkpoint(folder)
        if path is not None and name is not None and name in networks.other_holders(folder, path):
            return networks.arrays(path)[name]
        if path is not None and (folder / networks.FILE).exists():
            found = networks.load(folder, path, name)
            if workdir is None:
                self._step = self._built_on[self.prefix + stage] = progress_of(path, {"step": int})["step"]
        elif path is not None:
            return networks.arrays(path)
        elif workdir is not None:
            raise ValueError(f"{workdir} holds no trained {stage!r}: name the --workdir of a training.")
        elif self._stand_in is None:
            raise ValueError(f"{self.workdir} holds no trained {stage!r}. Train first: --mode=all.")
        else:
            print(f"  the model that comes with the code: {self._stand_in}", flush=True)
            found = networks.shipped(self._stand_in, self.prefix + stage, name)
        return next(iter(found.values())) if len(found) == 1 else found

    def has(self, stage: str) -> bool:
        """Says whether a stage's training has begun in this workdir.

        Args:
            stage: The stage's name.
        """
        return any(self._folder(stage).glob("*.npz"))

    def round(self, number: int) -> "Run":
        """Gives the same run as it is in one of several rounds: stages, pictures and metrics of its own.

        Args:
            number: Of the round.

        Returns:
            A `Run` whose stages are round_NUMBER/STAGE, whose pictures and metrics are named round_NUMBER/NAME.
        """
        inner = copy.copy(self)
        inner.prefix = f"{self.prefix}round_{number}/"
        inner._board = self._board_of(inner.prefix)
        return inner

    def study(self, name: str, grid: Mapping[str, Sequence] | Sequence[Mapping], one: Callable) -> list[dict[str, Any]]:
        """Runs one training for each cell of a grid, in folders that several processes or machines may share.

        `--engine` says by how many processes: others than this one run the recipe's command again, up to here.

        Args:
            name: The study's.
            grid: The values of each axis, of which all combinations are run, or the cells themselves, which have the
                same axes; an axis named as a setting sets it.
            one: `one(run, **cell)` is called with a `Run` of the cell's own and returns metrics by name. A cell that is
                finished is not run again; one that another process is at is left to it.

        Returns:
            A row for each cell, in the grid's order: its axes and its metrics.
        """
        return studies.study(self, name, grid, one)

    def stage(self, name: str, holders: Mapping[str, Any], steps_per_epoch: int, epochs: int, **how: Any) -> Stage:
        """Opens a stage of this workdir, as `fit` and `loop` do.

        Args:
            name: Its name.
            holders: What is trained, by name.
            steps_per_epoch: Steps in an epoch.
            epochs: Epochs in all.
            **how: What else `Stage` takes; and `networks`, the Keras models to be kept with their architecture.
        """
        folder = self._folder(name)
        own = networks.described(how.pop("networks", {}), holders)
        networks.check_same(folder, own)
        self.check_same_data()
        board = self._board_of(self.prefix + ("" if name == "model" else f"{name}/"))
        kept = Stage(
            self.prefix + name,
            folder,
            holders,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,
            board=board,
            writes=self.is_chief,
            checkpoint_minutes=self.asked("checkpoint_minutes"),
            built_on={key: step for key, step in self._built_on.items() if key != self.prefix + name},
            **how,
        )
        if self.is_chief and not (kept.finished and (folder / networks.FILE).exists()):
            self.path("checkpoints", self.prefix + name, networks.FILE)
            networks.keep(folder, own)
        if not kept.finished and self.is_chief:
            self.trains()
            told = {"recipe": self.recipe, "command": command(), **dataclasses.asdict(self.settings), **versions()}
            board.table("settings", told, kept.step)
        return kept

    def _folder(self, stage):
        return self.workdir / "checkpoints" / (self.prefix + stage)

    def _board_of(self, part):
        if part not in self._boards:
            folder = self.workdir / "logs" / part if self.is_chief else None
            for each in (folder, *folder.parents) if folder else ():
                if each.is_relative_to(self.workdir) and os.path.lexists(each) and not each.is_dir():
                    raise OSError(f"{each} is no folder. Remove it.")
            self._boards[part] = Board(folder, self.asked("profile_steps"))
        return self._boards[part]

    @property
    def jit_compile(self) -> bool:
        """What --jit_compile means on this machine, for `model.compile`."""
        able = bool(tf.config.list_physical_devices("GPU")) and not self.distribution.strategy
        return able if self.asked("jit_compile") is None else self.asked("jit_compile")
