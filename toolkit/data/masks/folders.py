"""Folders of images and of masks: which file is whose mask, which folder is which part."""

import dataclasses
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

from toolkit.data.images import folders
from toolkit.files import binary, text
from toolkit.files.names import printable

LAYOUT = "expected PATH/train/images/*.jpg and PATH/train/masks/*.png, or PATH/images and PATH/masks"
# What a folder's name says of what is in it, wherever in the name it stands.
_OF_MASKS = ("mask", "label", "annot", "segment", "target", "truth")
_OF_IMAGES = ("image", "img", "photo", "jpeg", "picture")
NAMES_FILES = ("class_names.txt", "classes.txt", "labels.txt")


@dataclasses.dataclass(frozen=True)
class Paired:
    """Images with their masks.

    Args:
        pairs: By split, (image, mask): their paths.
        unpaired: What has no partner, each with its path and why.
        left_out: What else is there and is not read, each with its path and why.
    """

    pairs: dict[str, list[tuple[str, str]]]
    unpaired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def existing(root: str, reader: str, layout: str) -> pathlib.Path:
    """Checks that a folder exists.

    Args:
        root: What --data names.
        reader: The reader, for the message.
        layout: What is expected there, for the message.

    Returns:
        Its path.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is no folder.
    """
    path = binary.expanded(root)
    if not root or not os.path.lexists(path):
        raise FileNotFoundError(f"--data={reader}:{root}: no such folder; {layout}.")
    if not path.is_dir():
        raise ValueError(f"--data={reader}:{root} is no folder; {layout}. Unpack what is packed.")
    return path


def paired(root: pathlib.Path) -> Paired:
    """Finds the images below a folder, and the mask of each.

    Folders say by their names, in any order, what is in them (images, masks) and which part that is (train,
    validation, test, also within a name, as `train_images` and `trainannot`). A mask has its image's name, up to the
    ending after the last point, or all masks have something more at their names' end, as `_mask`, or all images.

    Args:
        root: The folder.

    Returns:
        The pairs; of one part only it is "train".

    Raises:
        ValueError: Where no folder holds images, or none masks, or a name stands for two files.
    """
    there = folders.tree(root)
    files: dict[str | None, dict[str, list[str]]] = {}
    left_out = _beside(there, root)
    for path in there.everything("images"):
        kind, split = _meaning(os.path.relpath(os.path.dirname(path), root))
        if kind is None:
            left_out.append(f"{path} (neither in a folder of images nor in one of masks)")
        else:
            files.setdefault(split, {"images": [], "masks": []})[kind].append(path)
    if not any(found["images"] for found in files.values()) or not any(found["masks"] for found in files.values()):
        lacks = "masks" if any(found["images"] for found in files.values()) else "images"
        raise ValueError(f"{printable(root)} has no folder of {lacks}; {LAYOUT}.")
    if None in files and len(files) > 1:  # beside parts
        beside = files.pop(None)
        left_out += [f"{path} (in none of the parts)" for path in beside["images"] + beside["masks"]]
    if "train" not in files:
        if list(files) != [None]:
            raise ValueError(f"{printable(root)} holds {', '.join(map(str, files))}, but no train; {LAYOUT}.")
        files = {"train": files[None]}
    pairs, unpaired = {}, []
    for split in ("train", "validation", "test"):
        if split in files:
            pairs[split], without = matched(files[split]["images"], files[split]["masks"])
            unpaired += without
    return Paired(pairs, tuple(unpaired), tuple(left_out))


def _beside(there, root):
    """What lies beside images or masks in their folders; what is elsewhere, such as a licence, nobody expects read."""
    found = there.left_out if _meaning(os.path.relpath(there.path, root))[0] else []
    return [*found, *(told for folder in there.folders for told in _beside(folder, root))]


def _meaning(folder: str) -> tuple[str | None, str | None]:
    """What a folder below the root holds, and which part it is: the innermost name that says so decides."""
    kind = split = None
    for name in folder.split(os.sep):
        plain = name.lower()
        for words, meant in ((_OF_IMAGES, "images"), (_OF_MASKS, "masks")):  # "label images" are masks
            if any(word in plain for word in words) or (meant == "masks" and re.fullmatch("gt|gts", plain)):
                kind = meant
        for word in (*_OF_MASKS, *_OF_IMAGES):
            plain = plain.replace(word, " ")
        said = {folders.SPLIT_WORDS[word] for word in re.findall("[a-z]+", plain) if word in folders.SPLIT_WORDS}
        split = said.pop() if len(said) == 1 else split
    return kind, split


def matched(images: Sequence[str], masks: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Finds the mask of each image by the files' names.

    Args:
        images: Paths.
        masks: Paths.

    Returns:
        (pairs, unpaired): (image, mask) in the images' order, and what has no partner, with why.

    Raises:
        ValueError: Where two images, or two masks, have the same name.

    Example:

    >>> matched(["images/1.jpg", "images/2.jpg"], ["masks/1_mask.png", "masks/2_mask.png"])[0][0]
    ('images/1.jpg', 'masks/1_mask.png')
    """
    of_images, of_masks = by_stem(images), by_stem(masks)
    if not of_images.keys() & of_masks.keys():
        of_images, of_masks = _without_ending(of_images), _without_ending(of_masks)
    pairs = [(path, of_masks[stem]) for stem, path in of_images.items() if stem in of_masks]
    unpaired = [
        f"{printable(path)} has no {what}{differing(stem, others)}"
        for mine, others, what in ((of_images, of_masks, "mask"), (of_masks, of_images, "image"))
        for stem, path in mine.items()
        if stem not in others
    ]
    return pairs, unpaired


def by_stem(paths: Sequence[str]) -> dict[str, str]:
    """Gives paths by their files' names without the ending after the last point.

    Args:
        paths: The paths.

    Raises:
        ValueError: Where two have the same one.
    """
    found = {}
    for path in paths:
        stem = os.path.splitext(os.path.basename(path))[0]
        if stem in found:
            raise ValueError(
                f"{printable(found[stem])} and {printable(path)} have the same name, {printable(stem)}: which of them "
                "belongs to its partner? Remove or rename one."
            )
        found[stem] = path
    return found


def differing(stem: str, others: Mapping[str, str]) -> str:
    """Says which name differs in nothing but large and small letters; empty: none.

    Args:
        stem: A file's name without its ending.
        others: Paths by such names.
    """
    near = next((path for other, path in others.items() if other.casefold() == stem.casefold()), None)
    return f"; {printable(near)} differs in large and small letters only: rename one" if near else ""


def _without_ending(found):
    """Names without what all of them end in, from a mark on, as `_mask`."""
    shared = os.path.commonprefix([stem[::-1] for stem in found])[::-1] if len(found) > 1 else ""
    mark = re.search(r"[^0-9A-Za-z]", shared)
    if not mark or mark.start() == 0 and any(stem == shared for stem in found):
        return found
    ending = len(shared) - mark.start()
    return {stem[:-ending]: path for stem, path in found.items()}


def class_names(root: pathlib.Path) -> tuple[tuple[str, ...], str]:
    """Reads the names of the classes from `class_names.txt`, `classes.txt` or `labels.txt`, a line each, from 0 on.

    Args:
        root: The folder in which the file may be.

    Returns:
        (names, path): none where there is no such file. A first line `__ignore__`, as labelme writes it, stands for
        no number.

    Raises:
        ValueError: Where the file is no such list.
    """
    path = next((root / name for name in NAMES_FILES if os.path.lexists(root / name)), None)
    if path is None:
        return (), ""
    lines = [line.strip() for line in text.read(path, "names of classes, one a line").rstrip().split("\n")]
    lines = lines[1:] if lines[0] == "__ignore__" else lines
    if not (1 <= len(lines) <= 256 and all(lines) and max(map(len, lines)) <= 100):
        raise ValueError(f"{printable(path)}: expected the names of at most 256 classes, one a line, from number 0 on.")
    if len(set(lines)) < len(lines):
        twice = next(name for name in lines if lines.count(name) > 1)
        raise ValueError(f"{printable(path)} names {printable(twice)} twice; expected a name for each class.")
    return tuple(map(printable, lines)), printable(path)
