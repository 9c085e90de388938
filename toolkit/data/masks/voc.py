"""Pascal VOC's layout: images, palette masks and the lists that say which are which part."""

import os
import pathlib

from toolkit.data.masks import folders
from toolkit.files import text
from toolkit.files.names import printable

LAYOUT = "expected JPEGImages/*.jpg, SegmentationClass/*.png and ImageSets/Segmentation/train.txt in it"
CLASS_NAMES = tuple(
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
    "pottedplant sheep sofa train tvmonitor".split()
)
_LISTS = {"train": "train.txt", "validation": "val.txt", "test": "test.txt"}
_OF_MASKS = ("SegmentationClass", "SegmentationClassAug", "SegmentationClassPNG")
_DEEPEST = 3  # VOCtrainval_11-May-2012/VOCdevkit/VOC2012


def place(root: pathlib.Path) -> pathlib.Path:
    """Finds the folder that holds JPEGImages: the one named, or the only one in it, up to three down.

    Args:
        root: What --data names.

    Raises:
        ValueError: Where there is none.
    """
    here = root
    for _ in range(_DEEPEST + 1):
        if (here / "JPEGImages").is_dir():
            return here
        inner = [each for each in sorted(here.iterdir()) if each.is_dir() and not each.name.startswith(".")]
        if len(inner) != 1:
            break
        here = inner[0]
    raise ValueError(f"--data=voc:{printable(root)} has no folder JPEGImages; {LAYOUT}.")


def listed(here: pathlib.Path) -> folders.Paired:
    """Finds the images that the lists name, and their masks; without lists, all that have one.

    Args:
        here: The folder with JPEGImages.

    Returns:
        The pairs; a test part without any mask, as VOC's own, is left out.

    Raises:
        ValueError: Where there are no masks, a list is empty or names an image twice, or one is in two lists.
    """
    masks = next((here / name for name in _OF_MASKS if (here / name).is_dir()), None)
    if masks is None:
        raise ValueError(f"{printable(here)} has no folder SegmentationClass; {LAYOUT}.")
    of_images, of_masks = (folders.by_stem(_files(folder)) for folder in (here / "JPEGImages", masks))
    lists = {split: here / "ImageSets" / "Segmentation" / name for split, name in _LISTS.items()}
    lists = {split: path for split, path in lists.items() if os.path.lexists(path)}
    if not lists:
        pairs = [(path, of_masks[stem]) for stem, path in of_images.items() if stem in of_masks]
        return folders.Paired({"train": pairs})
    if "train" not in lists:
        raise ValueError(f"{printable(lists.popitem()[1])} is there, but no train.txt beside it; {LAYOUT}.")
    pairs, unpaired, left_out, seen = {}, [], [], {}
    for split, path in lists.items():
        names = _names(path)
        if split == "test" and not any(name in of_masks for name in names):
            left_out.append(f"{printable(path)} (none of its images has a mask)")
            continue
        pairs[split] = []
        for name in names:
            if name in seen:
                raise ValueError(f"{printable(path)} names {printable(name)}, which {seen[name]} names too.")
            seen[name] = printable(path)
            lacks = [
                f"no {what} {printable(folder / name)}{folders.differing(name, found)}"
                for what, folder, found in (("image", here / "JPEGImages", of_images), ("mask", masks, of_masks))
                if name not in found
            ]
            if lacks:
                unpaired.append(f"{printable(path)} names {printable(name)}, but there is {' and '.join(lacks)}")
            else:
                pairs[split].append((of_images[name], of_masks[name]))
    return folders.Paired(pairs, tuple(unpaired), tuple(left_out))


def _files(folder):
    return [entry.path for entry in sorted(os.scandir(folder), key=lambda e: e.name) if not entry.name.startswith(".")]


def _names(path):
    lines = text.read(path, "names of images, one a line").split("\n")
    # Some lists name files, with a folder before and an ending after: the name alone tells which image it is.
    names = [os.path.basename(line.split()[0]) for line in lines if line.strip()]
    names = [name[:-4] if name.lower().endswith((".jpg", ".png")) else name for name in names]
    if not names or max(map(len, names)) > 255:
        raise ValueError(f"{printable(path)} names no image; expected names of images, one a line.")
    return names
