"""Readers of images with a class label: folders of files, arrays, embedded digits, what Keras and TensorFlow offer."""

import importlib
import os
import pathlib
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.data import tfds
from toolkit.data.images.files import pixels
from toolkit.lazy import keras

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_FOLDERS = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}
_LAYOUT = "expected PATH/train/CLASS/*.jpg and PATH/test/CLASS/*.jpg, or PATH/CLASS/*.jpg"
# By Keras' name: what its file is called in ~/.keras/datasets, and the names of the classes.
_KERAS = {
    "mnist": ("mnist.npz", "0 1 2 3 4 5 6 7 8 9"),
    "fashion_mnist": ("fashion-mnist*", "t-shirt trouser pullover dress coat sandal shirt sneaker bag ankle_boot"),
    "cifar10": ("cifar-10-batches*", "airplane automobile bird cat deer dog frog horse ship truck"),
    "cifar100": (
        "cifar-100*",
        "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
        "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
        "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster "
        "man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck "
        "pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
        "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger "
        "tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm",
    ),
}


class Found(NamedTuple):
    """What a reader returns.

    Args:
        items: By split, paths or arrays of pixels; splits that are not there are cut off the training part.
        labels: By split, (examples,) integers.
        class_names: The classes, in the order of their labels.
        cut: The share of the training part that becomes each split that is not there; None: as `load` is asked.
        seed: Decides what is cut; None: the seed that `load` is given.
    """

    items: dict[str, Any]
    labels: dict[str, np.ndarray]
    class_names: Sequence[str]
    cut: dict[str, float] | None = None
    seed: int | None = None


def _embedded(rest, **_):
    digits = importlib.import_module("sklearn.datasets").load_digits()
    number = int(rest) if rest.isdecimal() else 0 if rest else len(digits.target)
    if not 1 <= number <= len(digits.target):
        raise ValueError(
            f"--data=embedded:{rest}: expected embedded or embedded:N, the first N of {len(digits.target)} digits."
        )
    images, labels = np.rint(digits.images[:number] * (255 / 16)).astype("uint8"), digits.target[:number]
    names = tuple(map(str, range(labels.max() + 1)))
    return Found({"train": images}, {"train": labels}, names, cut={"validation": 0.1, "test": 0.2}, seed=0)


def _folder(rest, **_):
    root = pathlib.Path(rest).expanduser()
    if not rest or not root.is_dir():
        raise FileNotFoundError(f"--data=folder:{rest}: no such folder; {_LAYOUT}.")
    there = {path.name for path in root.iterdir() if path.is_dir()}
    folders = {}
    for split, names in _FOLDERS.items():
        found = [name for name in names if name in there]
        if len(found) > 1:
            raise ValueError(f"--data=folder:{rest} holds {' and '.join(found)}: only one can be the {split} part.")
        if found:
            folders[split] = root / found[0]
    if folders and "train" not in folders:
        names = ", ".join(path.name for path in folders.values())
        raise ValueError(f"--data=folder:{rest} holds {names}, but no train; {_LAYOUT}.")
    folders = folders or {"train": root}
    classes = {split: _classes(folder) for split, folder in folders.items()}
    for split, folder in folders.items():
        told = [
            f"{here} has no folder {', '.join(missing[:5])}{', ...' * (len(missing) > 5)}"
            for here, missing in (
                (folder, sorted(classes["train"].keys() - classes[split].keys())),
                (folders["train"], sorted(classes[split].keys() - classes["train"].keys())),
            )
            if missing
        ]
        if told:
            raise ValueError(f"--data=folder:{rest}: {'; '.join(told)}. All parts need a folder for each class.")
    names = tuple(sorted(classes["train"]))
    items = {split: [path for name in names for path in found[name]] for split, found in classes.items()}
    labels = {s: np.repeat(np.arange(len(names)), [len(found[n]) for n in names]) for s, found in classes.items()}
    return Found(items, labels, names)


def _classes(folder):
    """The paths of the images of each folder in a folder, those in folders below included."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))
    stray = next((path for path in entries if path.suffix.lower() in SUFFIXES and path.is_file()), None)
    if stray:
        raise ValueError(f"{stray} lies beside the folders of the classes, not in one; {_LAYOUT}.")
    found = {}
    for entry in entries:
        if entry.is_dir():
            paths = found[entry.name] = []
            for where, below, files in os.walk(entry, followlinks=True):
                below.sort()
                paths.extend(
                    os.path.join(where, name)
                    for name in sorted(files)
                    if name.lower().endswith(SUFFIXES) and not name.startswith(".")
                )
            if not paths:
                raise ValueError(f"{entry} holds no image ({', '.join(SUFFIXES)}).")
    if not found:
        raise ValueError(f"{folder} holds no folders; {_LAYOUT}.")
    return found


def _tfds(rest, *, shape, **_):
    found = tfds.data_set(rest, such_as="oxford_flowers102")
    features = found.features
    if "image" not in features or not hasattr(features.get("label"), "num_classes"):
        raise found.lacks("image with a class label")
    items, labels = {}, {}
    for split in found.parts:
        # On disk: the system reads what is needed, and the file is gone with the process.
        with tempfile.TemporaryFile() as file:
            numbers = []
            for example in found.examples(split):
                file.write(pixels(example["image"], shape).tobytes())
                numbers.append(int(example["label"]))
            if set(numbers) - {-1}:  # a part without labels is of no use here
                file.flush()
                items[split] = np.memmap(file, np.uint8, "r", shape=(len(numbers), *shape))
                labels[split] = np.array(numbers)
    if "train" not in items:
        raise ValueError(
            f"--data=tfds:{rest} has no part train with labels; it has {', '.join(found.builder.info.splits)}."
        )
    names = getattr(features["label"], "names", None) or map(str, range(features["label"].num_classes))
    return Found(items, labels, tuple(names))


def _keras(rest, **_):
    if rest not in _KERAS:
        raise ValueError(f"--data=keras:{rest}: expected keras:NAME with NAME one of {', '.join(_KERAS)}.")
    pattern, names = _KERAS[rest]
    folder = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"
    if not any(folder.glob(pattern)):
        print(f"keras:{rest}: Keras downloads it to {folder}.", flush=True)
    try:
        parts = getattr(keras.datasets, rest).load_data()
    except Exception as error:  # Keras raises Exception itself where a download fails
        raise ValueError(f"--data=keras:{rest} could not be fetched or read: {error}") from error
    arrays = {}
    for split, (images, labels) in zip(("train", "test"), parts, strict=True):
        arrays |= {f"x_{split}": images, f"y_{split}": labels.reshape(-1)}
    return _arrays(f"keras:{rest}", arrays, tuple(names.split()))


def _npz(rest, **_):
    path = pathlib.Path(rest).expanduser()
    if not rest or not path.is_file():
        raise FileNotFoundError(
            f"--data=npz:{rest}: no such file; expected an .npz of x_train, y_train, x_test, y_test."
        )
    needed = [f"{kind}_{split}" for split in ("train", "test") for kind in "xy"]
    wanted = [*needed, "x_validation", "y_validation"]
    name, arrays = "", {}
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            for name in wanted:
                if name in file.files:
                    arrays[name] = file[name]
            names = file.files
    except (OSError, EOFError, ValueError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        where = f", {name}," if name else ""
        raise ValueError(f"{path}{where} is damaged, or no .npz of plain arrays: {error}") from error
    if len(arrays) == 5:
        needed = wanted
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise ValueError(f"{path} has no array {', '.join(missing)}; it has {', '.join(names) or 'none'}.")
    return _arrays(str(path), arrays)


def _arrays(source, arrays, class_names=()):
    """Checks arrays as those of Keras' mnist.npz."""
    images = {name[2:]: _checked_images(source, name, array) for name, array in arrays.items() if name[0] == "x"}
    labels = {name[2:]: _checked_labels(source, name, array) for name, array in arrays.items() if name[0] == "y"}
    highest = max((array.max(initial=0) for array in images.values()), default=0)
    for split, array in images.items():
        if len(array) != len(labels[split]) or not len(array):
            raise ValueError(f"{source}: {len(array)} images in x_{split}, {len(labels[split])} labels in y_{split}.")
        if not (array.min() >= 0 and array.max() <= 255):
            raise ValueError(
                f"{source}, x_{split}: {array.min()} to {array.max()}; expected 0 to 255, or floats 0 to 1."
            )
        if array.dtype != np.uint8:
            scale = 255 if array.dtype.kind == "f" and highest <= 1 else 1
            images[split] = np.rint(array * scale).astype("uint8")
    num_classes = len(class_names) or int(labels["train"].max()) + 1
    for split, array in labels.items():
        if array.min() < 0 or array.max() >= num_classes:
            where = "" if class_names or split == "train" else ", those of y_train"
            raise ValueError(
                f"{source}, y_{split}: labels {array.min()} to {array.max()}; expected 0 to {num_classes - 1}{where}."
            )
    absent = np.setdiff1d(np.arange(num_classes), labels["train"])
    if len(absent):
        raise ValueError(f"{source}, y_train: no label {absent[0]}; expected each of 0 to {num_classes - 1}.")
    return Found(images, labels, class_names or tuple(map(str, range(num_classes))))


def _checked_labels(source, name, array):
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(f"{source}, {name}: {array.dtype} {array.shape}; expected integers (examples,).")
    return array.astype("int64")


def _checked_images(source, name, array):
    where = f"{source}, {name}: shape {array.shape}"
    if array.ndim not in (3, 4) or not all(array.shape[1:]):
        raise ValueError(f"{where}; expected (examples, height, width[, channels]).")
    if array.ndim == 4 and array.shape[3] not in (1, 3):
        raise ValueError(f"{where}, {array.shape[3]} channels; expected 1 or 3, last.")
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{source}, {name}: {array.dtype}; expected uint8, or floats in 0..1 or 0..255.")
    return array


READERS = {"embedded": _embedded, "folder": _folder, "npz": _npz, "keras": _keras, "tfds": _tfds}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "folder", "npz" or None.
    """
    return "folder" if path.is_dir() else "npz" if path.suffix == ".npz" else None
