"""Settings of the data, by domain."""

import re

from toolkit.settings.fields import group, quoted, setting
from toolkit.settings.lists import sizes
from toolkit.settings.running import Run


def _check_share(held_out):
    """Refuses the two ends of the range, which no minimum can leave out."""
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share over 0 and under 0.5.")


def _check_pixels(settings, asked, num_pixels):
    """Refuses a batch that would fill any machine's memory; without batches an example counts."""
    batch_size = getattr(settings, "batch_size", 1)
    billions = num_pixels * batch_size / 1e9
    if billions > 1:
        raise ValueError(
            f"{asked} in a --batch_size of {batch_size} are {billions:.0f} billion pixels; at most 1 is allowed."
        )


@group
class Strokes(Run):
    """The pen strokes."""

    data: str = setting(
        "embedded",
        "pen strokes: embedded[:LINES], iam:FOLDER, inkml:PATH, omniglot:ZIP_OR_FOLDER, quickdraw:PATH, "
        "sketch_rnn:PATH, json:PATH or npy:FOLDER",
        path=True,
    )
    spacing: float = setting(
        0.0, "pen units between the points of a stroke, which is resampled; 0: as recorded", minimum=0.0, maximum=1e6
    )
    max_points: int = setting(320, "longest line trained on, in pen points", minimum=2, maximum=100_000)
    skip_corrupt: bool = setting(False, "leave out files that cannot be read, and say which")

    def reading(self) -> dict:
        """Gives what `data.strokes.load` is asked for, but for the batch size, by its arguments' names."""
        return {"source": self.data, "text": False, **self.only("seed", "spacing", "max_points", "skip_corrupt")}


@group
class WrittenStrokes(Strokes):
    """The texts in pen strokes."""

    data: str = setting(
        "embedded",
        "pen strokes with text: embedded[:LINES[:WRITERS]], iam:FOLDER, inkml:PATH (words), inkml_whole:PATH "
        "(sentences), json:PATH (recordings) or npy:FOLDER",
        path=True,
    )
    points_per_character: float = setting(
        0.0, "pen points that a character has on average, by resampling; 0: as --spacing says", minimum=0.0, maximum=1e6
    )
    alphabet: str = setting("", "every character that a text may have")
    max_characters: int = setting(40, "longest text trained on, in characters", minimum=1, maximum=10_000)

    def reading(self) -> dict:
        """Gives what `data.strokes.load` is asked for, but for the batch size, by its arguments' names."""
        return {**super().reading(), "text": True, **self.only("points_per_character", "alphabet", "max_characters")}


@group
class Text(Run):
    """The text."""

    data: str = setting(
        "embedded",
        "text: embedded[:python], text:FILE, text:TRAIN[,VALIDATION],TEST, ptb:FOLDER or tfds:NAME",
        path=True,
    )
    level: str = setting("char", "what a token is", choices=("char", "byte", "word"))
    encoding: str = setting("utf-8", "of text files, such as latin-1 or utf-16")
    held_out: float = setting(0.1, "share of a text without a test part that becomes one", minimum=0.0, maximum=0.9)
    vocabulary_size: int = setting(
        10_000,
        "most frequent words, which are known, the others are <unk>; more than there are: all",
        minimum=2,
        maximum=10_000_000,
    )


@group
class Images(Run):
    """The images."""

    data: str = setting(
        "embedded",
        "images with a class: embedded[:shapes or :textures], folder:FOLDER, idx:FOLDER as MNIST, keras:NAME, "
        "tfds:NAME or npz:FILE",
        path=True,
    )
    image_size: int | None = setting(
        None,
        "pixels of height and width; left out: 16 for embedded digits, 64 for embedded:shapes, else 32 or, of the "
        "larger networks, as published",
        minimum=1,
        maximum=2048,
    )
    held_out: float = setting(
        0.1, "share of the training images that validates, where no part does", minimum=0.0, maximum=0.5
    )
    skip_corrupt: bool = setting(False, "leave out files that cannot be read, and say which")

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where nothing, or half of the images and more, would be held out, or where a batch of images
                would fill any machine's memory.
        """
        _check_pixels(self, f"--image_size={self.image_size}", (self.image_size or 1) ** 2)
        _check_share(self.held_out)

    @property
    def digits(self) -> bool:
        """Whether these are the embedded digits, which are grey; other embedded images are in colour."""
        reader, _, rest = self.data.partition(":")
        return reader == "embedded" and not rest[:1].isalpha()

    @property
    def embedded_size(self) -> int | None:
        """Pixels of height and width of embedded images, of others None."""
        return 16 if self.digits else 64 if self.data.startswith("embedded:") else None


@group
class NamedImages(Run):
    """Images of one's own."""

    images: str = setting("", "files that --mode=sample looks at, between commas", changeable=True)


@group
class Augmentation(Run):
    """The changes of training images."""

    crop: str = setting(
        "shift",
        "what is seen of a training image: shift: it, moved by up to an eighth; window: a square of a larger one, as "
        "in AlexNet; area: 8 to 100 % of that, as in GoogLeNet",
        choices=("none", "shift", "window", "area"),
    )
    flip: bool = setting(False, "training images are mirrored half of the time")
    color: float = setting(
        0.0, "largest change of brightness, contrast and saturation, as a share", minimum=0.0, maximum=1.0
    )
    lighting: float = setting(
        0.0, "standard deviation of AlexNet's change of light", paper="0.1", minimum=0.0, maximum=10.0
    )
    erasing: float = setting(0.0, "share of the training images with a part erased", minimum=0.0, maximum=1.0)

    def changes(self) -> dict:
        """Gives what `data.images.Augmentation` is asked for, by its arguments' names."""
        return self.only("crop", "flip", "color", "lighting", "erasing")


@group
class Masks(Run):
    """The images and the classes of their pixels."""

    data: str = setting(
        "embedded",
        "images with masks: embedded[:SCENES[:SIDE]], voc:FOLDER, folder:FOLDER of images and masks, or tfds:NAME",
        path=True,
    )
    image_size: int | None = setting(
        None,
        "pixels of the images' shorter side, to which they are resized; left out: as they are",
        minimum=8,
        maximum=4096,
    )
    crop_size: str = setting(
        "", "HEIGHTxWIDTH of the part that a training step sees; empty: all, where the images are alike", maximum=20
    )
    ignored: str = setting(
        "", "numbers in the masks that are no class, beside 255, between commas, such as 11 of CamVid", maximum=1000
    )
    class_names: str = setting(
        "", "of the masks' numbers from 0 on, between commas; empty: as class_names.txt in the folder has them"
    )
    from_palette: bool = setting(False, "masks saved as colours are read by PASCAL VOC's palette")
    held_out: float = setting(
        0.1, "share of the training images that validates, where no part does", minimum=0.0, maximum=0.5
    )
    skip_corrupt: bool = setting(False, "leave out files that cannot be read, and say which")

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where nothing, or half of the images and more, would be held out, or a batch would fill any
                machine's memory.
        """
        if not all(re.fullmatch("[0-9]{1,3}", word) for word in _words(self.ignored)):
            raise ValueError(f"--ignored must be numbers of 0 to 255 between commas; got {quoted(self.ignored)}.")
        height, width = self._crop or (64, 64)
        _check_pixels(self, f"--crop_size={self.crop_size}", height * width)
        _check_share(self.held_out)

    @property
    def _crop(self):
        return next(iter(sizes(self.crop_size, "crop_size", 9999)), None)

    def reading(self) -> dict:
        """Gives what `data.masks.load` is asked for, but for the batch size, by its arguments' names."""
        return {
            "source": self.data,
            "crop_size": self._crop,
            "ignored": tuple(map(int, _words(self.ignored))),
            "class_names": _words(self.class_names) or None,
            **self.only("image_size", "from_palette", "seed", "held_out", "skip_corrupt"),
        }


def _words(text):
    return tuple(word.strip() for word in text.split(",")) if text else ()


@group
class MaskAugmentation(Run):
    """The changes of training images and their masks."""

    smallest_scale: float = setting(
        0.5, "least factor by which training images are resized at random", paper="0.5", minimum=0.1, maximum=1.0
    )
    largest_scale: float = setting(2.0, "greatest such factor", paper="2, 1.5", minimum=1.0, maximum=8.0)
    flip: bool = setting(True, "training images are mirrored half of the time; in testing both are looked at")
    color: float = setting(
        0.2, "largest change of brightness, contrast and saturation, as a share", minimum=0.0, maximum=1.0
    )

    def changes(self) -> dict:
        """Gives what `data.masks.Augmentation` is asked for, by its arguments' names."""
        return self.only("smallest_scale", "largest_scale", "flip", "color")


@group
class Speech(Run):
    """The recordings."""

    data: str = setting(
        "embedded",
        "speech: embedded[:MINUTES[:SPEAKERS]], folder:FOLDER, fsdd:FOLDER, vctk:FOLDER or emodb:FOLDER",
        path=True,
    )
    sample_rate: int = setting(
        8000, "Hz; what has another rate is resampled", paper="16000", minimum=1000, maximum=192_000
    )
    window: int = setting(
        4000,
        "samples of a recording in a training step; the first of them are context, which is read and not predicted",
        minimum=2,
        maximum=10_000_000,
    )
    names: str = setting(
        "",
        "of --data=folder: how a path tells unit and speaker, such as {unit}_{speaker}_{take}, {speaker}/{take}",
        maximum=1000,
    )
    trim: float = setting(
        0.0,
        "loudness, as a share of the loudest, below which a recording's ends are cut off as silence; 0: nothing",
        minimum=0.0,
        maximum=0.3,
    )
    peak: float = setting(
        0.0, "loudest sample, up to 1, to which each recording is scaled; 0: as recorded", minimum=0.0, maximum=1.0
    )
    held_out: float = setting(
        0.1, "share of the recordings that validates, and as much again that tests", minimum=0.0, maximum=0.5
    )
    held_out_speakers: int = setting(
        0, "speakers that validate, and as many others that test; 0: recordings do", minimum=0, maximum=100_000
    )
    skip_corrupt: bool = setting(False, "leave out files that cannot be read, and say which")

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where nothing, or half of the recordings and more, would be held out.
        """
        _check_share(self.held_out)

    def reading(self) -> dict:
        """Gives what `data.audio.load` is asked for, but for batch size and context, by its arguments' names."""
        names = ("sample_rate", "window", "names", "trim", "peak", "held_out", "held_out_speakers")
        return {"source": self.data, **self.only(*names, "seed", "skip_corrupt")}


@group
class Videos(Run):
    """The videos."""

    data: str = setting(
        "embedded:sprites",
        "videos: embedded:sprites[:CLIPS], npy:FILE as Moving MNIST, or folder:FOLDER of folders of frames or of GIFs",
        path=True,
    )
    num_frames: int = setting(16, "frames of a video that a training step sees", minimum=1, maximum=10_000)
    frame_step: int = setting(
        1, "from one of these frames to the next; 2: every second one is left out", minimum=1, maximum=10_000
    )
    image_size: int | None = setting(
        None,
        "pixels of height and width, to which the middle square of a frame is resized; left out: as they are",
        minimum=1,
        maximum=2048,
    )
    channels: int | None = setting(
        None, "1: grey, 3: in colour; left out: as the data is, grey for sprites", minimum=1, maximum=3
    )
    axes: str = setting(
        "auto",
        "of npy: whether the frames' axis comes first or the videos'; auto: the videos' is the longer one",
        choices=("auto", "time_first", "clips_first"),
    )
    held_out: float = setting(
        0.1,
        "share of the training videos that validates, and as much again that tests, where there are no such parts",
        minimum=0.0,
        maximum=0.5,
    )
    skip_corrupt: bool = setting(False, "leave out videos that cannot be read or are too short, and say which")

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where nothing, or half of the videos and more, would be held out, where channels are 2, or where
                a batch of windows would fill any machine's memory.
        """
        if self.channels == 2:
            raise ValueError("--channels must be 1 (grey) or 3 (in colour); got 2.")
        asked = f"--num_frames={self.num_frames} of --image_size={self.image_size}"
        _check_pixels(self, asked, (self.image_size or 1) ** 2 * self.num_frames)
        _check_share(self.held_out)

    def reading(self) -> dict:
        """Gives what `data.videos.load` is asked for, but for the batch size, by its arguments' names."""
        names = ("num_frames", "frame_step", "image_size", "channels", "axes", "held_out", "seed", "skip_corrupt")
        return {"source": self.data, **self.only(*names)}
