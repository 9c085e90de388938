"""Settings of networks whose blocks learn from errors of their own."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Run

LOSSES = ("global", "pred", "sim", "predsim", "pred-bpf", "sim-bpf", "predsim-bpf")


@group
class LocalErrors(Run):
    """The blocks and their errors: of sizes that two cores train in minutes."""

    loss: str = setting(
        "predsim",
        "global: back-propagation through all blocks; or of each block alone, pred: the cross-entropy of a classifier "
        "of its own; sim: images as alike as their classes; predsim: both; -bpf: by random projections and fixed "
        "feedback instead of any back-propagation",
        choices=LOSSES,
    )
    architecture: str = setting("vgg8b", "blocks of the network", choices=("vgg8b", "vgg11b", "mlp"))
    width: int = setting(
        16, "filters of the first convolution, which the others go with", paper="128", minimum=1, maximum=2048
    )
    units: int = setting(128, "of each dense block", paper="1024; mlp of CIFAR 3000", minimum=1, maximum=65_536)
    dropout: float = setting(
        0.05,
        "share of a block's channels, of dense blocks numbers, that are not passed on in training",
        paper="0.025 to 0.3",
        minimum=0.0,
        maximum=0.99,
    )
    decoder_size: int = setting(
        1024,
        "numbers to which maps are averaged for a block's own classifier",
        paper="1024, 2048, 4096",
        minimum=1,
        maximum=1_000_000,
    )
    beta: float | None = setting(
        None,
        "weight of sim in predsim; left out: 0.99, of predsim-bpf 0.01",
        paper="0.99, 0.01",
        minimum=0.0,
        maximum=1.0,
    )
    projection_size: int = setting(
        128, "of -bpf: random numbers that stand for a class", paper="128", minimum=1, maximum=65_536
    )
    cutout: int = setting(
        0,
        "side of a square that is left out of each training image, in pixels; 0: none",
        paper="0; 14, 16, 48",
        minimum=0,
        maximum=2048,
    )
    one_pass: bool = setting(
        False, "compute all blocks' gradients together, all activations kept, and not block by block"
    )
    losses: str = setting("global,pred,sim,predsim", "of --mode=compare, between commas", changeable=True, maximum=1000)

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where a loss to compare is unknown, or blocks would learn from batches of one image, or from the
                angle between single numbers.
        """
        for name in self.losses.split(","):
            if name not in LOSSES:
                raise ValueError(f"--losses: {name!r} is none of {', '.join(LOSSES)}.")
        if getattr(self, "batch_size", 2) < 2:
            raise ValueError("--batch_size=1: what images of a batch have in common needs two of them.")
        if "sim" in self.loss and self.units < 2:
            raise ValueError(f"--units={self.units}: expected 2 or more, between which --loss={self.loss} has angles.")
        if self.loss in ("sim-bpf", "predsim-bpf") and self.projection_size < 2:
            raise ValueError(
                f"--projection_size={self.projection_size}: expected 2 or more, between which --loss={self.loss} has "
                "angles."
            )

    def network(self) -> dict:
        """Gives what `models.local_blocks.local_blocks` is asked for, but for the images, by its arguments' names."""
        names = ("architecture", "loss", "width", "units", "dropout", "decoder_size", "projection_size", "cutout")
        return self.only(*names)

    def learning(self) -> dict:
        """Gives what `methods.local_errors.compiled` is asked for, by its arguments' names."""
        return self.only("loss", "beta", "projection_size", "seed", "one_pass")
