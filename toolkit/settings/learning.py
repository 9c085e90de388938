"""Settings of networks and of how they learn, which several papers share."""

from toolkit.settings.fields import group, other, setting
from toolkit.settings.running import Run, Training


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
class Schedule(Optimizer):
    """The optimizer and the schedule of its step size."""

    momentum: float = setting(0.9, "of sgd and rmsprop", paper="0.9", minimum=0.0, maximum=1.0)
    weight_decay: float = setting(5e-4, "of kernels, for the loss of an example", minimum=0.0, maximum=10.0)
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
    decay_epochs: float = setting(8.0, "epochs to each factor", minimum=1e-3, maximum=1e6, changeable=True)
    optimizer: str = "sgd"
    learning_rate: float = other(0.1, help="largest step size of the schedule")

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where the momentum would never let go.
        """
        if self.momentum >= 1:
            raise ValueError(f"--momentum={self.momentum}: expected less than 1.")


@group
class ImageNetwork(Run):
    """The network that sees images."""

    architecture: str = setting(
        "resnet20",
        "alexnet, zfnet, vgg11 to 19, googlenet, inception_v2 to v4, inception_resnet_v2, resnet8 to 152, resnet18v2 "
        "to 152v2, plain18 to 56",
    )
    width: int | None = setting(
        None, "filters of the first convolution; left out: as published", minimum=1, maximum=512
    )
    stem: str | None = setting(
        None, "first layers; left out: small under 64 pixels, else imagenet", choices=("imagenet", "small")
    )
    weights: str = setting("", "to begin with: imagenet, or a file of Keras weights", changeable=True, path=True)


@group
class Recurrent(Run):
    """The recurrent network."""

    units: int = setting(256, "LSTM cells in each layer", minimum=1, maximum=8192)
    num_layers: int = setting(1, "LSTM layers", minimum=1, maximum=64)

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where the layers would fill any machine's memory.
        """
        num_weights = 8 * self.units**2 * self.num_layers
        if num_weights > 2e9:
            raise ValueError(
                f"--units={self.units} in --num_layers={self.num_layers} are {num_weights / 1e9:.0f} billion weights; "
                "at most 2 are allowed."
            )


@group
class ClippedRecurrent(Recurrent):
    """Graves' LSTMs."""

    peepholes: bool = setting(False, "the LSTMs' gates see their cell states", paper="they do")
    lstm_gradient_clip: float = setting(
        10.0,
        "limit of the derivatives inside the LSTMs, for nats a sequence; 0: none, and fused LSTMs where they have no "
        "peepholes",
        minimum=0.0,
        maximum=1e9,
    )


@group
class MixtureOutput(Run):
    """The mixture that is the output."""

    num_mixtures: int = setting(10, "Gaussians of the output", minimum=1, maximum=1000)
    output_gradient_clip: float = setting(
        100.0,
        "limit of the derivatives at the output, for nats a sequence; 0: none",
        paper="100",
        minimum=0.0,
        maximum=1e9,
    )
    bias: float = setting(0.0, "sampling bias: 0 as the data, 2 neat", minimum=0.0, maximum=20.0, changeable=True)


@group
class WeightNoise(Run):
    """Noise on the weights."""

    weight_noise: float = setting(
        0.0,
        "standard deviation of the noise on the weights in training; 0: none",
        paper="0.075",
        minimum=0.0,
        maximum=10.0,
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


@group
class StrokesNetwork(ClippedRecurrent, MixtureOutput, WeightNoise, FallingRate):
    """Graves' networks that write pen strokes, and how they learn: of sizes that two cores train in minutes."""

    units: int = other(160, paper="400")
    num_layers: int = other(2, paper="3")
    num_mixtures: int = other(10, paper="20")
    lstm_gradient_clip: float = other(10.0, paper="10")
    optimizer: str = other("adam", choices=("adam", "rmsprop"), paper="rmsprop, centred, with momentum")
    learning_rate: float | None = other(None, more="3e-3 for adam, 1e-4 for rmsprop", paper="1e-4")
