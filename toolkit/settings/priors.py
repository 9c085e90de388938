"""Settings of priors over codes, and of how what they draw is kept and judged."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Run, Sampling


@group
class CodePrior(Run):
    """The networks of the codes, one for each level."""

    prior: str | None = setting(
        None,
        "kind of network; of pixelsnails the top level's alone has attention; left out: pixelcnn for one level, "
        "pixelsnail for several",
        choices=("pixelcnn", "pixelsnail"),
    )
    condition: str = setting("label", "what the prior is told", choices=("none", "label"))
    filters: int = setting(64, "channels of the blocks", paper="VQ-VAE: 384; VQ-VAE-2: 512", minimum=1, maximum=8192)
    num_blocks: int = setting(8, "gated blocks", paper="20", minimum=1, maximum=1000)
    kernel_size: int = setting(
        5, "places that a block's convolution spans, in height and in width", paper="5", minimum=3, maximum=99
    )
    head_filters: int = setting(128, "channels before the logits of a pixelcnn", minimum=1, maximum=16_384)
    attention_every: int = setting(
        4, "gated blocks of a pixelsnail from one attention to the next", paper="5", minimum=1, maximum=1000
    )
    num_heads: int = setting(
        4, "heads of each attention, among which --filters are divided", paper="8", minimum=1, maximum=1024
    )
    num_output_blocks: int = setting(
        2, "residual blocks before the logits of a pixelsnail", paper="20", minimum=0, maximum=1000
    )
    num_context_blocks: int = setting(
        4, "residual blocks that see the codes of the levels above", paper="20", minimum=0, maximum=1000
    )
    dropout: float = setting(0.1, "share of the gated values that training leaves out", minimum=0.0, maximum=0.99)

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where a kernel has no middle, or the heads cannot share the channels.
        """
        if self.kernel_size % 2 == 0:
            raise ValueError(f"--kernel_size={self.kernel_size} must be odd.")
        if self.prior == "pixelsnail" and self.filters % self.num_heads:
            raise ValueError(f"--filters={self.filters} is no multiple of --num_heads={self.num_heads}.")


@group
class PriorTraining(Run):
    """The training of the prior."""

    prior_epochs: int = setting(
        10,
        "passes over the codes of the training data; a larger number trains on",
        minimum=1,
        maximum=1_000_000,
        changeable=True,
        remembered=True,
    )


@group
class JudgedImages(Run):
    """Comparing drawn images with real ones by the features of a classifier."""

    judge: str = setting(
        "",
        "workdir of image_classification, whose network judges images; empty: the one that comes with the code",
        changeable=True,
        path=True,
    )
    num_judged: int = setting(
        1000,
        "images that are drawn, and as many real ones, that are compared",
        minimum=4,
        maximum=1_000_000,
        changeable=True,
    )


@group
class ImageSampling(JudgedImages, Sampling):
    """Drawing images of classes."""

    classes: str = setting(
        "", "what --mode=sample draws, between commas; empty: each class in turn", changeable=True, maximum=10_000
    )
    temperature: float = setting(
        1.0, "1: as the prior expects; less: the likelier codes", minimum=0.0, maximum=100.0, changeable=True
    )
    keep: float = setting(
        1.0,
        "share of the images of --mode=sample that is kept, those that --judge is surest are of their class; "
        "0.25: four are drawn for each that is kept",
        minimum=0.01,
        maximum=1.0,
        changeable=True,
    )
    images: str = setting(
        "",
        "real images to compare drawn ones with: what was --data of the VQ-VAE; empty: no comparison",
        changeable=True,
        path=True,
    )
    score_epochs: int = setting(
        0,
        "epochs of the classification accuracy score: one classifier learns from drawn images, another from real ones, "
        "both are tested on real ones; 0: no such score",
        minimum=0,
        maximum=100_000,
        changeable=True,
    )
