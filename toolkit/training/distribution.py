"""Training on several devices or machines: which strategy, who writes, and what is the same on all of them."""

import contextlib
import dataclasses
import json
import signal
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from toolkit.data import service
from toolkit.data.pipelines import Batches
from toolkit.lazy import tensorflow as tf
from toolkit.training import cluster, mended_keras
from toolkit.training.optimizers import optimizers_of


class WorkerLost(RuntimeError):
    """Another worker of this training is gone; this one is to start again and wait for it."""


class Distribution:
    """A `tf.distribute` strategy and what a run must know of it.

    All that is done in `fit` is done on every replica, the rest (evaluation, samples, export) on the chief alone. Each
    global batch is cut in as many parts as there are replicas and losses and gradients are summed, so a training does
    not depend on how many there are, but for rounding; noise and dropout are drawn by each replica.

    Args:
        name: "single"; "mirrored", all GPUs of this machine; "multi_worker", all processes that TF_CONFIG names.
        num_replicas: For "mirrored": how many; 0: one for each GPU. Without GPUs they are logical devices of the CPU,
            to try a distributed training out.
        data_service: "HOST:PORT" of a `data.service` that reads the batches; empty: each process reads its own.

    Attributes:
        num_replicas: Replicas in all workers.
        is_chief: Whether this process writes.
        strategy: The `tf.distribute.Strategy`; None for "single".

    Raises:
        ValueError: Where this machine or TF_CONFIG cannot give what is asked for, or Keras is another than tried.
    """

    def __init__(self, name: str = "single", num_replicas: int = 0, data_service: str = "") -> None:
        self.name, self.data_service = name, data_service
        self.strategy, self.num_replicas, self.is_chief = None, 1, True
        if name == "single":
            return
        mended_keras.mend()
        if name == "mirrored":
            self.strategy = tf.distribute.MirroredStrategy(_devices(num_replicas))
        else:
            kind, index, first = cluster.task()
            self.is_chief = (kind, index) == first
            # Before anything else is computed: collectives cannot be set up later.
            try:
                with _default_signals():  # it waits for the others where Python's handlers do not run
                    self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
            except (tf.errors.OpError, RuntimeError) as error:
                raise ValueError(
                    f"--strategy=multi_worker: this worker, {kind} {index} of TF_CONFIG, cannot meet the others: "
                    f"{error}. Is its address one of this machine, its port free, and is each of the others running?"
                ) from error
        self.num_replicas = self.strategy.num_replicas_in_sync

    def scope(self) -> Any:
        """Where variables are made that all replicas share."""
        return self.strategy.scope() if self.strategy else contextlib.nullcontext()

    def check(self, model) -> None:
        """Refuses what cannot be distributed, before time is spent on it.

        Args:
            model: A compiled model.

        Raises:
            ValueError: Where the model was not built in the scope, runs several steps at once, or collects gradients.
        """
        if not self.strategy:
            return
        flag = f"--strategy={self.name}"
        if model.distribute_strategy is not self.strategy:
            raise ValueError(f"{flag}: the model must be built and compiled inside run.scope().")
        if model.steps_per_execution > 1:
            raise ValueError(f"{flag} cannot have steps_per_execution={model.steps_per_execution}: compile with 1.")
        if any(optimizer.gradient_accumulation_steps for optimizer in optimizers_of(model).values()):
            raise ValueError(f"{flag} cannot collect gradients over steps: leave out gradient_accumulation_steps.")

    def dataset(self, batches, start_step: int = 0) -> Any:
        """The batches, endlessly, as this process' replicas read them.

        Args:
            batches: `data.pipelines.Batches`, the same in all workers.
            start_step: Steps to leave out.

        Returns:
            A dataset for `fit`.
        """
        if not self.strategy:
            return batches.dataset(start_step, service=self.data_service)

        def local(context):
            here = self.num_replicas // context.num_input_pipelines
            first = context.input_pipeline_id * here
            part = batches.shard(self.num_replicas, range(first, first + here))
            return part.dataset(start_step * here, service=self.data_service)

        return self.strategy.distribute_datasets_from_function(local)

    def shared(self, batches) -> Batches:
        """The batches of which each replica can have a part.

        Args:
            batches: `data.pipelines.Batches`.

        Returns:
            Those with at least as many examples as there are replicas.
        """
        large = batches if self.num_replicas == 1 else batches.at_least(self.num_replicas)
        if not large.steps_per_epoch:
            raise ValueError(
                f"--strategy={self.name}: no batch has an example for each of the {self.num_replicas} replicas. Make "
                "--batch_size larger, or take fewer."
            )
        if self.is_chief and large.steps_per_epoch < batches.steps_per_epoch:
            print(
                f"  {batches.steps_per_epoch - large.steps_per_epoch} of {batches.steps_per_epoch} batches left out: "
                f"fewer examples than the {self.num_replicas} replicas."
            )
        return large

    @contextlib.contextmanager
    def watched(self, stage) -> Iterator[None]:
        """Where others are computed with, or read from: what to do when they are lost.

        Args:
            stage: The `Stage` that is trained.

        Raises:
            WorkerLost: Where a worker was lost after steps were done together.
            ValueError: Where there was no step: starting again would not help.
        """
        try:
            with service.watched(self.data_service):
                yield
        except tf.errors.OpError as error:
            if self.name != "multi_worker" or not _tells_of_a_loss(error):
                raise
            stage.leave_if_signalled(together=True)
            if stage.step == stage.began_at:
                raise ValueError(
                    f"{stage.name}: another worker ended before the first step; see what it says."
                ) from error
            raise WorkerLost(
                f"{stage.name}: another worker was lost at step {stage.step}. Start it again: this one waits for it, "
                "and all go on from the last checkpoint."
            ) from error

    def agree(self, step: int, settings) -> None:
        """Where workers compute together: waits until all are here, and sees that they are about to do the same.

        Args:
            step: The step that this process is at.
            settings: Its settings.

        Raises:
            ValueError: Where another worker is at another step, or was given other settings.
        """
        if self.name != "multi_worker":
            return
        decisive = [field.name for field in dataclasses.fields(settings) if field.metadata["remembered"]]
        here = zlib.crc32(json.dumps([step, *(getattr(settings, name) for name in decisive)]).encode())
        each = self.strategy.experimental_distribute_values_from_function(lambda _: tf.constant([here], tf.int64))
        if len(set(self.strategy.gather(each, axis=0).numpy())) > 1:
            raise ValueError(
                "--strategy=multi_worker: the workers were started with unlike flags, or do not share a --workdir: "
                f"this one is at step {step} in its. Give all the same command, with a folder that all can reach."
            )

    def check_replicas(self, variables) -> None:
        """Sees that each variable has one value: a checkpoint keeps one replica's. All workers call it at once.

        Args:
            variables: Keras variables.

        Raises:
            ValueError: Where replicas hold different values of one.
        """
        if not self.strategy:
            return
        # What is reduced when it is read has, for a checkpoint, one value.
        variables = [variable for variable in variables if variable.synchronization != "on_read"]
        local = self.strategy.experimental_local_results
        sums = np.array([[_sums(np.asarray(value)) for value in local(v.value)] for v in variables])
        if self.name == "multi_worker":
            here = tf.constant(sums)[None]
            each = self.strategy.experimental_distribute_values_from_function(lambda _: here)
            sums = np.concatenate(list(self.strategy.gather(each, axis=0).numpy()), axis=1)
        apart = [variable.path for variable, each in zip(variables, sums, strict=True) if _differ(each)]
        if apart:
            raise ValueError(
                f"--strategy={self.name}: the replicas hold different values of {', '.join(apart[:3])}. Each assigned "
                "what its part of the batch gave, and a checkpoint would keep one of them. Reduce what is assigned "
                "over the replicas, as keras.ops.moments(..., synchronized=True) does, or make the variable with "
                "aggregation='mean', which is right for means and shares and wrong for counts."
            )

    def add_gradients_first(self, optimizer) -> None:
        """Has an optimiser see the gradient of the whole batch; Keras adds the replicas' parts up last of all.

        So `global_clipnorm` is a limit of the gradient and not of a part, and mixed_float16's loss scaling leaves out a
        step in all replicas or in none: where it did in some, weights became NaN, or a worker waited for ever.

        Args:
            optimizer: The optimiser of a model built in the scope.
        """
        if not self.strategy:
            return
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        add, apply = inner._all_reduce_sum_gradients, optimizer.apply

        def add_and_apply(grads, trainable_variables=None):
            trainable_variables = trainable_variables or inner._trainable_variables
            pairs = add(zip(grads, trainable_variables, strict=True))
            return apply([gradient for gradient, _ in pairs], trainable_variables)

        inner._all_reduce_sum_gradients = list
        optimizer.apply = add_and_apply


def _tells_of_a_loss(error):
    """Whether this is what TensorFlow says where another worker ended, stands still, or was started again unnoticed."""
    if isinstance(error, tf.errors.InvalidArgumentError):  # the chief's new process does not know this worker
        return "must be registered before sending heartbeat" in error.message
    gone = tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError
    return isinstance(error, (*gone, tf.errors.FailedPreconditionError, tf.errors.DeadlineExceededError))


def _sums(values):
    """Numbers that tell values from others: a weighted sum, and what rounding makes of it where processors differ."""
    rounding = 1e-5 if values.dtype.kind in "fV" else 0.0  # V: bfloat16
    values = values.astype("float64").reshape(-1)
    return np.sin(np.arange(1, len(values) + 1)) @ values, rounding * np.abs(values).sum()


def _differ(sums):
    """Whether replicas' `_sums`, (replicas, 2), are further apart than rounding brings."""
    weighted, rounding = np.asarray(sums).T
    return bool(np.ptp(weighted) > rounding.max())


@contextlib.contextmanager
def _default_signals():
    """SIGTERM and Ctrl-C end the process at once."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _devices(num_replicas):
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if not 2 <= (num_replicas or len(gpus)) <= len(gpus):
            raise ValueError(
                f"--strategy=mirrored --num_replicas={num_replicas}: this machine has {len(gpus)} GPU(s), and a mirror "
                "needs at least two. Leave --strategy out to use one."
            )
        return [f"GPU:{index}" for index in range(num_replicas or len(gpus))]
    if num_replicas < 2:
        raise ValueError(
            "--strategy=mirrored: TensorFlow finds no GPU here. To try it out on the CPU: --num_replicas=2; else leave "
            "--strategy out."
        )
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * num_replicas)
    return [f"CPU:{index}" for index in range(num_replicas)]
