"""Readers of images with the class of each pixel: scenes, Pascal VOC's layout, folders, TensorFlow Datasets."""

import pathlib
import re
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from toolkit.data import tfds
from toolkit.data.masks import folders, voc
from toolkit.data.masks.files import Arrays, Example, Pair, palette_of, voc_palette
from toolkit.data.masks.folders import class_names, existing
from toolkit.data.scenes.generator import Generator
from toolkit.data.scenes.scene import CLASSES
from toolkit.files import limits

Palette = tuple[tuple[int, int, int], ...]
_SCENES, _SIDE = 1200, 64
_MOST_SCENES = 1_000_000
_HELD_OUT = 12  # one of so many scenes validates, another tests


class Found(NamedTuple):
    """What a reader returns.

    Args:
        examples: By split.
        class_names: By number as the masks have them; none: nobody says.
        unpaired: Images without a mask and masks without an image, with why.
        left_out: What was found and is not read, each with its path and why.
        says: Who names the classes, for messages.
    """

    examples: dict[str, Sequence[Example]]
    class_names: Sequence[str] = ()
    unpaired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    says: str = ""


class _Scene(NamedTuple):
    """A scene, made when it is read."""

    generator: Generator
    number: int

    @property
    def name(self):
        return f"scene {self.number}"

    def size(self):
        return self.generator.side, self.generator.side

    def read(self, size=None):
        made = self.generator(0, self.number)
        pixels = np.concatenate([made.image, made.labels[..., None].astype("uint8")], axis=2)
        return Arrays(self.name, pixels).read(size)


def _embedded(rest, **_):
    found = re.fullmatch("([0-9]{1,9})?(?::([0-9]{1,3}))?", rest)
    number, side = (int(found[1] or _SCENES), int(found[2] or _SIDE)) if found else (0, 0)
    if not (3 <= number <= _MOST_SCENES and 32 <= side <= 256):
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded[:SCENES[:SIDE]], 3 to {_MOST_SCENES:,} scenes of 32 to "
            "256 pixels."
        )
    held_out = max(1, number // _HELD_OUT)
    scenes = [_Scene(Generator(side), each) for each in range(number)]
    cuts = {"test": scenes[:held_out], "validation": scenes[held_out : 2 * held_out], "train": scenes[2 * held_out :]}
    return Found({split: cuts[split] for split in ("train", "validation", "test")}, CLASSES)


def _voc(rest, *, palette, **_):
    here = voc.place(existing(rest, "voc", voc.LAYOUT))
    found = voc.listed(here)
    names, says = class_names(here)
    if not names and found.pairs["train"] and palette_of(found.pairs["train"][0][1])[:21] == voc_palette()[:21]:
        names, says = voc.CLASS_NAMES, "VOC's palette"
    return _of_files(found, names, says, palette)


def _folder(rest, *, palette, **_):
    root = existing(rest, "folder", folders.LAYOUT)
    return _of_files(folders.paired(root), *class_names(root), palette)


def _of_files(found, names, says, palette):
    examples = {s: [Pair(image, mask, palette) for image, mask in pairs] for s, pairs in found.pairs.items()}
    return Found(examples, names, found.unpaired, found.left_out, says)


def _tfds(rest, **_):
    found = tfds.data_set(rest, such_as="oxford_iiit_pet")
    if not {"image", "segmentation_mask"} <= set(found.features):
        raise found.lacks("image with a segmentation_mask")
    examples = {}
    for split in found.parts:
        # On disk: the system reads what is needed, and the file is gone with the process.
        with tempfile.TemporaryFile() as file:
            shapes = []
            for number, example in enumerate(found.examples(split)):
                packed = _packed(example, f"--data=tfds:{rest}, {split} example {number}")
                shapes.append(packed.shape)
                file.write(packed.tobytes())
            file.flush()
            sizes = [int(np.prod(shape)) for shape in shapes]
            whole = np.memmap(file, np.uint8, "r", shape=(sum(sizes),)) if sizes else np.zeros(0, "uint8")
        ends = np.cumsum(sizes)
        examples[split] = [
            Arrays(f"tfds:{rest}, {split} example {number}", whole[end - size : end].reshape(shape))
            for number, (shape, size, end) in enumerate(zip(shapes, sizes, ends, strict=True))
        ]
    examples = {split: found for split, found in examples.items() if found}
    if "train" not in examples:
        raise ValueError(f"--data=tfds:{rest} has no part train; it has {', '.join(found.builder.info.splits)}.")
    return Found(examples)


def _packed(example, where):
    image, numbers = np.asarray(example["image"]), np.asarray(example["segmentation_mask"])
    numbers = numbers[..., 0] if numbers.ndim == 3 and numbers.shape[2] == 1 else numbers
    if image.ndim != 3 or image.shape[2] not in (1, 3) or image.dtype != np.uint8:
        raise ValueError(f"{where}: image {image.dtype} {image.shape}; expected uint8 (height, width, 1 or 3).")
    if numbers.shape != image.shape[:2] or numbers.dtype.kind not in "iu":
        raise ValueError(
            f"{where}: segmentation_mask {numbers.dtype} {numbers.shape}; expected integers {image.shape[:2]}."
        )
    if not 0 <= numbers.min() <= numbers.max() <= 255:
        raise ValueError(f"{where}: numbers {numbers.min()} to {numbers.max()}; expected classes, 0 to 255.")
    limits.check(4 * numbers.size, where, limits.GIB)
    return np.concatenate([np.broadcast_to(image, (*numbers.shape, 3)), numbers[..., None].astype("uint8")], axis=2)


READERS = {"embedded": _embedded, "voc": _voc, "folder": _folder, "tfds": _tfds}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "voc", "folder" or None.
    """
    packed = path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz", ".xz", ".7z", ".rar")  # to be told to unpack it
    if not path.is_dir():
        return "folder" if packed else None
    return "voc" if any(path.glob("JPEGImages")) or any(path.glob("*/JPEGImages")) else "folder"
