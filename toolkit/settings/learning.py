"""Settings of how networks learn, which several papers share."""

from toolkit.settings.fields import group, other, setting
from toolkit.settings.running import Training


@group
class Optimizer(Training):
    """The optimizer."""

    optimizer: str = setting("adam", "how weights are changed", choices=("adam", "rmsprop", "sgd"))
    learning_rate: float | None = setting(
        None, "step size; left out: the optimizer's", minimum=1e-12, maximum=1e3, changeable=True, remembered=True
    )


@group
class FallingRate(Optimizer):
    """The optimizer and its step size."""

    learning_rate: float | None = other(None, more="over the last third it falls to a thirtieth")


@group
class FallingAdam(Training):
    """The step size of Adam."""

    learning_rate: float = setting(
        1e-3,
        "first step size; over the last third it falls to a thirtieth",
        minimum=1e-12,
        maximum=1e3,
        changeable=True,
        remembered=True,
    )


@group
class AveragedAdam(FallingAdam):
    """The step size of Adam, and the average of the weights."""

    ema_momentum: float = setting(
        0.0,
        "momentum of the weights' moving average, which is kept in their place; 0: none",
        minimum=0.0,
        maximum=0.99999,
    )

    def averaging(self) -> dict:
        """Gives what a Keras optimizer is asked for, by its arguments' names."""
        return {"use_ema": True, "ema_momentum": self.ema_momentum} if self.ema_momentum else {}


@group
class Schedule(Optimizer):
    """The optimizer and the schedule of its step size."""

    momentum: float = setting(0.9, "of sgd and rmsprop", paper="0.9", minimum=0.0, maximum=1.0)
    weight_decay: float = setting(
        5e-4, "of kernels, as a share of each that is added to its gradient", minimum=0.0, maximum=10.0
    )
    schedule: str = setting(
        "cosine",
        "of the step size: cosine, to 0; poly: to 0 as (1 - step / last)^0.9; steps: a tenth after 1/2 and 3/4; "
        "plateau: a tenth where validation stands still; exponential: --decay_rate each --decay_epochs; constant",
        choices=("cosine", "poly", "steps", "plateau", "exponential", "constant"),
    )
    warmup_epochs: float = setting(
        1.0, "epochs in which a cosine schedule rises", minimum=0.0, maximum=1e6, changeable=True
    )
    patience: int = setting(5, "epochs that --schedule=plateau waits", minimum=1, maximum=1_000_000, changeable=True)
    decay_rate: float = setting(0.96, "factor of --schedule=exponential", minimum=1e-6, maximum=1.0, changeable=True)
    decay_epochs: float = setting(
        8.0, "epochs from one such factor to the next", minimum=1e-3, maximum=1e6, changeable=True
    )
    optimizer: str = "sgd"
    learning_rate: float = other(0.1, help="largest step size of the schedule")

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where the momentum would never let go.
        """
        if self.momentum >= 1:
            raise ValueError(f"--momentum={self.momentum}: expected less than 1.")
