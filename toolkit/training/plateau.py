"""A step size that falls where the validation loss no longer does."""

import sys

from toolkit.lazy import keras


def plateau(
    model, learning_rate: float, *, factor: float = 0.1, patience: int = 5, smallest_gain: float = 1e-4
) -> "keras.callbacks.Callback":
    """The callback that divides a model's step size where its validation loss stands still.

    `keras.callbacks.ReduceLROnPlateau` does so too, and forgets how long it has waited when a training is killed. Here
    that is in `variables`, which `Run.fit` keeps in each checkpoint.

    Args:
        model: The compiled model, its optimizer's step size a number, not a schedule.
        learning_rate: The first step size. A checkpoint holds how often it has fallen, so that a later command may ask
            for another one.
        factor: What the step size is multiplied by.
        patience: Epochs to wait for a lower loss.
        smallest_gain: How much lower counts.

    Returns:
        A `keras.callbacks.Callback` with `variables`.

    Raises:
        ValueError: Where a number makes no sense.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.5), loss="mse")
    >>> fall = plateau(model, 0.5, patience=2)
    >>> for epoch, loss in enumerate([1.0, 1.0, 1.0]):
    ...     fall.on_epoch_end(epoch, {"val_loss": loss})
    >>> round(float(model.optimizer.learning_rate), 6)
    0.05

    Reference: Krizhevsky, Sutskever, Hinton 2012, section 5; He et al. 2016, section 3.4.
    """
    if not 0 < factor < 1 or patience < 1:
        raise ValueError(f"factor must be between 0 and 1, and patience at least 1; got {factor} and {patience}.")

    class Plateau(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.lowest = keras.Variable(3e38, trainable=False, dtype="float32", name="lowest")
            self.waited = keras.Variable(0, trainable=False, dtype="int32", name="waited")
            self.falls = keras.Variable(0, trainable=False, dtype="int32", name="falls")
            self.variables = [self.lowest, self.waited, self.falls]

        def on_train_begin(self, logs=None):
            model.optimizer.learning_rate.assign(learning_rate * factor ** int(self.falls.numpy()))

        def on_epoch_end(self, epoch, logs=None):
            loss = (logs or {}).get("val_loss")
            if loss is None:
                return
            if loss < float(self.lowest.numpy()) - smallest_gain:
                self.lowest.assign(loss)
                self.waited.assign(0)
                return
            self.waited.assign(int(self.waited.numpy()) + 1)
            if int(self.waited.numpy()) >= patience:
                self.waited.assign(0)
                self.falls.assign(int(self.falls.numpy()) + 1)
                self.on_train_begin()
                rate = float(model.optimizer.learning_rate.numpy())
                print(f"validation loss stands still: step size {rate:.3g}", file=sys.stderr)

    return Plateau()
