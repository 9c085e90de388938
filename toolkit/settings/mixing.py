"""Settings of the mixing of training images."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Training


@group
class Mixing(Training):
    """The mixing of training images with one another."""

    mixup: float = setting(
        0.0,
        "alpha of mixup: two images, and their labels, with shares of Beta(alpha, alpha); 0: none",
        paper="1 of CIFAR-10, 0.2 of ImageNet",
        minimum=0.0,
        maximum=1e6,
    )
    cutmix: float = setting(
        0.0,
        "alpha of CutMix: a rectangle of another image; with --mixup each is done half of the times; 0: none",
        paper="1",
        minimum=0.0,
        maximum=1e6,
    )
    mix_layer: str = setting(
        "",
        "layers, between commas, such as image,level_0: --mixup mixes the outputs of one of them at each step, which "
        "is manifold mixup",
        maximum=1000,
    )
    mix_per_example: bool = setting(False, "shares are drawn for each image, and not once for a batch")

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where images are to be mixed with none, or layers without --mixup or beside --cutmix.
        """
        asked = next((f"--{name}={getattr(self, name)}" for name in ("mixup", "cutmix") if getattr(self, name)), "")
        if asked and self.batch_size == 1:
            raise ValueError(f"{asked} mixes images of a batch: --batch_size=1 has no other one; give 2 or more.")
        if self.mix_layer and not self.mixup:
            raise ValueError(f"--mix_layer={self.mix_layer!r} needs --mixup=ALPHA, more than 0, such as 2.")
        if self.mix_layer and self.cutmix:
            raise ValueError("--mix_layer and --cutmix exclude each other: leave one out.")

    @property
    def mixes_images(self) -> bool:
        """Whether images are mixed before the network sees them."""
        return bool(self.mixup or self.cutmix) and not self.mix_layer

    @property
    def mix_layers(self) -> list[str]:
        """The layers at which a network mixes; none: it does not."""
        return self.mix_layer.split(",") if self.mix_layer else []
