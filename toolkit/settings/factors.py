"""Settings of images whose factors of variation are known."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Run


@group
class Factors(Run):
    """The images of known factors."""

    data: str = setting(
        "embedded:sprites",
        "images of known factors: embedded:sprites[:SIZES], dsprites:FILE, shapes3d:FILE or small_norb:FOLDER",
        path=True,
    )
    variant: str = setting(
        "plain",
        "what is added to grey images at random: color: a colour; noisy: noise where it is black; scream: a patch of a "
        "picture behind the sprite",
        choices=("plain", "color", "noisy", "scream"),
    )
    scream: str = setting("", "file of the picture of --variant=scream", path=True)
    held_out: float = setting(
        0.0,
        "share of the combinations of factors that validates, and as much again that tests; 0: all are trained on",
        paper="0",
        minimum=0.0,
        maximum=0.4,
    )

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where there is a picture without --variant=scream, or none with it.
        """
        if bool(self.scream) != (self.variant == "scream"):
            raise ValueError("--scream is the picture behind the sprites of --variant=scream: name both, or neither.")

    def reading(self) -> dict:
        """Gives what `data.factors.load` is asked for, but for the batch size, by its arguments' names."""
        return {"source": self.data, **self.only("variant", "scream", "held_out", "seed")}
