"""Small data sets of images with masks, in the usual layouts."""

import numpy as np
from PIL import Image

from toolkit.data.masks.files import voc_palette

CLASSES = ("road", "sky", "tree")


def image(number, size=(20, 24)):
    return np.random.default_rng(number).integers(0, 256, (*size, 3)).astype("uint8")


def numbers(number, size=(20, 24), most=2):
    """Blocks of classes, each of which is there."""
    random = np.random.default_rng(number)
    blocks = random.integers(0, most + 1, (size[0] // 4 + 1, size[1] // 4 + 1))
    blocks.flat[: most + 1] = range(most + 1)
    return blocks.repeat(4, 0).repeat(4, 1)[: size[0], : size[1]].astype("uint8")


def save(path, array, palette=False, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = array if isinstance(array, Image.Image) else Image.fromarray(array)
    if palette:
        picture.putpalette([value for color in voc_palette() for value in color])
    picture.save(path, **how)
    return path


def folder(root, splits=("train", "val", "test"), each=4, names=CLASSES, size=(20, 24)):
    """FOLDER/train/images/00.png and FOLDER/train/masks/00.png, with the classes' names."""
    for split in splits:
        for number in range(each):
            seed = 100 * len(split) + number
            save(root / split / "images" / f"{number:02}.png", image(seed, size))
            save(root / split / "masks" / f"{number:02}.png", numbers(seed, size))
    if names:
        (root / "class_names.txt").write_text("".join(f"{name}\n" for name in names))
    return root


def voc(root, lists=(("train", range(5)), ("val", range(5, 8))), size=(20, 24), most=2):
    for split, numbers_of in lists:
        for number in numbers_of:
            save(root / "JPEGImages" / f"2007_{number:06}.jpg", image(number, size))
            save(root / "SegmentationClass" / f"2007_{number:06}.png", numbers(number, size, most), palette=True)
        listed = root / "ImageSets" / "Segmentation" / f"{split}.txt"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text("".join(f"2007_{number:06}\n" for number in numbers_of))
    return root


def everything(batches):
    found = list(batches.dataset(num_epochs=1).as_numpy_iterator())
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))
