"""Settings of examples with a class that are held in memory."""

from toolkit.settings.fields import group, quoted, setting
from toolkit.settings.running import Run


@group
class Classified(Run):
    """The examples."""

    data: str = setting(
        "embedded",
        "examples with a class: embedded[:patients[:N]], mail:FOLDER of ham/ and spam/, or images as idx:FOLDER, "
        "npz:FILE, folder:FOLDER, keras:NAME or tfds:NAME",
        path=True,
    )
    classes: str = setting("", "those to take, between commas, such as 1,7; empty: all", maximum=10_000)
    num_train: int | None = setting(
        None, "training examples that are drawn; left out: all", minimum=2, maximum=100_000_000
    )
    image_size: int | None = setting(
        None,
        "pixels of height and width of images; left out: 8 of embedded digits, else 28",
        minimum=1,
        maximum=1024,
    )
    num_words: int = setting(
        1500, "words of a mail's bag: those that are in the most training mails", minimum=1, maximum=1_000_000
    )
    encoding: str = setting("latin-1", "of mail, such as utf-8; latin-1 takes any byte")
    held_out: float = setting(
        0.2,
        "share of the mail that tests; of images the share that does so where no part is there",
        minimum=0.0,
        maximum=0.5,
    )
    skip_corrupt: bool = setting(False, "leave out images that cannot be read, and say which")

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where nothing, or half and more, would be held out, or there are no classes between the commas.
        """
        if not 0 < self.held_out < 0.5:
            raise ValueError(f"--held_out={self.held_out}: expected a share over 0 and under 0.5.")
        if self.classes and not all(self.named_classes):
            raise ValueError(f"--classes must be names between commas, such as 1,7; got {quoted(self.classes)}.")

    @property
    def named_classes(self) -> tuple[str, ...]:
        """The classes to take; none: all."""
        return tuple(name.strip() for name in self.classes.split(",")) if self.classes else ()

    def reading(self) -> dict:
        """Gives what `data.classified.load` is asked for, by its arguments' names."""
        names = ("num_train", "image_size", "num_words", "encoding", "held_out", "skip_corrupt", "seed")
        return {"source": self.data, "classes": self.named_classes, **self.only(*names)}
