"""The step size, beside Keras' own callback, which has no memory to be restored."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit import settings
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.training import Run
from toolkit.training.plateau import plateau

INPUTS = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")


def batches():
    signature = (tf.TensorSpec([None, 3]), tf.TensorSpec([None, 1]))
    plan = shuffled_plan(len(INPUTS), 8, seed=0)
    return Batches(lambda i: (INPUTS[i], INPUTS[i, :1]), plan, signature, num_examples=len(INPUTS))


class Kill(keras.callbacks.Callback):
    """A power cut after some steps of the process, or in the first validation after them."""

    def __init__(self, after, in_validation=False):
        super().__init__()
        self.left, self.in_validation = after, in_validation

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0 and not self.in_validation:
            raise RuntimeError("power cut")

    def on_test_batch_end(self, batch, logs=None):
        if self.left <= 0 and self.in_validation:
            raise RuntimeError("power cut")


def compiled():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), loss="mse")
    return model


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_falls_when_keras_does(patience):
    losses = np.random.default_rng(1).uniform(0, 1, 40)
    rates = []
    for make in (
        lambda model: plateau(model, 0.5, patience=patience),
        lambda model: keras.callbacks.ReduceLROnPlateau(patience=patience, factor=0.1, min_delta=1e-4),
    ):
        model = compiled()
        callback = make(model)
        callback.set_model(model)
        callback.on_train_begin()
        found = []
        for epoch, loss in enumerate(losses):
            callback.on_epoch_end(epoch, {"val_loss": loss})
            found.append(float(model.optimizer.learning_rate))
        rates.append(found)
    np.testing.assert_allclose(*rates, rtol=1e-5)
    assert rates[0][-1] < 0.5


@pytest.mark.slow
def test_a_killed_training_waits_on(tmp_path):
    """Killed in steps, at an epoch's end and in validations, the step size falls as an undisturbed training's."""

    def train(name, *callbacks, rate=1e-9, epochs=6):
        run = Run(settings.Devices(workdir=str(tmp_path / name), epochs=epochs, checkpoint_minutes=0.0))
        with run.scope():
            model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
            model.compile(keras.optimizers.SGD(1e-9), loss="mse")  # so small that the loss stands still
        falls = plateau(model, rate, patience=2)
        try:
            run.fit(model, batches(), batches(), callbacks=(falls, *callbacks))
        finally:
            run.close()
        return [float(model.optimizer.learning_rate), int(falls.waited.numpy()), float(falls.lowest.numpy())]

    whole = train("whole")
    for kill in (Kill(5), Kill(6), Kill(4, in_validation=True), Kill(7, in_validation=True)):
        with pytest.raises(RuntimeError, match="power cut"):
            train("cut", kill)
    assert train("cut") == whole
    assert whole[:2] == [pytest.approx(1e-11, rel=1e-3), 1]
    assert train("cut", rate=1e-8, epochs=7)[0] == pytest.approx(1e-11, rel=1e-3)  # and falls a third time


@pytest.mark.parametrize("how", [{"factor": 1.0}, {"patience": 0}])
def test_bad_numbers(how):
    with pytest.raises(ValueError, match="factor must be between"):
        plateau(compiled(), 0.5, **how)
