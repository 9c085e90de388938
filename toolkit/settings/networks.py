"""Settings of networks that several papers share."""

from toolkit.settings.fields import group, other, setting
from toolkit.settings.learning import FallingRate
from toolkit.settings.lists import numbers
from toolkit.settings.running import Run


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
    weights: str = setting(
        "", "weights to begin with: imagenet, or a file of Keras weights", changeable=True, path=True
    )


@group
class SegmentationNetwork(Run):
    """The network that sees each pixel: of sizes that two cores train in minutes."""

    variant: str = setting("v3+", "of DeepLab", choices=("large_fov", "v2", "v3", "v3+"))
    backbone: str = setting("resnet18", "vgg11 to 19, resnet8 to 152, resnet18v2 to 152v2", paper="vgg16, resnet101")
    width: int | None = setting(
        16, "filters of the backbone's first convolution, which all others go with", paper="64", minimum=1, maximum=512
    )
    filters: int = setting(64, "channels of the pyramid and the decoder", paper="256", minimum=1, maximum=4096)
    output_stride: int = setting(
        8, "the image's height over that of the last features", paper="8, 16", minimum=1, maximum=32
    )
    rates: str = setting(
        "3,6,12",
        "dilation rates of the pyramid, between commas; empty: the paper's",
        paper="6,12,18 at 16, 12,24,36 at 8",
        maximum=60,
    )
    weights: str = setting(
        "",
        "the backbone's weights to begin with: imagenet, a file of Keras weights, or the workdir of an "
        "image_classification",
        changeable=True,
        path=True,
    )
    frozen_normalization: bool = setting(False, "the backbone's normalization stays as --weights brought it")

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where the rates are none, or normalization without weights is to stay.
        """
        numbers(self.rates, "rates", int)
        if self.frozen_normalization and not self.weights:
            raise ValueError("--frozen_normalization is for --weights, which bring what is frozen.")

    def network(self) -> dict:
        """Gives what `models.deeplab.deeplab` is asked for, but for the weights, by its arguments' names."""
        names = ("variant", "backbone", "width", "filters", "output_stride", "frozen_normalization")
        return {**self.only(*names), "rates": numbers(self.rates, "rates", int) or None}


@group
class DenseCRF(Run):
    """The dense CRF that follows in testing."""

    crf: bool = setting(True, "labels are drawn to the image's edges", changeable=True)
    crf_iterations: int = setting(10, "mean-field iterations", paper="10", minimum=1, maximum=1000, changeable=True)
    crf_position_stddev: float | None = setting(
        None,
        "standard deviation of the kernel over places, in pixels; left out: as --mode=tune_crf found, else 50",
        paper="30 to 100",
        minimum=0.1,
        maximum=1e4,
        changeable=True,
        remembered=True,
    )
    crf_color_stddev: float | None = setting(
        None,
        "standard deviation over colours, in grey levels; left out: as --mode=tune_crf found, else 5",
        paper="3 to 6",
        minimum=0.1,
        maximum=1e3,
        changeable=True,
        remembered=True,
    )
    crf_bilateral_weight: float | None = setting(
        None,
        "weight of the kernel over places and colours; left out: as --mode=tune_crf found, else 4",
        paper="3 to 6",
        minimum=0.0,
        maximum=1e3,
        changeable=True,
        remembered=True,
    )
    crf_images: int = setting(
        20, "validation images of --mode=tune_crf", paper="100", minimum=1, maximum=1_000_000, changeable=True
    )

    def crf_numbers(self, found: dict) -> dict:
        """Gives the numbers of `layers.DenseCRF` and `layers.LocalCRF`, by their arguments' names.

        Args:
            found: Those of a search, for what is left out here; without them the papers' are taken.
        """
        usual = {"position_stddev": 50.0, "color_stddev": 5.0, "bilateral_weight": 4.0}
        given = {name: getattr(self, f"crf_{name}") for name in usual}
        return {name: found.get(name, usual[name]) if value is None else value for name, value in given.items()}


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
class StartFrom(Run):
    """A network to go on from."""

    start_from: str = setting(
        "",
        "folder of a trained network of these sizes, whose weights to begin with: a workdir, or one of saved_models/",
        path=True,
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


@group
class CausalNetwork(Run):
    """The network of dilated causal convolutions: of sizes that two cores train in minutes."""

    num_layers: int = setting(10, "blocks of dilated convolutions", paper="30", minimum=1, maximum=1000)
    num_stacks: int = setting(
        1,
        "stacks that the blocks are divided into; in each the dilations are 1, 2, 4 and so on",
        paper="3",
        minimum=1,
        maximum=1000,
    )
    kernel_size: int = setting(2, "samples that a block's convolution reads", paper="2", minimum=2, maximum=64)
    filters: int = setting(32, "channels of the blocks", paper="32", minimum=1, maximum=4096)
    skip_filters: int = setting(128, "channels of the skip connections", paper="512", minimum=1, maximum=16_384)
    num_levels: int = setting(256, "levels that a sample is rounded to", paper="256", minimum=2, maximum=65_536)

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where the blocks are no whole stacks, or a stack reaches beyond any recording.
        """
        if self.num_layers % self.num_stacks or self.num_layers // self.num_stacks > 24:
            raise ValueError(
                f"--num_layers={self.num_layers} must be --num_stacks={self.num_stacks} times 1 to 24 blocks."
            )

    @property
    def dilations(self) -> list[int]:
        """Of each block."""
        return [2**number for number in range(self.num_layers // self.num_stacks)] * self.num_stacks

    @property
    def context(self) -> int:
        """Samples before the first that the network predicts from all that it can see."""
        return (self.kernel_size - 1) * sum(self.dilations)

    def blocks(self) -> dict:
        """Gives what each network of such blocks is asked for, by their arguments' names."""
        names = ("filters", "skip_filters", "kernel_size", "num_levels")
        return {"dilations": self.dilations, **self.only(*names)}


@group
class Frames(Run):
    """The frames of sound."""

    hop: int = setting(80, "samples of a frame, which has one unit", paper="80, 5 ms", minimum=1, maximum=100_000)


@group
class SpeakingNetwork(CausalNetwork):
    """The network of dilated causal convolutions, and what it is told."""

    condition_size: int = setting(
        16, "channels of the vectors that stand for the speaker and for what is said", minimum=1, maximum=4096
    )
    num_context_layers: int = setting(
        1, "convolutions through which what is said is seen with its neighbours", minimum=0, maximum=100
    )


@group
class LatentNetwork(Run):
    """The variational autoencoder: of sizes that two cores train in minutes."""

    network: str = setting(
        "convolutional",
        "two dense layers; three convolutions; or four, strided, as in the study of disentanglement",
        choices=("dense", "convolutional", "strided"),
    )
    units: int = setting(16, "channels of the first convolutions", paper="32", minimum=1, maximum=4096)
    latent_size: int = setting(20, "numbers of a code", paper="20", minimum=2, maximum=65_536)

    def sizes(self) -> dict:
        """Gives what `models.vae.vae` is asked for, but for the decoder, by its arguments' names."""
        return self.only("network", "units", "latent_size")
