"""Where examples with a class come from that are no images: --data=READER:REST."""

import pathlib
import re
from typing import NamedTuple

import numpy as np

from toolkit.data import splitting
from toolkit.data.classified import mail, patients
from toolkit.data.classified.bag_of_words import bags
from toolkit.files.names import printable


class Found(NamedTuple):
    """What a reader returns.

    Args:
        features: By part, "train" and "test", float32 (examples, columns).
        labels: By part, integers (examples,).
        class_names: The classes, in the order of their labels.
        columns: What each number of an example is.
        titles: By part, what each example is called.
    """

    features: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    columns: list[str]
    titles: dict[str, list[str]]


def _embedded(rest, *, seed, **_):
    found = re.fullmatch("patients(?::([0-9]{3,7}))?", rest)
    if not found or not 100 <= int(found[1] or patients.DEFAULT) <= 1_000_000:
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded:patients[:N], 100 to 1,000,000 made-up patients to train "
            "on."
        )
    columns, features, labels = patients.patients(int(found[1] or patients.DEFAULT), seed)
    titles = {part: [f"patient {number}" for number in range(len(each))] for part, each in labels.items()}
    return Found(features, labels, patients.CLASSES, columns, titles)


def _mail(rest, *, num_words, encoding, held_out, seed):
    if not rest:
        raise FileNotFoundError("--data=mail: expected mail:FOLDER, the folder of ham/ and spam/.")
    paths = mail.files(rest)
    every = [path for name in mail.CLASSES for path in paths[name]]
    labels = np.repeat(np.arange(2), [len(paths[name]) for name in mail.CLASSES])
    rows = dict(zip(("train", "test"), splitting.split(len(every), [held_out], seed=seed, labels=labels), strict=True))
    if not len(rows["test"]) or len(np.unique(labels[rows["train"]])) < 2:
        raise ValueError(f"--data=mail:{printable(rest)}: expected two mails or more of each class.")
    chosen = {part: [every[row] for row in own] for part, own in rows.items()}
    try:
        words, *both = bags(*(mail.texts(chosen[part], encoding) for part in rows), num_words)
    except ValueError as error:
        raise ValueError(f"--data=mail:{printable(rest)}: {error}") from error
    titles = {part: [printable(path.name) for path in own] for part, own in chosen.items()}
    own = {part: labels[row].astype("int32") for part, row in rows.items()}
    return Found(dict(zip(rows, both, strict=True)), own, mail.CLASSES, words, titles)


READERS = {"embedded": _embedded, "mail": _mail}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "mail" or None.
    """
    return "mail" if path.is_dir() and all((path / name).is_dir() for name in mail.CLASSES) else None
