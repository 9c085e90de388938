"""Images with a class label: folders of files, arrays, embedded digits; in memory where they fit, else streamed."""

import atexit
import concurrent.futures
import dataclasses
import functools
import importlib
import os
import pathlib
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.data import sources, splitting, tfds
from toolkit.data.augmentation import Augmentation, centre_crop
from toolkit.data.image_files import check, pixels
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf

SPLITS = ("train", "validation", "test")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
# Bytes of pixels that are kept in memory; more are read from the files for each batch.
MEMORY = 1 << 30
_SAMPLE = 2048  # training images that are measured
_BLOCK = 1024  # images that wait for a thread at a time
_TOGETHER = 64  # images that are read at once where many are looked at
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


@dataclasses.dataclass(frozen=True)
class Part:
    """The images of a split, as they are kept.

    Args:
        images: Gives uint8 (images, side, side, channels) for an array of row numbers.
        rows: (examples,), the row of each example.
        labels: int32 (examples,).
    """

    images: Any
    rows: np.ndarray
    labels: np.ndarray

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Some examples' images.

        Args:
            indices: (n,), which examples.

        Returns:
            uint8 (n, side, side, channels).
        """
        return np.asarray(self.images[self.rows[indices]])


@dataclasses.dataclass(frozen=True)
class Images:
    """Images with a class label.

    Args:
        splits: Batches of (image, label): float32 (batch, image_size, image_size, channels), 0 to 255, and int32
            (batch,).
        class_names: The classes, in the order of their labels.
        skipped: What was left out, each with its path and why.
        parts: By split, the images as they are kept: before the middle is cut out or anything is changed at random.
        image_size: The side of the images in the batches.
    """

    splits: Splits
    class_names: tuple[str, ...]
    skipped: tuple[str, ...]
    parts: dict[str, Part]
    image_size: int

    @property
    def counts(self) -> dict[str, np.ndarray]:
        """By split, the number of examples of each class."""
        return {split: np.bincount(part.labels, minlength=len(self.class_names)) for split, part in self.parts.items()}

    def blocks(self, split: str, num_images: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Examples evenly spaced over a split, as validation would see them, some at a time.

        Args:
            split: "train", "validation" or "test".
            num_images: How many; at most those there are.

        Yields:
            (images, labels): uint8 (n, image_size, image_size, channels) and int32 (n,).
        """
        part = self.parts[split]
        chosen = np.linspace(0, len(part.rows) - 1, min(num_images, len(part.rows))).round().astype(int)
        for start in range(0, len(chosen), _TOGETHER):
            indices = chosen[start : start + _TOGETHER]
            yield self.cut(part.read(indices)), part.labels[indices]

    def cut(self, images: np.ndarray) -> np.ndarray:
        """The middle of images as they are kept.

        Args:
            images: (n, side, side, channels).

        Returns:
            (n, image_size, image_size, channels).
        """
        start = (images.shape[1] - self.image_size) // 2
        return images[:, start : start + self.image_size, start : start + self.image_size]

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """What a network would standardize with, of at most 2,048 training images.

        Returns:
            (mean, scale): float32 (channels,) each, on the scale of 0 to 255; a scale of 0 is given as 1.
        """
        histograms = sum(
            np.stack([np.bincount(images[..., c].reshape(-1), minlength=256) for c in range(images.shape[-1])])
            for images, _ in self.blocks("train", _SAMPLE)
        )
        shares = histograms / histograms.sum(1, keepdims=True)
        mean = shares @ np.arange(256)
        scale = np.sqrt((shares * np.square(np.arange(256) - mean[:, None])).sum(1))
        return mean.astype("float32"), np.where(scale > 1e-3, scale, 1).astype("float32")


class _Found(NamedTuple):
    """What a reader returns: by split, paths or arrays of pixels, and labels; splits that are not there are cut."""

    items: dict[str, Any]
    labels: dict[str, np.ndarray]
    class_names: Sequence[str]
    cut: dict[str, float] | None = None
    seed: int | None = None


class _Streamed:
    """Images that are decoded when they are asked for."""

    def __init__(self, items, shape):
        self._items, self._shape = items, shape

    def __getitem__(self, rows):
        items = [self._items[row] for row in rows]
        decode = functools.partial(pixels, shape=self._shape)
        with _reads:
            try:
                return np.stack(list(_threads().map(decode, items)))
            except RuntimeError as error:
                if "shutdown" not in str(error):
                    raise
                return np.stack(list(map(decode, items)))  # the program ends: there are no threads any more


class _Reads:
    """The reads that are under way.

    A program may end while tf.data reads ahead. A thread that then comes back to Python finds the interpreter taken
    down, never returns, and the data set waits for it for ever. So the end waits until tf.data has read as far ahead as
    it does.
    """

    def __init__(self):
        self._lock, self._number, self._last = threading.Lock(), 0, 0.0

    def __enter__(self):
        with self._lock:
            self._number += 1

    def __exit__(self, *error):
        with self._lock:
            self._number, self._last = self._number - 1, time.monotonic()

    def settle(self):
        """Waits until for a while nothing has been read, half a minute at most."""
        end = time.monotonic() + 30
        while time.monotonic() < end and (self._number or time.monotonic() < self._last + 0.2):
            time.sleep(0.02)


_reads = _Reads()


@functools.cache
def _threads():
    # Pillow decodes and resizes without holding Python's lock.
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    atexit.register(_reads.settle)  # comes after the threads have been shut down
    return concurrent.futures.ThreadPoolExecutor(count)


def _embedded(rest, **_):
    digits = importlib.import_module("sklearn.datasets").load_digits()
    number = int(rest) if rest.isdecimal() else 0 if rest else len(digits.target)
    if not 1 <= number <= len(digits.target):
        raise ValueError(
            f"--data=embedded:{rest}: expected embedded or embedded:N, the first N of {len(digits.target)} digits."
        )
    images, labels = np.rint(digits.images[:number] * (255 / 16)).astype("uint8"), digits.target[:number]
    names = tuple(map(str, range(labels.max() + 1)))
    return _Found({"train": images}, {"train": labels}, names, cut={"validation": 0.1, "test": 0.2}, seed=0)


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
    return _Found(items, labels, names)


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
    return _Found(items, labels, tuple(names))


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
    images, labels = {}, {}
    for name, array in arrays.items():
        split = name[2:]
        if name[0] == "y":
            if array.ndim == 2 and array.shape[1] == 1:
                array = array[:, 0]
            if array.ndim != 1 or array.dtype.kind not in "iu":
                raise ValueError(f"{source}, {name}: {array.dtype} {array.shape}; expected integers (examples,).")
            labels[split] = array.astype("int64")
            continue
        if array.ndim not in (3, 4) or not all(array.shape[1:]):
            raise ValueError(f"{source}, {name}: shape {array.shape}; expected (examples, height, width[, channels]).")
        if array.ndim == 4 and array.shape[3] not in (1, 3):
            raise ValueError(
                f"{source}, {name}: shape {array.shape}, {array.shape[3]} channels; expected 1 or 3, last."
            )
        if array.dtype.kind not in "iuf":
            raise ValueError(f"{source}, {name}: {array.dtype}; expected uint8, or floats in 0..1 or 0..255.")
        images[split] = array
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
    return _Found(images, labels, class_names or tuple(map(str, range(num_classes))))


READERS = {"embedded": _embedded, "folder": _folder, "npz": _npz, "keras": _keras, "tfds": _tfds}


def _sniff(path):
    return "folder" if path.is_dir() else "npz" if path.suffix == ".npz" else None


def load(
    source: str,
    *,
    image_size: int,
    batch_size: int,
    seed: int = 0,
    channels: int = 3,
    held_out: float = 0.1,
    augmentation: Augmentation | None = None,
    skip_corrupt: bool = False,
) -> Images:
    """Reads images with a class label.

    Args:
        source: READER:REST. embedded: scikit-learn's 1,797 digits of 8 x 8 pixels, always in the same three
            parts; embedded:N: the first N.
            folder:PATH: a folder for each class, in PATH/train and PATH/test and perhaps PATH/validation (or val), or
            in PATH itself; what Pillow reads of .jpg, .png, .bmp, .gif, .webp and .tif files, in folders below too.
            npz:FILE: arrays x_train, y_train, x_test, y_test and perhaps x_validation, y_validation, as in Keras'
            mnist.npz; floats are 0 to 1 where none is above 1, else 0 to 255. keras:NAME: mnist, fashion_mnist,
            cifar10 or cifar100, which Keras downloads. tfds:NAME: a data set of TensorFlow Datasets with an image and a
            class label; it is kept on disk as squares.
        image_size: The side of the square images, in pixels. The shorter side is resized to it, the middle is cut out.
        batch_size: Images in a batch.
        seed: Decides the order of the training images, what is held out, and with `augmentation.seed`, to which it is
            added, how images are changed.
        channels: 3 or 1; grey images are repeated, coloured ones become grey.
        held_out: The share of each class's training images that becomes the validation part where there is none, and as
            much again for the test part.
        augmentation: How training images are changed; None: not at all. Where its crop needs room, images are kept
            larger, and validation and test see their middle, as is usual.
        skip_corrupt: Whether to leave out files that cannot be read, instead of stopping.

    Returns:
        `Images`. Up to 1 GiB of pixels is decoded at once and kept; else images are decoded for each batch.

    Raises:
        ValueError: Where something is not as expected; folder, file or array are named.
        FileNotFoundError: Where a path does not exist.

    Example:

    >>> images = load("embedded", image_size=8, batch_size=32, channels=1)
    >>> pictures, labels = images.splits.train.peek()
    >>> pictures.shape, labels.shape, len(images.class_names)
    ((32, 8, 8, 1), (32,), 10)
    >>> {split: int(counts.sum()) for split, counts in images.counts.items()}
    {'train': 1259, 'validation': 179, 'test': 359}

    Reference: Krizhevsky et al. 2012, section 2 (the shorter side resized, the middle cut out).
    """
    if image_size < 1:
        raise ValueError(f"--image_size={image_size}: expected 1 or more pixels.")
    if channels not in (1, 3):
        raise ValueError(f"channels={channels}: expected 1 (grey) or 3 (red, green, blue).")
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share between 0 and 0.5.")
    augmentation = augmentation or Augmentation()
    augmentation = dataclasses.replace(augmentation, seed=augmentation.seed + seed)
    side = augmentation.stored_size(image_size)
    shape = side, side, channels
    name, rest = sources.parse(source, READERS, _sniff)
    found = READERS[name](rest, shape=shape)
    if len(found.class_names) < 2:
        raise ValueError(f"--data={source} has one class only, {found.class_names[0]}; expected two or more.")
    parts, skipped = _stored(source, found, shape, skip_corrupt)
    _check_labels(source, parts, found.class_names)
    missing = {split: held_out for split in SPLITS if split not in parts} if found.cut is None else found.cut
    if missing:
        labels, decides = parts["train"].labels, seed if found.seed is None else found.seed
        rows = splitting.split(len(labels), list(missing.values()), seed=decides, labels=labels)
        cuts, whole = dict(zip(("train", *missing), rows, strict=True)), parts["train"]
        parts |= {split: Part(whole.images, whole.rows[kept], whole.labels[kept]) for split, kept in cuts.items()}
    for split in SPLITS:
        if not len(parts[split].rows):
            raise ValueError(
                f"--data={source}: the {split} part is empty: a class needs {len(missing) + 1} images for one to be "
                "held out. Give more images."
            )
    parts = {split: parts[split] for split in SPLITS}
    batches = {s: _batches(part, batch_size, seed, shape, s == "train") for s, part in parts.items()}
    splits = Splits(
        # The seed is the augmentation's.
        batches["train"].map(lambda images, labels, seeds: (augmentation(images, seeds, image_size), labels), seed=0),
        *(batches[s].map(lambda images, labels: (centre_crop(images, image_size), labels)) for s in SPLITS[1:]),
    )
    return Images(splits, tuple(found.class_names), skipped, parts, image_size)


def read(
    path: str | os.PathLike, image_size: int, *, channels: int = 3, augmentation: Augmentation | None = None
) -> np.ndarray:
    """One file, as validation sees it.

    Args:
        path: The file.
        image_size: The side of the result, in pixels.
        channels: 3 or 1.
        augmentation: With which the network was trained: where its crop needs room, the middle is cut out.

    Returns:
        uint8 (image_size, image_size, channels).

    Raises:
        ValueError: Where it cannot be read as an image.
        FileNotFoundError: Where it is not there.

    Example:

    >>> from PIL import Image
    >>> with tempfile.NamedTemporaryFile(suffix=".png") as file:
    ...     Image.new("RGB", (40, 30), "red").save(file.name)
    ...     read(file.name, 8)[0, 0].tolist()
    [255, 0, 0]
    """
    side = (augmentation or Augmentation()).stored_size(image_size)
    square, start = pixels(path, (side, side, channels)), (side - image_size) // 2
    return square[start : start + image_size, start : start + image_size]


def _batches(part, batch_size, seed, shape, train):
    def read(indices):
        return part.read(indices), part.labels[indices]

    signature = tf.TensorSpec((None, *shape), tf.uint8), tf.TensorSpec((None,), tf.int32)
    plan = shuffled_plan(len(part.rows), batch_size, seed=seed, shuffle=train)
    return Batches(read, plan, signature, num_examples=len(part.rows))


def _check_labels(source, parts, class_names):
    for split, part in parts.items():
        if len(part.labels) and not 0 <= part.labels.min() <= part.labels.max() < len(class_names):
            raise ValueError(
                f"--data={source}: labels {part.labels.min()} to {part.labels.max()} in the {split} part; "
                f"expected 0 to {len(class_names) - 1}."
            )
    absent = np.setdiff1d(np.arange(len(class_names)), parts["train"].labels)
    if len(absent):
        raise ValueError(f"--data={source}: the class {class_names[absent[0]]} has no image to train on.")


def _stored(source, found, shape, skip_corrupt):
    """The parts that a reader found, decoded where all of it fits into memory, and what was left out."""
    total = sum(map(len, found.items.values()))
    keep = total * int(np.prod(shape)) <= MEMORY
    parts, skipped = {}, []
    with _progress(total, f"{'Reading' if keep else 'Checking'} {source}") as bar:
        for split, items in found.items.items():
            images, bad = items, {}
            if not (isinstance(items, np.ndarray) and items.shape[1:] == shape):
                images, bad = _decoded(items, shape, bar, keep, skip_corrupt)
            rows = np.setdiff1d(np.arange(len(items)), np.fromiter(bad, int, len(bad)))
            parts[split] = Part(images, rows, np.asarray(found.labels[split])[rows].astype("int32"))
            skipped.extend(bad.values())
    if skipped:
        print(f"--data={source}: {len(skipped)} of {total} images left out, such as: {skipped[0]}", file=sys.stderr)
    return parts, tuple(skipped)


def _decoded(items, shape, bar, keep, skip_corrupt):
    """Something to take images from, and why some cannot be read, by row."""
    # Files that stay where they are: that they are images is seen at their beginning, that they are whole is not.
    work = functools.partial(pixels, shape=shape) if keep or skip_corrupt else check
    images, bad = np.empty((len(items), *shape), np.uint8) if keep else _Streamed(items, shape), {}
    if not keep and isinstance(items, np.ndarray):
        return images, bad

    def attempt(item):
        try:
            return work(item)
        except ValueError as error:
            return error

    for start in range(0, len(items), _BLOCK):
        for row, result in enumerate(_threads().map(attempt, items[start : start + _BLOCK]), start):
            bar.update()
            if isinstance(result, ValueError):
                bad[row] = str(result)
                if not skip_corrupt:
                    raise ValueError(f"{result}. Mend or remove it, or leave out such files with --skip_corrupt.")
            elif keep:
                images[row] = result
    return images, bad


def _progress(total, what):
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=what,
        unit="image",
        delay=3,
        mininterval=0.5 if terminal else 15,
        ncols=None if terminal else 100,
        dynamic_ncols=terminal,
    )
