"""What a recipe's phases get in hand: a workdir in which models are trained, kept and exported."""

import contextlib
import dataclasses
import os
import pathlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from toolkit.data import service
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.training.checkpoints import restore
from toolkit.training.diagnosis import first_not_finite
from toolkit.training.distribution import Distribution
from toolkit.training.norms import GradientNorms
from toolkit.training.optimizers import optimizers_of
from toolkit.training.results import Results
from toolkit.training.settings import Settings
from toolkit.training.stage import Diverged, Stage, callback
from toolkit.training.workdir import command, versions
from toolkit.visualize.board import Board


class Run(Results):
    """One workdir and the verbs that write to it: scope, fit, steps, load, report, check, picture, sound, film, table,
    export, benchmark, path.

    The same workdir again resumes: a finished stage loads and returns at once, an interrupted one goes on at its exact
    step. The folder holds settings.json, checkpoints/STAGE/, logs/SPLIT/ for TensorBoard, metrics.json, pictures/,
    sounds/, tables/ and export/, and data_check.json where the data was checked.

    Args:
        settings: The recipe's settings.
        recipe: The recipe's name, kept in settings.json.
        stand_in: Folder of a shipped model, for a workdir in which nothing was trained.

    Raises:
        ValueError: Where the workdir belongs to another recipe, to other settings, or to another running process.
        OSError: Where it cannot be written.
    """

    def __init__(self, settings: Settings, recipe: str = "", stand_in: pathlib.Path | None = None) -> None:
        super().__init__(settings, recipe)
        self._stand_in = stand_in
        if settings.data_service and settings.mode != "serve_data":
            service.check(settings.data_service)
        if settings.strategy != "multi_worker":
            self.open()  # before devices are: its errors come at once
        self.distribution = Distribution(settings.strategy, settings.num_replicas, settings.data_service)
        self.is_chief = self.distribution.is_chief
        if settings.strategy == "multi_worker" and self.is_chief:
            self.open()
        self._board = Board(self.workdir / "logs" if self.is_chief else None, settings.profile_steps)

    @contextlib.contextmanager
    def scope(self, stage: str = "model") -> Iterator[None]:
        """Where models are built: with precision and strategy as asked for, and first weights that the seed decides.

        Args:
            stage: The name of the training that they are built for. The seed and this name alone decide the first
                weights, whatever else was built before: a resumed run that leaves finished stages out begins the next
                one as an undisturbed run does. The same name twice gives the same weights twice.
        """
        # "model" stands for 1, so that what a recipe of one stage gives stays what it has always given.
        number = 1 if stage == "model" else zlib.crc32(stage.encode())
        keras.utils.set_random_seed((self.settings.seed * 1000 + number) % 2**32)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.settings.precision)
        try:
            with self.distribution.scope():
                yield
        finally:
            keras.config.set_dtype_policy(before)

    def fit(
        self,
        model,
        splits,
        *,
        stage: str = "model",
        pictures: Callable[[], Mapping[str, Any]] | None = None,
        callbacks: tuple = (),
    ) -> None:
        """`model.fit` over `--epochs`, kept: checkpoints, resume, scalars, pictures, progress, time left.

        Afterwards the model has the weights of the lowest validation loss, or the last ones without validation data.

        Args:
            model: A compiled model. Its `train_step` may use several optimizers, as attributes of the model that are
                built: `model.generator_optimizer.build(model.generator.trainable_variables)`, in `run.scope()`.
            splits: `train` and `validation`, each `data.pipelines.Batches` of (inputs, targets[, weights]).
            stage: A name for this training among the recipe's.
            pictures: Called after each epoch; returns figures and scalars (float) by name.
            callbacks: Further Keras callbacks; what they remember is part of a checkpoint where it is in `variables`.
        """
        settings, distribution = self.settings, self.distribution
        distribution.check(model)
        model.jit_compile = self.jit_compile
        with distribution.scope():
            if not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
        optimizers = optimizers_of(model)
        for optimizer in optimizers.values():
            distribution.add_gradients_first(optimizer)
        train = distribution.shared(splits.train)
        train = train.take(settings.steps_per_epoch) if settings.steps_per_epoch else train
        validation = distribution.shared(splits.validation) if splits.validation else None
        per_epoch = train.steps_per_epoch
        holders = {"model": model, **optimizers}
        remembered = [variable for each in callbacks for variable in getattr(each, "variables", ())]
        if remembered:
            holders["callbacks"] = remembered
        kept = self._stage(stage, holders, per_epoch)
        distribution.agree(kept.step, settings)
        if not kept.finished:

            def draw():
                self._step = kept.step
                for name, shown in pictures().items():
                    if isinstance(shown, float):
                        self._board.scalars("validation", {name: shown}, self._step)
                    else:
                        self.picture(name, shown)

            self._board.graph(stage, model)
            norms = None if distribution.strategy else GradientNorms.of(model)
            # Those that remember come first: the checkpoint of an epoch's end holds what they learned from it.
            remembering = [each for each in callbacks if hasattr(each, "variables")]
            rest = [each for each in callbacks if not hasattr(each, "variables")]
            keep = callback(kept, draw if pictures and self.is_chief else None, norms, distribution.check_replicas)
            visible = [*remembering, keep, *rest]
            held_out = {}
            if validation:  # endless: Keras begins it anew each time
                held_out = {"x": distribution.dataset(validation), "steps": validation.steps_per_epoch}
            model.stop_training = False
            with kept, distribution.watched(kept), self._explained(model, train, kept):
                if kept.owes_validation:
                    owed = {"callbacks": visible, "return_dict": True, "verbose": 0}
                    validation = model.evaluate(**held_out, **owed) if held_out else {}
                    late = {f"val_{name}": value for name, value in validation.items()}
                    keras.callbacks.CallbackList(remembering, model=model).on_epoch_end(kept.epoch - 1, late)
                    kept.after_epoch({}, validation)
                done = kept.step % per_epoch
                # An interrupted epoch is ended first, by a fit of its own that has only the steps left.
                spans = [(kept.epoch, kept.epoch + 1, per_epoch - done)] if done else []
                spans.append((kept.epoch + bool(done), settings.epochs, per_epoch))
                for first, last, steps in spans:
                    if first < last and not model.stop_training:
                        model.fit(
                            distribution.dataset(train, start_step=kept.step),
                            initial_epoch=first,
                            epochs=last,
                            steps_per_epoch=steps,
                            validation_data=held_out.get("x"),
                            validation_steps=held_out.get("steps"),
                            callbacks=visible,
                            shuffle=False,  # the data has its own order
                            verbose=0,
                        )
                kept.leave_if_signalled()
        if self.is_chief:
            kept.finish(stopped=model.stop_training)
        with distribution.watched(kept):
            distribution.agree(kept.step, settings)  # now the best weights are written
        if not self.is_chief:
            kept.finish(stopped=model.stop_training)
        self._step = kept.step

    @contextlib.contextmanager
    def _explained(self, model, train, kept):
        """Where the loss is not finite: says what was so first, by doing the steps since the last checkpoint again."""
        first_step = kept.step
        first_state = None if kept.latest.exists() or self.distribution.strategy else kept.state()
        try:
            yield
        except Diverged as error:
            if self.distribution.strategy:
                raise
            if kept.latest.exists():
                first_step = restore(kept.latest, kept.holders)["step"]
            else:
                kept.set_state(first_state)
            again = error.step - 1 - first_step
            print(f"{error}\nLooking for what was not finite first: {again} steps again ...", flush=True)
            stop = keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs=None: kept.leave_if_signalled(together=True)
            )
            why = ""
            with contextlib.suppress(Exception):  # the error itself counts for more than its cause
                if again:
                    data = train.dataset(first_step)
                    model.fit(data, steps_per_epoch=again, callbacks=[stop], shuffle=False, verbose=0)
                why = first_not_finite(model, next(iter(train.dataset(error.step - 1))))
            raise Diverged(f"{error} {why}", error.step) from error

    def steps(self, data, *, stage: str, state: Mapping[str, Any], epochs: int | None = None) -> Iterator[Any]:
        """A loop of one's own, kept as `fit` is: several models, several optimisers, or no gradient at all.

        Args:
            data: `data.pipelines.Batches`, or a number of steps for a loop without data.
            stage: A name for this loop among the recipe's.
            state: All that the loop changes, by name: objects with `variables`, `keras.random.SeedGenerator`s,
                variables, or lists of variables.
            epochs: Passes over the data; without it `--epochs`.

        Yields:
            (batch, log): the batch, or the step's number; and a function to be called with this step's scalars,
            `log(loss=...)`.
        """
        if self.distribution.strategy:
            raise ValueError(
                f"--strategy={self.settings.strategy}: {stage!r} is trained by a loop of its own, which runs on one "
                "device. Leave --strategy out."
            )
        endless = not isinstance(data, int)
        per_epoch = data.steps_per_epoch if endless else data
        kept = self._stage(stage, state, per_epoch, epochs=(epochs or self.settings.epochs) if endless else 1)
        if not kept.finished:
            source = iter(self.distribution.dataset(data, kept.step)) if endless else iter(range(kept.step, per_epoch))
            logs = {}
            with kept, self.distribution.watched(kept):
                if kept.owes_validation:
                    kept.after_epoch({}, {})
                while kept.step < kept.num_steps:
                    logs.clear()
                    self._step = kept.step  # that pictures of the coming step belong to
                    yield next(source), logs.update
                    kept.after_step(kept.step + 1, logs)
                    if kept.step % per_epoch == 0:
                        kept.after_epoch({key: float(value) for key, value in logs.items()}, {})
        kept.finish()
        self._step = kept.step

    def _stage(self, name, holders, steps_per_epoch, epochs=None):
        kept = Stage(
            name,
            self.path("checkpoints", name),
            holders,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs or self.settings.epochs,
            board=self._board,
            writes=self.is_chief,
            checkpoint_minutes=self.settings.checkpoint_minutes,
        )
        if not kept.finished:
            how = {"recipe": self.recipe, "command": command(), **dataclasses.asdict(self.settings), **versions()}
            self._board.table("settings", how, kept.step)
        return kept

    def load(self, model, *, stage: str = "model", workdir: str | os.PathLike = "") -> None:
        """Loads what a stage has trained: its best weights, or its last; where there are none, the shipped model's.

        Args:
            model: The model, of the same sizes.
            stage: The stage's name.
            workdir: Of another run, to begin with what it has trained.

        Raises:
            ValueError: Where the stage has not been trained in the workdir, or for another model.
        """
        folder = pathlib.Path(workdir or self.workdir) / "checkpoints" / stage
        for path in (folder / "best.npz", folder / "latest.npz"):
            if path.exists():
                step = restore(path, {"model": model})["step"]
                self._step = self._step if workdir else step
                return
        if workdir or self._stand_in is None:
            raise ValueError(f"{workdir or self.workdir} holds no trained {stage!r}. Train first: --mode=train.")
        print(f"  the model that comes with the code: {self._stand_in}", flush=True)
        model.load_weights(self._stand_in / "model.keras")

    @property
    def exported(self) -> pathlib.Path:
        """The folder of the exported model: export/, or the shipped model's where nothing was exported.

        Raises:
            ValueError: Where there is neither.
        """
        for folder in (self.workdir / "export", self._stand_in):
            if folder is not None and (folder / "model.tflite").exists():
                return folder
        raise ValueError(f"--workdir={self.workdir} holds no export. Export first: --mode=export.")

    def export(self, signatures: Mapping[str, Any], **details) -> None:
        """Writes export/: SavedModel, `.tflite` and card, whole or not at all.

        Args:
            signatures: `export.signature` by name.
            **details: As in `export.write`: examples, trackables, calibrate, measure, tolerance; and `card`, to which
                the recipe, the command, the settings and the metrics are added.
        """
        if not self.is_chief:
            return
        from toolkit import export

        card = {
            "name": self.recipe,
            "command": command(),
            "settings": dataclasses.asdict(self.settings),
            "metrics": self.metrics(),
            **details.pop("card", {}),
        }
        export.write(self.path("export"), signatures, card=card, quantize=self.settings.quantize, **details)

    def serve(self, splits) -> None:
        """Reads data for trainings with the same --data_service, until it is stopped.

        Args:
            splits: The recipe's `data.pipelines.Splits`.
        """
        server = service.Server(self.settings.data_service, (splits.train, splits.validation, splits.test))
        role = "one more reader of" if server.joined else "serving data at"
        print(f"  {role} {self.settings.data_service}; Ctrl-C ends it", flush=True)
        server.wait()

    @property
    def jit_compile(self) -> bool:
        """What --jit_compile means on this machine, for `model.compile`."""
        able = bool(tf.config.list_physical_devices("GPU")) and not self.distribution.strategy
        return {"on": True, "off": False}.get(self.settings.jit_compile, able)
