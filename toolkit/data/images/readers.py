"""Readers of images with a class label: folders, arrays, MNIST's files, embedded ones, Keras' and TensorFlow's sets."""

import importlib
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.data import tfds
from toolkit.data.images import folders, idx
from toolkit.data.images.files import pixels
from toolkit.data.scenes.generator import Generator
from toolkit.files import binary, limits
from toolkit.files.arrays import Arrays
from toolkit.files.names import printable
from toolkit.lazy import keras

# What drawings of one object are told apart by.
_KINDS = {"shapes": "shape", "textures": "texture"}
_DRAWINGS, _MOST_DRAWINGS = 4000, 100_000

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
        left_out: What was found and is not read, each with its path and why.
    """

    items: dict[str, Any]
    labels: dict[str, np.ndarray]
    class_names: Sequence[str]
    cut: dict[str, float] | None = None
    seed: int | None = None
    left_out: tuple[str, ...] = ()


def _embedded(rest, *, shape, **_):
    if rest.partition(":")[0] in _KINDS:
        return _drawings(rest, shape[0])
    digits = importlib.import_module("sklearn.datasets").load_digits()
    number = int(rest) if re.fullmatch("[0-9]{1,9}", rest) else 0 if rest else len(digits.target)
    if not 1 <= number <= len(digits.target):
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded or embedded:N, the first N of {len(digits.target)} "
            f"digits, or embedded:{' or embedded:'.join(_KINDS)}."
        )
    images, labels = np.rint(digits.images[:number] * (255 / 16)).astype("uint8"), digits.target[:number]
    names = tuple(map(str, range(labels.max() + 1)))
    return Found({"train": images}, {"train": labels}, names, cut={"validation": 0.1, "test": 0.2}, seed=0)


def _drawings(rest, side):
    """Scenes of one large object each; of either kind the same ones, under other labels."""
    kind, colon, asked = rest.partition(":")
    number = int(asked) if re.fullmatch("[0-9]{1,6}", asked) else 0 if colon else _DRAWINGS
    if not 100 <= number <= _MOST_DRAWINGS:
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded:{kind}[:IMAGES], 100 to {_MOST_DRAWINGS:,} images."
        )
    generator = Generator(min(max(side, 32), 256), num_objects=(1, 1), sizes=(0.4, 0.8))
    scenes = [generator(0, each) for each in range(number)]
    names = getattr(generator, kind)
    labels = np.array([names.index(getattr(scene.objects[0], _KINDS[kind])) for scene in scenes])
    images = np.stack([scene.image for scene in scenes])
    return Found({"train": images}, {"train": labels}, names, cut={"validation": 0.1, "test": 0.2}, seed=0)


def _folder(rest, **_):
    found = folders.labelled(rest)
    if found.folders != {"train": "."}:
        told = ", ".join(f"{split} is {printable(folder)}" for split, folder in found.folders.items())
        print(f"--data=folder:{printable(rest)}: {told}", file=sys.stderr)
    return Found(found.items, found.labels, found.class_names, left_out=found.left_out)


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
    folder = binary.expanded(os.environ.get("KERAS_HOME", "~/.keras")) / "datasets"
    cached = folder / pattern
    if cached.suffix == ".npz" and os.path.lexists(cached):
        remedy = f"Remove {cached}, and Keras downloads it anew."
        try:
            arrays = _loaded(cached, remedy)
        except (ValueError, OSError) as error:
            told = str(error) if remedy in str(error) else f"{error} {remedy}"
            raise (type(error) if isinstance(error, OSError) else ValueError)(told) from error
        return _arrays(str(cached), arrays, tuple(names.split()))
    if not any(folder.glob(pattern)):
        print(f"keras:{rest}: Keras downloads it to {folder}.", flush=True)
    try:
        loaded = getattr(keras.datasets, rest).load_data()
    except Exception as error:  # Keras raises Exception itself where a download fails
        reason = re.sub(r"\[Errno -?\d+\] ", "", " ".join(str(error).split()))[:300]
        raise ValueError(
            f"--data=keras:{rest} could not be fetched or read: {reason}. It needs the network once; where a file is "
            f"damaged, remove {folder / pattern}."
        ) from error
    arrays = {}
    for split, (images, labels) in zip(("train", "test"), loaded, strict=True):
        arrays |= {f"x_{split}": images, f"y_{split}": labels.reshape(-1)}
    return _arrays(f"keras:{rest}", arrays, tuple(names.split()))


def _npz(rest, **_):
    if not rest:
        raise FileNotFoundError("--data=npz: expected npz:FILE, a .npz of x_train, y_train, x_test, y_test.")
    return _arrays(str(binary.expanded(rest)), _loaded(rest))


def _idx(rest, **_):
    if not rest:
        raise FileNotFoundError("--data=idx: expected idx:FOLDER, the folder of train-images-idx3-ubyte.gz.")
    arrays = {}
    for part, own in idx.files(rest).items():
        for kind, ndim in (("images", 3), ("labels", 1)):
            array = arrays[f"{'x' if kind == 'images' else 'y'}_{part}"] = idx.read_array(own[kind])
            if array.ndim != ndim:
                raise ValueError(f"{own[kind]}: shape {array.shape}; expected {ndim} axes, as {kind} have.")
    return _arrays(f"--data=idx:{rest}", arrays)


def _loaded(path, remedy=""):
    """The arrays of a file as Keras' mnist.npz, whose headers agree; labels first, as they are small."""
    needed = [f"{kind}_{split}" for split in ("train", "test") for kind in "xy"]
    expected = "a .npz of x_train, y_train, x_test, y_test"
    with Arrays(path, expected, bound=limits.half_of_memory(), remedy=remedy) as file:
        own = [name for name in ("x_validation", "y_validation") if name in file.names]
        needed += ["x_validation", "y_validation"] if own else []
        missing = [name for name in needed if name not in file.names]
        if missing:
            raise ValueError(
                f"{file.path} has no array {', '.join(missing)}; it has {', '.join(file.names) or 'none'}."
            )
        shapes = {name: _checked_header(str(file.path), name, *file.header(name)) for name in needed}
        for split in {name[2:] for name in needed}:
            _check_lengths(str(file.path), split, shapes[f"x_{split}"][0], shapes[f"y_{split}"][0])
        return file.read_all(sorted(needed, reverse=True))


def _arrays(source, arrays, class_names=()):
    """Checks arrays as those of Keras' mnist.npz."""
    for name, array in arrays.items():
        _checked_header(source, name, array.shape, array.dtype)
    labels = {name[2:]: array.reshape(-1).astype("int64") for name, array in arrays.items() if name[0] == "y"}
    images = {name[2:]: arrays[name] for name in sorted(arrays, reverse=True) if name[0] == "x"}
    for split, array in images.items():
        _check_lengths(source, split, len(array), len(labels[split]))
    num_classes = len(class_names) or _num_classes(source, labels["train"])
    for split, array in labels.items():
        if array.min() < 0 or array.max() >= num_classes:
            where = "" if class_names or split == "train" else ", those of y_train"
            raise ValueError(
                f"{source}, y_{split}: labels {array.min()} to {array.max()}; expected 0 to {num_classes - 1}{where}."
            )
    absent = np.setdiff1d(np.arange(num_classes), labels["train"])
    if len(absent):
        raise ValueError(f"{source}, y_train: no label {absent[0]}; expected each of 0 to {num_classes - 1}.")
    highest = max(array.max() for array in images.values())
    for split, array in images.items():
        if not (array.min() >= 0 and array.max() <= 255):
            raise ValueError(
                f"{source}, x_{split}: {array.min()} to {array.max()}; expected 0 to 255, or floats 0 to 1."
            )
        if array.dtype != np.uint8:
            scale = 255 if array.dtype.kind == "f" and highest <= 1 else 1
            images[split] = _as_bytes(array, scale)
    return Found(images, labels, class_names or tuple(map(str, range(num_classes))))


def _as_bytes(array, scale):
    """Numbers as uint8, some images at a time: floats of all of them would be as large again, or eight times."""
    found = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), 256):
        found[start : start + 256] = np.rint(array[start : start + 256] * scale)
    return found


def _num_classes(source, labels):
    """How many there are, where each has an example: no label is as large as the number of examples."""
    if labels.max() >= len(labels):
        raise ValueError(
            f"{source}, y_train: labels {labels.min()} to {labels.max()} of {len(labels)} images; expected the numbers "
            "of classes, each of 0 to the greatest."
        )
    return int(labels.max()) + 1


def _check_lengths(source, split, num_images, num_labels):
    if num_images != num_labels or not num_images:
        raise ValueError(f"{source}: {num_images} images in x_{split}, {num_labels} labels in y_{split}.")


def _checked_header(source, name, shape, dtype):
    """The shape of images or labels, where it is one of such."""
    where = f"{source}, {name}: shape {shape}"
    if name[0] == "y":
        if not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)) or dtype.kind not in "iu":
            raise ValueError(f"{source}, {name}: {dtype} {shape}; expected integers (examples,).")
    elif len(shape) not in (3, 4) or not all(shape[1:]):
        raise ValueError(f"{where}; expected (examples, height, width[, channels]).")
    elif len(shape) == 4 and shape[3] not in (1, 3):
        raise ValueError(f"{where}, {shape[3]} channels; expected 1 or 3, last.")
    elif dtype.kind not in "iuf":
        raise ValueError(f"{source}, {name}: {dtype}; expected uint8, or floats in 0..1 or 0..255.")
    return shape


READERS = {
    "embedded": _embedded,
    "folder": _folder,
    "idx": _idx,
    "npz": _npz,
    "keras": _keras,
    "tfds": _tfds,
}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "folder", "npz" or None.
    """
    packed = path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")  # to be told to unpack it
    return "folder" if packed or path.is_dir() else "npz" if path.suffix == ".npz" else None
