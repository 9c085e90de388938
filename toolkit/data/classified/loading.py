"""Examples with a class as arrays: what looks at all of them at once, such as influence functions."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.data import images, sources
from toolkit.data.classified import readers
from toolkit.data.contents import contents_of
from toolkit.files import limits

PARTS = ("train", "test")


@dataclasses.dataclass(frozen=True)
class Classified:
    """Examples with a class, all in memory.

    Args:
        features: By part, "train" and "test": float32 (examples, columns); of images (examples, height, width,
            channels), 0 to 255.
        labels: By part, int32 (examples,).
        class_names: The classes, in the order of their labels.
        columns: What each number of an example is; of images none.
        titles: By part, what each example is called.
    """

    features: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    columns: tuple[str, ...]
    titles: dict[str, list[str]]

    @property
    def contents(self) -> dict[str, Any]:
        """What tells these examples apart from others, for JSON: classes, columns, labels, figures of the numbers."""
        found = {"classes": list(self.class_names)}
        found["columns"] = hashlib.sha256("\0".join(self.columns).encode()).hexdigest()[:16]
        for part in PARTS:
            features, labels = self.features[part], self.labels[part]
            plan = np.array_split(np.arange(len(labels)), -(-len(labels) // 256))
            found[part] = contents_of(lambda rows, x=features, y=labels: (x[rows], y[rows]), plan, len(labels))
        return found

    def of_classes(self, names: Sequence[str]) -> "Classified":
        """Takes the examples of some classes, whose labels become 0, 1 and so on in the order given.

        Args:
            names: The classes, two or more, each once.

        Returns:
            The new examples.

        Raises:
            ValueError: Where a class is not there, stands twice, has no example in a part, or is the only one.
        """
        asked = f"--classes={','.join(names)}"
        missing = [name for name in names if name not in self.class_names]
        if missing:
            raise ValueError(
                f"{asked}: there is no class {missing[0]!r}; there are {', '.join(self.class_names[:20])}."
            )
        if len(set(names)) < max(2, len(names)):
            raise ValueError(f"{asked}: expected two classes or more, each once.")
        new = np.full(len(self.class_names), -1)
        new[[self.class_names.index(name) for name in names]] = np.arange(len(names))
        kept = self.subset({part: np.flatnonzero(new[self.labels[part]] >= 0) for part in PARTS})
        labels = {part: new[kept.labels[part]].astype("int32") for part in PARTS}
        for part in PARTS:
            absent = np.setdiff1d(np.arange(len(names)), labels[part])
            if len(absent):
                raise ValueError(f"{asked}: the {part} part has no example of {names[absent[0]]}.")
        return dataclasses.replace(kept, labels=labels, class_names=tuple(names))

    def subset(self, rows: dict[str, np.ndarray]) -> "Classified":
        """Takes some examples.

        Args:
            rows: By part, the numbers of those to take, in their new order; a part that is not named stays whole.

        Returns:
            The new examples.
        """
        rows = {part: rows.get(part, np.arange(len(self.labels[part]))) for part in PARTS}
        return dataclasses.replace(
            self,
            features={part: self.features[part][own] for part, own in rows.items()},
            labels={part: self.labels[part][own] for part, own in rows.items()},
            titles={part: [self.titles[part][row] for row in own] for part, own in rows.items()},
        )

    def drawn(self, num_train: int | None, seed: int = 0) -> "Classified":
        """Takes as many training examples as are asked for, in their order.

        Args:
            num_train: How many; None, or as many as there are: all.
            seed: Decides which.

        Returns:
            The new examples.

        Raises:
            ValueError: Where a class has none among them.
        """
        labels = self.labels["train"]
        if num_train is None or num_train >= len(labels):
            return self
        rows = np.sort(np.random.default_rng([seed, 7]).permutation(len(labels))[:num_train])
        absent = np.setdiff1d(np.arange(len(self.class_names)), labels[rows])
        if len(absent):
            raise ValueError(f"--num_train={num_train}: no example of {self.class_names[absent[0]]} is among them.")
        return self.subset({"train": rows})

    def relabelled(self, labels: np.ndarray) -> "Classified":
        """Gives the training examples other labels.

        Args:
            labels: (examples,), one for each.

        Returns:
            The new examples.
        """
        return dataclasses.replace(self, labels={**self.labels, "train": np.asarray(labels, "int32")})

    def pair(self, test: int, train: int) -> dict[str, Any]:
        """Says what a test and a training example are, as a table's row.

        Args:
            test: The test example's number.
            train: The training example's.

        Returns:
            "test" and "training", their titles; "label" and "its_label", their classes; and, where examples have
            columns, "both_have", those of `in_common`.
        """
        found = {"test": self.titles["test"][test], "label": self.class_names[self.labels["test"][test]]}
        found |= {"training": self.titles["train"][train], "its_label": self.class_names[self.labels["train"][train]]}
        return found | ({"both_have": " ".join(self.in_common(test, train))} if self.columns else {})

    def in_common(self, test: int, train: int, most: int = 5) -> list[str]:
        """Names the columns in which a test and a training example are both above 0, such as words of two mails.

        Args:
            test: The test example's number.
            train: The training example's.
            most: How many columns at most: those that are above 0 in the fewest training examples.

        Returns:
            Their names, the rarest first.
        """
        both = np.flatnonzero((self.features["test"][test] > 0) & (self.features["train"][train] > 0))
        often = (self.features["train"][:, both] > 0).sum(axis=0)
        return [self.columns[column] for column in both[np.argsort(often, kind="stable")[:most]]]


def of_images(found: images.labelled.Images, train: Sequence[str] = ("train",)) -> Classified:
    """Takes images into memory.

    Args:
        found: What `data.images.load` returned.
        train: Its parts that are trained on.

    Returns:
        Their pixels, the middle cut out and nothing changed at random.

    Raises:
        ValueError: Where they would take more than half of the memory.
    """
    together = {"train": [found.parts[part] for part in train], "test": [found.parts["test"]]}
    number = sum(len(part.labels) for parts in together.values() for part in parts)
    side, _, channels = found.parts["test"].store[0].shape
    limits.check(4 * number * side**2 * channels, f"{number} images at once", limits.half_of_memory())
    features, labels, titles = {}, {}, {}
    for part, own in together.items():
        pixels = np.concatenate([each.store.read(np.arange(len(each.labels))) for each in own])
        features[part] = found.cut(pixels).astype("float32")
        labels[part] = np.concatenate([each.labels for each in own])
        titles[part] = [f"{part} image {number}" for number in range(len(pixels))]
    return Classified(features, labels, found.class_names, (), titles)


def of_another_run(
    made: Mapping[str, Any],
    source: str,
    shape: Sequence[int],
    class_names: Sequence[str],
    flag: str,
    *,
    num_train: int | None = None,
    seed: int = 0,
) -> Classified:
    """Reads the images that a network of another run was trained on, in their parts.

    Args:
        made: That run's settings, by name.
        source: READER:REST, where they are now; "embedded": where that run found them.
        shape: (height, width, channels) that the network takes.
        class_names: Its classes.
        flag: What names that run, for the errors, such as "--model=runs/x".
        num_train: How many training examples to take; None: all.
        seed: Decides which.

    Returns:
        The new examples.

    Raises:
        ValueError: Where they are not there any more, or their classes are others.
    """
    source = made.get("data", source) if source == "embedded" else source
    if gone := sources.missing(source):
        raise ValueError(f"{flag} was trained on {', '.join(gone)}, which is not there any more. Say where: --data.")
    how = {name: made[name] for name in ("held_out", "skip_corrupt", "seed") if name in made}
    found = images.load(source, image_size=shape[0], channels=shape[2], batch_size=32, **how)
    return of_images(found.for_classes(class_names, flag)).drawn(num_train, seed)


def load(
    source: str,
    *,
    classes: Sequence[str] = (),
    num_train: int | None = None,
    image_size: int | None = None,
    num_words: int = 1500,
    encoding: str = "latin-1",
    held_out: float = 0.2,
    skip_corrupt: bool = False,
    seed: int = 0,
) -> Classified:
    """Reads examples with a class, all of them into memory.

    Args:
        source: READER:REST. mail:FOLDER: files in `ham/` and `spam/`, as in Enron-Spam, as bags of words.
            embedded:patients[:N]: 4,000 or N made-up patients of a hospital, and half as many that test. embedded:
            scikit-learn's digits; idx:FOLDER, npz:FILE, folder:FOLDER, keras:NAME, tfds:NAME: images, read as
            `data.images.load` does, in grey; what validates there is trained on here.
        classes: Those to take, in their new order; none: all.
        num_train: How many training examples to take, drawn at random; None: all.
        image_size: Height and width of the images; None: 8 of embedded ones, else 28.
        num_words: Words of a bag, at most: those that are in the most training mails.
        encoding: Of mails; latin-1 takes any byte.
        held_out: Share of each class's mails that tests; of images the share that does so where no part is there.
        skip_corrupt: Whether to leave out images that cannot be read, instead of stopping.
        seed: Decides what is held out and drawn, and the patients.

    Returns:
        `Classified`.

    Raises:
        ValueError: Where something is not as expected; file, class or flag are named.
        FileNotFoundError: Where a path does not exist.
        OSError: Where the system refuses.

    Example:

    >>> digits = load("embedded", classes=("1", "7"), num_train=100)
    >>> digits.features["train"].shape, digits.class_names, sorted(set(digits.labels["test"].tolist()))
    ((100, 8, 8, 1), ('1', '7'), [0, 1])

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 5 (its data).
    """
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share over 0 and under 0.5.")
    known = [*readers.READERS, *(set(images.readers.READERS) - set(readers.READERS))]
    name, rest = sources.parse(source, sorted(known), lambda path: readers.sniff(path) or images.readers.sniff(path))
    if name == "mail" or (name == "embedded" and rest.startswith("patients")):
        own = readers.READERS[name](rest, num_words=num_words, encoding=encoding, held_out=held_out, seed=seed)
        found = Classified(own.features, own.labels, tuple(own.class_names), tuple(own.columns), own.titles)
    else:
        side = image_size or (8 if name == "embedded" else 28)
        how = {"held_out": held_out, "skip_corrupt": skip_corrupt, "seed": seed, "channels": 1}
        found = of_images(images.load(source, image_size=side, batch_size=32, **how), ("train", "validation"))
    if classes:
        found = found.of_classes(classes)
    return found.drawn(num_train, seed)
