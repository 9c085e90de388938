"""Averages of the weights, beside NumPy's of the weights after each step; the training is what it is without them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.resume import check_same_checkpoints
from tests.training.shapes import INPUTS, TARGETS, Example, batches, network
from toolkit.training import Run
from toolkit.training.averaging import AveragedWeights
from toolkit.training.stage import Interrupted

MOMENTUM = 0.9


class Record(keras.callbacks.Callback):
    """Writes down the weights after each step, in each validation and after each epoch, and what it found."""

    def __init__(self):
        super().__init__()
        self.variables = []  # so it comes before what keeps the training
        self.first, self.steps, self.validations, self.epochs, self.losses = [], [], [], [], []

    def on_train_begin(self, logs=None):
        self.first = self.first or values(self.model.trainable_variables)

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(values(self.model.trainable_variables))

    def on_test_batch_end(self, batch, logs=None):
        self.validations.append(values(self.model.trainable_variables))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(values(self.model.trainable_variables))
        self.losses.append((logs or {}).get("val_loss"))


class Terminate(keras.callbacks.Callback):
    """Sends SIGTERM at some event of the process."""

    def __init__(self, event, number):
        super().__init__()
        self.left = number
        setattr(self, event, self.count)

    def count(self, *_, **__):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGTERM)


def values(variables):
    return [np.array(each) for each in variables]


def averages(record):
    """The running average after each step, which begins with the first step's weights."""
    found, before = [], record.first
    for weights in record.steps:
        if np.array_equal(weights[0], before[0]):  # a step that mixed_float16's loss scaling left out
            found.append(found[-1] if found else weights)
        elif np.array_equal(before[0], record.first[0]):
            found.append(weights)
        else:
            found.append([MOMENTUM * old + (1 - MOMENTUM) * new for old, new in zip(found[-1], weights, strict=True)])
        before = weights
    return found


def check_same(one, other, rtol=0.0):
    for left, right in zip(one, other, strict=True):
        np.testing.assert_allclose(left, right, rtol=rtol, atol=1e-7 if rtol else 0)


def stored(folder, name, part):
    with np.load(folder / "checkpoints" / "model" / f"{name}.npz") as file:
        return [file[key] for key in sorted(file.files) if key.startswith(f"{part}/")]


def train(folder, *callbacks, use_ema=True, epochs=3, validation=True, pictures=None, mode="min", **how):
    run = Run(Example(workdir=str(folder), epochs=epochs, **how))
    with run.scope():
        model = network(run.settings)
        adam = keras.optimizers.Adam(0.02, use_ema=use_ema, ema_momentum=MOMENTUM)
        model.compile(adam, loss="mse", jit_compile=False)
    draw = (lambda: pictures(model) or {}) if pictures else None
    held_out = batches() if validation else None
    try:
        run.fit(model, batches(), held_out, callbacks=callbacks, pictures=draw, mode=mode)
    finally:
        run.close()
    return model, run


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_averages_are_validated_drawn_and_kept_and_the_weights_train_on(tmp_path, precision):
    """With the highest loss as the best, which is that of the first epoch."""
    record, plain, drawn = Record(), Record(), []
    draw = lambda model: drawn.append(values(model.trainable_variables))  # noqa: E731
    model, run = train(tmp_path / "one", record, pictures=draw, mode="max", precision=precision)
    train(tmp_path / "plain", plain, use_ema=False, precision=precision)
    for left, right in zip(record.steps, plain.steps, strict=True):
        check_same(left, right)
    for left, right in zip(record.epochs, plain.epochs, strict=True):
        check_same(left, right)
    expected = averages(record)
    ends = expected[4::5]
    assert len(ends) == 3 and len(record.validations) == 15
    for number, found in enumerate(record.validations):
        check_same(found, ends[number // 5], rtol=1e-5)
    for found, end in zip(drawn, ends, strict=True):
        check_same(found, end, rtol=1e-5)
    for loss, (kernel, bias, last_kernel, last_bias) in zip(record.losses, ends, strict=True):
        predicted = (INPUTS @ kernel + bias) @ last_kernel + last_bias
        assert loss == pytest.approx(np.mean((predicted - TARGETS) ** 2), rel=1e-5 if precision == "float32" else 0.01)
    trained = [index for index, each in enumerate(model.variables) if each.trainable]
    check_same([stored(tmp_path / "one", "latest", "model")[index] for index in trained], record.steps[-1])
    kept = stored(tmp_path / "one", "latest", "optimizer")
    for average in ends[-1]:
        assert any(each.shape == average.shape and np.allclose(each, average, rtol=1e-5) for each in kept)
    check_same([stored(tmp_path / "one", "best", "model")[index] for index in trained], ends[0], rtol=1e-5)
    check_same(values(model.trainable_variables), ends[0], rtol=1e-5)
    check_same(values(run.load().trainable_variables), ends[0], rtol=1e-5)


def test_without_validation_the_last_averages_are_the_best(tmp_path):
    record = Record()
    model, _ = train(tmp_path, record, validation=False, epochs=1)
    check_same(values(model.trainable_variables), averages(record)[-1], rtol=1e-5)
    model, run = train(tmp_path, record, validation=False, epochs=2)
    for found in (model, run.load()):
        check_same(values(found.trainable_variables), averages(record)[-1], rtol=1e-5)


def test_without_averages_there_are_no_other_files(tmp_path):
    train(tmp_path, use_ema=False, validation=False, epochs=1)
    assert [path.name for path in (tmp_path / "checkpoints").rglob("*.npz")] == ["latest.npz"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, values(train(folder)[0].variables)


@pytest.mark.parametrize(
    ("event", "number"),
    [("on_train_batch_end", 7), ("on_train_batch_begin", 10), ("on_test_batch_begin", 7), ("on_test_end", 2)],
)
def test_a_signal_in_steps_in_a_validation_and_at_an_epochs_end(tmp_path, whole, event, number):
    folder, expected = whole
    with pytest.raises(Interrupted):
        train(tmp_path, Terminate(event, number))
    check_same(values(train(tmp_path)[0].variables), expected)
    check_same_checkpoints(folder, tmp_path)


def test_more_epochs_train_on_from_the_weights(tmp_path, whole):
    folder, expected = whole
    train(tmp_path, epochs=1)
    check_same(values(train(tmp_path)[0].variables), expected)
    check_same_checkpoints(folder, tmp_path)


def built(optimizer, *variables):
    optimizer.build(list(variables))
    return optimizer


def test_each_optimizer_averages_what_it_trains_from_its_first_step_on():
    """In an order of its own; one that has taken no step has no averages yet."""
    weights = [keras.Variable([float(number)]) for number in range(4)]
    how = {"learning_rate": 1.0, "use_ema": True, "ema_momentum": 0.5}
    some = built(keras.optimizers.SGD(**how), weights[2], weights[0])
    later = built(keras.optimizers.SGD(**how), weights[1])
    averaged = AveragedWeights([some, later, built(keras.optimizers.SGD(), weights[3])])
    for _ in range(2):
        some.apply([np.ones(1, "float32"), -np.ones(1, "float32")])
    before = [0.0 + 2, 1.0, 2.0 - 2, 3.0]
    averaged.show()
    averaged.show()
    assert [float(each[0]) for each in weights] == [1.5, 1.0, 0.5, 3.0]
    averaged.hide()
    averaged.hide()
    some.finalize_variable_values(weights)
    assert [float(each[0]) for each in weights] == before
    assert averaged and not AveragedWeights([keras.optimizers.SGD()])


MIRRORS = """
import sys
sys.path.insert(0, "tests/training")
import keras
from shapes import Example, batches, network
from toolkit.training import Run
how = {} if sys.argv[1] == "1" else {"strategy": "mirrored", "num_replicas": 2}
run = Run(Example(workdir=sys.argv[2], epochs=2, **how))
with run.scope():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02, use_ema=True, ema_momentum=0.9), loss="mse")
run.fit(model, batches(), batches())
"""


@pytest.mark.slow
def test_replicas_average_as_one_device_does(tmp_path):
    root = Path(__file__).resolve().parents[2]
    for number in "12":
        command = [sys.executable, "-c", MIRRORS, number, str(tmp_path / number)]
        how = {"cwd": root, "env": {**os.environ, "PYTHONPATH": str(root)}, "capture_output": True, "text": True}
        done = subprocess.run(command, timeout=200, check=False, **how)
        assert done.returncode == 0, done.stderr
    for name in ("best", "latest"):
        for part in ("model", "optimizer") if name == "latest" else ("model",):
            check_same(stored(tmp_path / "2", name, part), stored(tmp_path / "1", name, part), rtol=1e-4)
