"""Settings of networks and of how they learn, which several papers share."""

from toolkit.settings.fields import group, other, setting
from toolkit.settings.running import Run, Training


@group
class Optimizer(Training):
    """The optimizer."""

    optimizer: str = setting("adam", "how weights are changed", choices=("adam", "rmsprop", "sgd"))
    learning_rate: float | None = setting(
        None, "step size; left out: the optimizer's", minimum=0.0, changeable=True, remembered=True
    )


@group
class FallingRate(Optimizer):
    """The optimizer and its step size."""

    learning_rate: float | None = other(None, more="over the last third it falls to a thirtieth")


@group
class Recurrent(Run):
    """The recurrent network."""

    units: int = setting(256, "LSTM cells in each layer", minimum=1)
    num_layers: int = setting(1, "LSTM layers", minimum=1)


@group
class ClippedRecurrent(Recurrent):
    """Graves' LSTMs."""

    peepholes: bool = setting(False, "the LSTMs' gates see their cell states", paper="they do")
    lstm_gradient_clip: float = setting(
        10.0,
        "limit of the derivatives inside the LSTMs, for nats a sequence; 0: none, and fused LSTMs where they have no "
        "peepholes",
        minimum=0.0,
    )


@group
class MixtureOutput(Run):
    """The mixture that is the output."""

    num_mixtures: int = setting(10, "Gaussians of the output", minimum=1)
    output_gradient_clip: float = setting(
        100.0, "limit of the derivatives at the output, for nats a sequence; 0: none", paper="100", minimum=0.0
    )
    bias: float = setting(0.0, "sampling bias of --mode=sample: 0 as the data, 2 neat", minimum=0.0, changeable=True)


@group
class WeightNoise(Run):
    """Noise on the weights."""

    weight_noise: float = setting(
        0.0, "standard deviation of the noise on the weights in training; 0: none", paper="0.075", minimum=0.0
    )
    adaptive_weight_noise: bool = setting(
        False, "learn each weight's noise, which starts at 0.075, and add to the loss what the weights take to describe"
    )

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where both kinds of noise are asked for.
        """
        if self.weight_noise and self.adaptive_weight_noise:
            raise ValueError(
                f"--weight_noise={self.weight_noise} and --adaptive_weight_noise exclude each other: leave one out."
            )
