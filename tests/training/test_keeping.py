"""What a stage is told while Keras fits, in which order."""

import keras
import numpy as np

from tests.training.shapes import INPUTS, TARGETS
from toolkit.training.keeping import callback
from toolkit.visualize.board import Board


class Told:
    """Stands for a stage and writes down what it is told."""

    def __init__(self):
        self.told, self.step, self.began_at, self.steps_per_epoch, self.writes = [], 0, 0, 2, True
        self.board, self.averaged = Board(None), self

    def show(self):
        self.told.append("averages")

    def hide(self):
        self.told.append("weights")

    def after_step(self, step, logs):
        self.step = step
        self.told.append(("step", step))

    def during_validation(self):
        self.told.append("validation")

    def after_epoch(self, train, validation):
        self.told.append(("epoch", sorted(train), sorted(validation)))

    def leave_if_signalled(self):
        self.told.append("signal?")


def test_steps_validation_epoch_pictures_and_replicas_in_their_order():
    stage, checked = Told(), []
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    keep = callback(stage, lambda: stage.told.append("pictures"), None, lambda variables: checked.append(stage.step))
    model.fit(
        INPUTS[:8], TARGETS[:8], batch_size=4, validation_data=(INPUTS[:4], TARGETS[:4]), callbacks=[keep], verbose=0
    )
    epoch = ("epoch", ["loss"], ["loss"])
    validated = ["averages", "validation", "weights"]
    assert stage.told == [("step", 1), ("step", 2), *validated, "averages", "pictures", epoch, "signal?"]
    assert checked == [0, 1, 2], "before a step's checkpoint could be written, and before the epoch's"
    assert np.isfinite(model.get_weights()[0]).all()
