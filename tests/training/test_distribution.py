"""Several replicas train as one does: mirrors in one process, workers in several that are killed on the way."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import shapes
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.training import Run, distribution
from toolkit.training.distribution import Distribution

RECIPE = [sys.executable, "-m", "recipes.handwriting_prediction", "--mode=train", "--data=embedded:100"]
RECIPE += ["--units=8", "--num_layers=1", "--batch_size=8", "--steps_per_epoch=6", "--checkpoint_minutes=0"]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def progress(workdir):
    try:
        with np.load(workdir / "checkpoints" / "model" / "latest.npz") as file:
            return json.loads(file["progress"].tobytes())
    except FileNotFoundError:
        return {"step": 0}


def weights(workdir):
    with np.load(workdir / "checkpoints" / "model" / "latest.npz") as file:
        return {key: file[key] for key in file.files if key.startswith(("model/", "optimizer/"))}


def same(one, other):
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    for key in a:
        np.testing.assert_allclose(b[key], a[key], rtol=1e-4, atol=1e-5, err_msg=key)


def train(workdir, *flags, epochs=2):
    done = subprocess.run(
        [*RECIPE, f"--workdir={workdir}", f"--epochs={epochs}", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return workdir


class Workers:
    """Two processes on this machine, which can be killed and started again."""

    def __init__(self, workdir, *flags):
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(contextlib.closing(socket.socket())) for _ in range(2)]
            for free in sockets:
                free.bind(("127.0.0.1", 0))
            self.addresses = [f"127.0.0.1:{free.getsockname()[1]}" for free in sockets]
        self.command = [
            *RECIPE,
            f"--workdir={workdir}",
            "--epochs=2",
            "--strategy=multi_worker",
            "--trusted_network",
            *flags,
        ]
        self.workdir, self.pids, self.processes = workdir, [[], []], [None, None]
        self.outputs = [workdir.with_name(f"{workdir.name}_{index}.txt") for index in range(2)]

    def __enter__(self):
        for index in range(2):
            self.start(index)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()

    def start(self, index):
        config = {"cluster": {"worker": self.addresses}, "task": {"type": "worker", "index": index}}
        more = {"TF_CONFIG": json.dumps(config), "TF_CPP_MIN_LOG_LEVEL": "0", "PYTHONFAULTHANDLER": "1"}
        with self.outputs[index].open("ab") as output:
            self.processes[index] = subprocess.Popen(
                self.command, cwd=ROOT, env={**os.environ, **more}, stdout=output, stderr=subprocess.STDOUT
            )
        self.pids[index].append(self.processes[index].pid)

    def told(self):
        return [output.read_text(errors="replace") for output in self.outputs]

    def wait(self, done, seconds=400):
        """Until `done()`; where a worker fails or time is over, fails with what both said and where they are."""
        end = time.monotonic() + seconds
        while not done():
            codes = [process.poll() for process in self.processes]
            if any(codes) or time.monotonic() > end:
                for process in self.processes:
                    process.send_signal(signal.SIGABRT)  # has Python's fault handler write where each thread is
                    process.wait()
                said = "".join(f"\n\n== worker, {code}\n{told}" for code, told in zip(codes, self.told(), strict=True))
                pytest.fail(f"step {progress(self.workdir)['step']}: the workers do not get on{said}", pytrace=False)
            time.sleep(0.05)

    def kill_after(self, index, step):
        self.wait(lambda: progress(self.workdir)["step"] >= step)
        self.processes[index].kill()
        self.processes[index].wait()

    def finish(self):
        self.wait(lambda: [process.poll() for process in self.processes] == [0, 0])
        return self.told()


@pytest.mark.slow
def test_mirrors_and_workers_train_as_one_device_does(tmp_path):
    """Also where a worker and then the chief are killed and started again, and only the chief writes."""
    one = train(tmp_path / "one")
    mirrors = train(tmp_path / "mirrors", "--strategy=mirrored", "--num_replicas=2")
    assert progress(mirrors)["step"] == progress(one)["step"]
    same(one, mirrors)
    with Workers(tmp_path / "workers") as workers:
        workers.kill_after(1, step=2)
        workers.start(1)
        workers.kill_after(0, step=9)
        workers.start(0)
        chief, other = workers.finish()
    assert "another worker was lost" in chief and "another worker was lost" in other
    assert progress(workers.workdir)["step"] == progress(one)["step"]
    same(mirrors, workers.workdir)
    assert "Written to" in chief and "Written to" not in other
    writers = {int(path.name.split(".")[-3]) for path in workers.workdir.glob("logs/*/events*")}
    assert writers == set(workers.pids[0])


@pytest.mark.slow
def test_loss_scaling_leaves_a_step_out_in_all_replicas_or_in_none(tmp_path):
    """The first loss scale is too large for some replica: Keras itself goes on with its weights NaN, or hangs."""
    one = train(tmp_path / "one", "--precision=mixed_float16", epochs=1)
    mirrors = train(tmp_path / "m", "--precision=mixed_float16", "--strategy=mirrored", "--num_replicas=2", epochs=1)
    scale = "optimizer/0001"
    assert weights(mirrors)[scale] == weights(one)[scale] < 2**15
    for key, value in weights(one).items():  # float16 rounds otherwise where a batch is cut
        np.testing.assert_allclose(weights(mirrors)[key], value, rtol=0.1, atol=0.02, err_msg=key)


def test_a_worker_that_does_not_know_the_others(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "")
    with pytest.raises(ValueError, match="--strategy=multi_worker reads from the environment"):
        Distribution("multi_worker")


def test_a_loss_however_tensorflow_tells_of_it():
    """A chief that was started again before its worker noticed does not know it; one that stands still says nothing."""
    stays = lambda together: None  # noqa: E731
    worker, stage = Distribution(), types.SimpleNamespace(name="net", step=2, began_at=0, leave_if_signalled=stays)
    worker.name = "multi_worker"
    for kind, text, lost in (
        (tf.errors.UnavailableError, "Socket closed", True),
        (tf.errors.AbortedError, "tried to connect with a different incarnation", True),
        (tf.errors.FailedPreconditionError, "group 1 not found. This normally means the server has restarted", True),
        (tf.errors.InvalidArgumentError, "must be registered before sending heartbeat messages", True),
        (tf.errors.DeadlineExceededError, "Collective ops is aborted by: Deadline Exceeded", True),
        (tf.errors.InvalidArgumentError, "Incompatible shapes", False),
        (tf.errors.ResourceExhaustedError, "out of memory", False),
    ):
        with pytest.raises(distribution.WorkerLost if lost else kind), worker.watched(stage):
            raise kind(None, None, text)
    stage.step = 0
    with pytest.raises(ValueError, match="before the first step"), worker.watched(stage):
        raise tf.errors.FailedPreconditionError(None, None, "group 1 not found")


def test_mirrors_need_devices():
    with pytest.raises(ValueError, match="finds no GPU here. To try it out on the CPU: --num_replicas=2"):
        Distribution("mirrored")


def test_another_keras_is_refused(monkeypatch):
    monkeypatch.setattr(keras, "__version__", "3.99.0")
    with pytest.raises(ValueError, match="this is 3.99.0"):
        Distribution("mirrored", 2)


def test_what_cannot_be_distributed_is_refused():
    several = Distribution()
    several.name, several.strategy = "mirrored", tf.distribute.MirroredStrategy(["CPU:0"])

    def model(**how):
        net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        net.compile(keras.optimizers.SGD(**{k: v for k, v in how.items() if "gradient" in k}), "mse",
                    **{k: v for k, v in how.items() if "gradient" not in k})  # fmt: skip
        return net

    with pytest.raises(ValueError, match="must be built and compiled inside run.scope"):
        several.check(model())
    with several.scope():
        several.check(model())
        with pytest.raises(ValueError, match="cannot have steps_per_execution=4"):
            several.check(model(steps_per_execution=4))
        with pytest.raises(ValueError, match="cannot collect gradients"):
            several.check(model(gradient_accumulation_steps=2))


REPLICAS = """
import sys
import keras, numpy as np, tensorflow as tf
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit import settings
from toolkit.training import Run

@keras.saving.register_keras_serializable(package="here")
class Mean(keras.layers.Layer):
    # Keeps a moving mean of what it sees in training.
    def build(self, shape):
        how = {"shape": (), "initializer": "zeros", "trainable": False, "name": "mean"}
        self.mean = self.add_weight(aggregation=sys.argv[1], **how)
    def call(self, inputs, training=False):
        if training:
            seen = keras.ops.mean(inputs)
            if sys.argv[2] == "reduced":
                seen = keras.ops.moments(seen[None], [0], synchronized=True)[0]
            self.mean.assign(0.5 * self.mean + 0.5 * seen)
        return inputs

x = np.random.default_rng(0).random((16, 3)).astype("float32")
signature = (tf.TensorSpec([None, 3]), tf.TensorSpec([None, 1]))
batches = Batches(lambda i: (x[i], x[i, :1]), shuffled_plan(16, 4, seed=0), signature, num_examples=16)
how = {} if sys.argv[3] == "1" else {"strategy": "mirrored", "num_replicas": 2}
run = Run(settings.Devices(workdir=sys.argv[4], epochs=2, batch_size=4, checkpoint_minutes=0.0, **how))
with run.scope():
    layers = [keras.Input((3,)), Mean(name="watch"), keras.layers.Dense(1), keras.layers.Dropout(0.1)]
    model = keras.Sequential(layers, name="net")
    model.compile(keras.optimizers.SGD(0.01), "mse")
try:
    run.fit(model, batches)
    print("mean", float(model.get_layer("watch").mean.numpy()))
except ValueError as error:
    print("refused", error)
"""


@pytest.mark.slow
def test_what_replicas_assign_is_one_value_or_refused(tmp_path):
    """A variable that a layer assigns in training: as Keras makes it by default, and as it should be made."""

    def trained(name, *arguments):
        command = [sys.executable, "-c", REPLICAS, *arguments, str(tmp_path / name)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    one = float(trained("one", "none", "own", "1").removeprefix("mean"))
    for name, how in {"averaged": ("mean", "own", "2"), "reduced": ("none", "reduced", "2")}.items():
        assert float(trained(name, *how).removeprefix("mean")) == pytest.approx(one, rel=1e-5)
    refused = trained("apart", "none", "own", "2")
    assert "refused --strategy=mirrored: the replicas hold different values of net/watch/mean." in refused
    assert not list((tmp_path / "apart" / "checkpoints").rglob("*.npz"))


def test_rounding_is_told_from_values_of_its_own():
    values = np.random.default_rng(0).normal(size=(50, 20)).astype("float32")
    rounded = values * (1 + 1e-7 * np.random.default_rng(1).normal(size=values.shape))
    swapped = values[::-1]
    for other, differs in ((values, False), (rounded, False), (values * 1.001, True), (swapped, True), (-values, True)):
        sums = [distribution._sums(each) for each in (values, values, other)]
        assert distribution._differ(sums) == differs
    for one, other in (([894499970, 2], [894499970, 3]), ([0.0], [1e-9])):
        assert distribution._differ([distribution._sums(np.array(each)) for each in (one, other)])
    assert not distribution._differ([distribution._sums(np.zeros(3)), distribution._sums(-np.zeros(3))])


TWO_OPTIMIZERS = """
import sys
import numpy as np
sys.path.insert(0, "tests/training")
import shapes as module
from toolkit.training import Run
how = {} if sys.argv[1] == "1" else {"strategy": "mirrored", "num_replicas": 2}
run = Run(module.Example(workdir=sys.argv[2], **how))
holders = module.two_optimizers(run)
np.savez(sys.argv[2] + "/end.npz", *(v.numpy() for holder in holders for v in holder.variables))
"""


@pytest.mark.slow
def test_two_optimizers_train_on_replicas_as_on_one_device(tmp_path):
    ends = []
    for number in "12":
        command = [sys.executable, "-c", TWO_OPTIMIZERS, number, str(tmp_path / number)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
        )
        assert done.returncode == 0, done.stderr
        with np.load(tmp_path / number / "end.npz") as file:
            ends.append([file[name] for name in file.files])
    for one, two in zip(*ends, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-5)


STATE = """
import sys
sys.path.insert(0, "tests/training")
import shapes
from toolkit.training import Run
how = {"strategy": "mirrored", "num_replicas": 2, "precision": sys.argv[1]}
(model,) = shapes.state_outside_gradients(Run(shapes.Example(workdir=sys.argv[2], **how)))
print("mean", float(model.get_layer("watch").mean.numpy()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_state_outside_gradients_on_replicas_in_mixed_precision(precision, tmp_path):
    command = [sys.executable, "-c", STATE, precision, str(tmp_path / "two")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    (model,) = shapes.state_outside_gradients(Run(shapes.Example(workdir=str(tmp_path / "one"), precision=precision)))
    found = float(done.stdout.splitlines()[-1].removeprefix("mean"))
    assert found == pytest.approx(float(model.get_layer("watch").mean), rel=1e-3) and found != 0


def test_batches_too_small_to_share():
    several = Distribution()
    several.name, several.num_replicas = "mirrored", 3
    few = Batches(lambda i: i, shuffled_plan(4, 2, seed=0), tf.TensorSpec([None], tf.int64), num_examples=4)
    with pytest.raises(ValueError, match="no batch has an example for each of the 3 replicas"):
        several.shared(few)
