"""Settings of drawn characters of many classes."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Run


@group
class Characters(Run):
    """The drawn characters."""

    data: str = setting(
        "embedded:glyphs",
        "characters: embedded:glyphs[:CLASSES], omniglot:TRAIN,TEST of two zips or folders of Omniglot's images, or "
        "omniglot:PATH of one, or of a folder with images_background and images_evaluation",
        path=True,
    )
    image_size: int = setting(28, "pixels of height and width", paper="28", minimum=8, maximum=256)
    rotations: bool = setting(
        True, "each training class becomes four, turned by 0, 90, 180 and 270 degrees", paper="yes"
    )
    held_out: float = setting(
        0.1,
        "share of the classes that validates; without a second set, as much again tests",
        minimum=0.001,
        maximum=0.4,
    )

    def reading(self) -> dict:
        """Gives what `data.characters.load` is asked for, but for the batch size, by its arguments' names."""
        return {"source": self.data, **self.only("image_size", "rotations", "held_out", "seed")}
