"""Drawn characters in three parts that share no class: what is trained on says nothing of the classes of the test."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.data import sources, splitting
from toolkit.data.characters.readers import READERS, sniff
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.files import limits
from toolkit.lazy import tensorflow as tf

_TURNS = (0, 90, 180, 270)


@dataclasses.dataclass(frozen=True)
class Characters:
    """Drawings of some classes, all in memory.

    Args:
        images: uint8 (drawings, image_size, image_size, 1), dark on white; those of a class one after the other.
        labels: int32 (drawings,), ascending.
        class_names: The classes, in the order of their labels.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, drawings: Mapping[str, np.ndarray]) -> "Characters":
        """Puts the drawings of classes together.

        Args:
            drawings: By class, uint8 (drawings, image_size, image_size).
        """
        labels = np.repeat(np.arange(len(drawings), dtype="int32"), [len(each) for each in drawings.values()])
        return cls(np.concatenate(list(drawings.values()))[..., None], labels, tuple(drawings))

    def turned(self) -> "Characters":
        """Makes of each class four: as it is, and turned by 90, 180 and 270 degrees, against the clock."""
        turns = [np.rot90(self.images, quarter, axes=(1, 2)) for quarter in range(len(_TURNS))]
        number = len(self.class_names)
        names = [f"{name} turned by {turn}" if turn else name for turn in _TURNS for name in self.class_names]
        labels = [self.labels + number * quarter for quarter in range(len(_TURNS))]
        return Characters(np.concatenate(turns), np.concatenate(labels), tuple(names))

    def batches(self, batch_size: int, seed: int, *, shuffle: bool) -> Batches:
        """Gives the drawings as batches.

        Args:
            batch_size: Drawings in a batch.
            seed: With the epoch, decides the order.
            shuffle: False: always the given order.

        Returns:
            Batches of (image, label): float32 (batch, image_size, image_size, 1), 0 to 255, and int32 (batch,).
        """
        specs = tf.TensorSpec((None, *self.images.shape[1:]), tf.uint8), tf.TensorSpec((None,), tf.int32)
        plan = shuffled_plan(len(self.labels), batch_size, seed=seed, shuffle=shuffle)
        found = Batches(lambda rows: (self.images[rows], self.labels[rows]), plan, specs, num_examples=len(self.labels))
        return found.map(lambda image, label: (tf.cast(image, tf.float32), label))


@dataclasses.dataclass(frozen=True)
class CharacterParts:
    """Drawn characters in parts.

    Args:
        splits: Batches of (image, label); labels are numbers of a part's own classes.
        parts: "train", "validation" and "test": no class is in two of them.
        left_out: Alphabets of the test set that are trained on, whose characters are in no part.
    """

    splits: Splits
    parts: dict[str, Characters]
    left_out: tuple[str, ...] = ()

    @property
    def contents(self) -> dict[str, Any]:
        """What tells these drawings apart from others, for JSON."""
        classes = {part: len(found.class_names) for part, found in self.parts.items()}
        return {"classes": classes, "drawings": self.splits.contents}


def load(
    source: str,
    *,
    image_size: int = 28,
    batch_size: int = 64,
    rotations: bool = True,
    held_out: float = 0.1,
    seed: int = 0,
) -> CharacterParts:
    """Reads drawn characters.

    Args:
        source: READER:REST. embedded[:glyphs[:N]]: 500 or N made-up characters of 20 drawings each.
            omniglot:TRAIN,TEST: two sets of Omniglot's images, each the published zip or the folder it unpacks to;
            omniglot:FOLDER, which holds images_background and images_evaluation, packed or not; omniglot:PATH: a set.
        image_size: Height and width, to which drawings are reduced.
        batch_size: Drawings in a batch.
        rotations: Whether each training class becomes four, turned by 0, 90, 180 and 270 degrees.
        held_out: Share of the classes that validates; where there is no second set, as large a share tests.
        seed: Decides which classes are held out, and the order of the training drawings.

    Returns:
        `CharacterParts`. Of a second set, alphabets that are in the first one too are left out.

    Raises:
        ValueError: Where something is not as expected; file or flag are named.
        FileNotFoundError: Where a path does not exist.
        OSError: Where the system refuses.

    Example:

    >>> found = load("embedded:glyphs:50", image_size=20)
    >>> {part: len(each.class_names) for part, each in found.parts.items()}
    {'train': 160, 'validation': 5, 'test': 5}
    >>> images, labels = found.splits.train.peek()
    >>> images.shape, labels.shape
    ((64, 20, 20, 1), (64,))

    Reference: Lake et al. 2015, Human-level concept learning (Omniglot); Kaiser et al. 2017, arXiv 1703.03129.
    """
    for name, value in (("image_size", image_size), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"--{name}={value}: expected 1 or more.")
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share over 0 and under 0.5.")
    reader, rest = sources.parse(source, READERS, sniff)
    first, *others = READERS[reader](rest, image_size)
    names, left_out = list(first), ()
    if others:
        train, validation = splitting.split(len(names), [held_out], seed=seed)
        test, left_out = _of_other_alphabets(others[0], first, source)
    else:
        train, validation, tested = splitting.split(len(names), [held_out] * 2, seed=seed)
        test = _chosen(first, names, tested)
    parts = {
        "train": Characters.of(_chosen(first, names, train)),
        "validation": Characters.of(_chosen(first, names, validation)),
        "test": Characters.of(test),
    }
    if rotations:
        size = len(_TURNS) * parts["train"].images.size
        limits.check(size, f"--data={source}, turned four times (--norotations: once),", limits.half_of_memory())
        parts["train"] = parts["train"].turned()
    batches = (each.batches(batch_size, seed, shuffle=part == "train") for part, each in parts.items())
    return CharacterParts(Splits(*batches), parts, left_out)


def _chosen(drawings, names, numbers):
    return {names[number]: drawings[names[number]] for number in np.sort(numbers)}


def _of_other_alphabets(test, train, source):
    """The characters of alphabets that are not trained on, and the alphabets that are."""
    trained = {name.split("/")[0] for name in train}
    kept = {name: drawings for name, drawings in test.items() if name.split("/")[0] not in trained}
    if not kept:
        raise ValueError(f"--data={source}: all alphabets of the second set are in the first: name another one.")
    return kept, tuple(sorted({name.split("/")[0] for name in test} & trained))
