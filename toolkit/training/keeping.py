"""The Keras callback through which `fit` keeps a stage."""

from toolkit.lazy import keras
from toolkit.training.norms import weight_norms
from toolkit.training.stage import Stage


def callback(stage: Stage, pictures=None, gradient_norms=None, check_replicas=None) -> "keras.callbacks.Callback":
    """The Keras callback that keeps a stage while `fit` runs.

    Args:
        stage: The stage.
        pictures: Called after each epoch, to show how the training stands.
        gradient_norms: `GradientNorms` to measure in each epoch's last step.
        check_replicas: Called with the model's variables after the first steps and before an epoch's checkpoint;
            raises where replicas went apart.

    Returns:
        A `keras.callbacks.Callback`; its `close_epoch(train, validation)` ends an epoch whose steps were done before.
    """

    class Keep(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.first = stage.step

        def on_train_batch_begin(self, batch, logs=None):
            left = stage.steps_per_epoch - (self.first + batch) % stage.steps_per_epoch
            if gradient_norms is not None and left <= self.model.steps_per_execution:
                gradient_norms.wanted.assign(True)

        def on_train_batch_end(self, batch, logs=None):
            done = self.first + batch + 1 - stage.began_at
            if check_replicas is not None and done & (done - 1) == 0:  # 1, 2, 4, 8 ...: soon, and then seldom
                check_replicas(self.model.variables)
            stage.after_step(self.first + batch + 1, logs)

        def on_test_begin(self, logs=None):
            stage.averaged.show()

        def on_test_batch_end(self, batch, logs=None):
            stage.during_validation()

        def on_test_end(self, logs=None):
            stage.averaged.hide()

        def on_epoch_end(self, epoch, logs=None):
            if check_replicas is not None:
                check_replicas(self.model.variables)
            if gradient_norms is not None:
                stage.board.scalars("train", gradient_norms.read(), stage.step)
                gradient_norms.wanted.assign(False)
            train = {key: float(value) for key, value in logs.items() if not key.startswith("val_")}
            validation = {key[4:]: float(value) for key, value in logs.items() if key.startswith("val_")}
            self.close_epoch(train, validation)

        def close_epoch(self, train, validation):
            rate = self.model.optimizer.learning_rate
            stage.board.scalars("train", {"learning_rate": float(keras.ops.convert_to_numpy(rate))}, stage.step)
            if stage.writes:
                stage.board.scalars("train", weight_norms(self.model), stage.step)
            if pictures is not None:  # before the checkpoint, which so holds what they drew at random
                stage.averaged.show()
                pictures()
            stage.after_epoch(train, validation)
            stage.leave_if_signalled()

    return Keep()
