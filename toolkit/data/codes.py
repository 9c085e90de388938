"""Discrete codes of images, sounds or films, written once as TFRecord and read as batches for a prior over them.

A record's payload is a label and a number of places, int32 each, and the codes, uint16, all little-endian:

    tf.data.TFRecordDataset("train.tfrecord").map(lambda record: (
        tf.io.decode_raw(tf.strings.substr(record, 0, 8), tf.int32),
        tf.io.decode_raw(tf.strings.substr(record, 8, 2 * math.prod(shape)), tf.uint16)))

All records of a set are equally long, so that any of them is found without reading those before it.
"""

import dataclasses
import hashlib
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.files import binary, limits
from toolkit.files.names import printable
from toolkit.files.text import read_json
from toolkit.files.writing import replaced, write_json
from toolkit.lazy import tensorflow as tf

SPLITS = ("train", "validation", "test")
HEAD = "codes.json"
MOST = 1 << 16  # codes that uint16 tells apart
_FRAMING = 16  # bytes of a record beside its payload


@dataclasses.dataclass(frozen=True)
class Codes:
    """What a VQ-VAE has made of its data: codes, and whose they are.

    Args:
        splits: Batches of {"codes": int32 (batch, *shape), "label": int32 (batch,), "length": int32 (batch,)}: what
            they are of, as `label_names` says, and how many places of the first axis count.
        shape: Of one example's codes.
        num_codes: Codes that there are.
        codebook: What tells their codebook apart, as `digest` gives it.
        label_names: What the labels mean; empty: nothing is known.
        facts: What else was said when they were written, such as what their reconstructions take.
        levels: The shapes of the levels whose codes an example joins in one row, from the coarsest; of one level its
            `shape` alone.
    """

    splits: Splits
    shape: tuple[int, ...]
    num_codes: int
    codebook: str
    label_names: tuple[str, ...]
    facts: dict[str, Any]
    levels: tuple[tuple[int, ...], ...]

    @property
    def contents(self) -> dict[str, Any]:
        """What tells these codes apart from others, for JSON."""
        return {"codebook": self.codebook, "labels": list(self.label_names), "codes": self.splits.contents}


def digest(embeddings: np.ndarray) -> str:
    """Tells a codebook from others, however little they differ.

    Args:
        embeddings: Its vectors, of any shape.

    Example:

    >>> digest(np.zeros((1, 4, 2), "float32")) == digest(np.zeros((1, 4, 2), "float32") + 1e-7)
    False
    """
    embeddings = np.ascontiguousarray(embeddings, "<f4")
    return hashlib.sha256(repr(embeddings.shape).encode() + embeddings.tobytes()).hexdigest()[:16]


def check_codebook(codes: Codes, embeddings: np.ndarray, of: str) -> None:
    """Checks that codes are of a certain codebook.

    Args:
        codes: The codes.
        embeddings: The codebook's vectors.
        of: Where it lies, for the error.

    Raises:
        ValueError: Where they are of another.
    """
    if codes.codebook != digest(embeddings):
        raise ValueError(
            f"The codes in {of} are of another codebook ({codes.codebook}) than its network has now "
            f"({digest(embeddings)}): it was trained on since. Encode anew: --mode=codes of its recipe."
        )


def write(
    folder: str | os.PathLike,
    parts: Mapping[str, Iterable[tuple[np.ndarray, np.ndarray, np.ndarray | None]]],
    *,
    shape: Sequence[int],
    num_codes: int,
    codebook: str,
    label_names: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    levels: Sequence[Sequence[int]] = (),
) -> None:
    """Writes codes, all of them or none.

    Args:
        folder: Where; what an earlier call wrote there is replaced.
        parts: "train", "validation" and "test", each batches of codes (n, *shape), labels (n,) and how many places of
            the first axis count (n,), or None: all.
        shape: Of one example's codes.
        num_codes: Codes that there are, at most 65,536.
        codebook: What tells their codebook apart, as `digest` gives it.
        label_names: What the labels mean.
        facts: What else is to be kept, for JSON.
        levels: As in `Codes`, where an example is a row of the codes of several.

    Raises:
        ValueError: Where codes or labels are out of range, or codes of another shape; where the folder holds anything
            else.
        OSError: Where the folder cannot be written.
    """
    folder, shape = binary.expanded(folder), tuple(map(int, shape))
    if not 1 <= num_codes <= MOST:
        raise ValueError(f"num_codes must be between 1 and {MOST}; got {num_codes}.")
    if not _is_shape(list(shape)):
        raise ValueError(f"shape: expected one to four sides of at most {limits.GIB:,} codes together; got {shape}.")
    with replaced(folder, [*(f"{split}.tfrecord" for split in SPLITS), HEAD], "a folder of codes") as new:
        counts = {}
        for split in SPLITS:
            counts[split] = 0
            with tf.io.TFRecordWriter(str(new / f"{split}.tfrecord")) as file:
                for codes, labels, lengths in parts[split]:
                    counts[split] += len(codes)
                    for record in _records(split, codes, labels, lengths, shape, num_codes, len(label_names)):
                        file.write(record)
        head = {"shape": list(shape), "num_codes": num_codes, "codebook": codebook, "label_names": list(label_names)}
        head |= {"levels": [list(map(int, each)) for each in levels]} if levels else {}
        write_json(new / HEAD, {**head, "counts": counts, "facts": dict(facts or {})})


def _records(split, codes, labels, lengths, shape, num_codes, num_labels):
    codes, labels = np.asarray(codes), np.asarray(labels)
    if codes.shape[1:] != shape or labels.shape != codes.shape[:1]:
        raise ValueError(
            f"{split}: expected codes (n, {', '.join(map(str, shape))}) and as many labels; got "
            f"{codes.shape} and {labels.shape}."
        )
    _check_range(codes, num_codes, split, "codes")
    if num_labels:
        _check_range(labels, num_labels, split, "labels")
    lengths = np.full(len(codes), shape[0]) if lengths is None else np.asarray(lengths)
    if lengths.shape != labels.shape or (len(lengths) and not 0 <= lengths.min() <= lengths.max() <= shape[0]):
        raise ValueError(f"{split}: expected a length of 0 to {shape[0]} for each example; got {lengths}.")
    heads = np.stack([labels, lengths], axis=1).astype("<i4")
    return [head.tobytes() + each.tobytes() for head, each in zip(heads, codes.astype("<u2"), strict=True)]


def load(folder: str | os.PathLike, *, batch_size: int, seed: int = 0) -> Codes:
    """Reads codes as `write` has written them; the files are mapped, not held in memory.

    Args:
        folder: Where they are.
        batch_size: Examples in a batch.
        seed: Decides the order of the training examples.

    Returns:
        The codes.

    Raises:
        FileNotFoundError: Where there are none.
        ValueError: Where a file is damaged, or holds what its head does not say; it is named.

    Example:

    >>> import tempfile
    >>> part = [(np.array([[0, 3], [1, 2]]), np.array([0, 1]), None)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(folder, dict.fromkeys(SPLITS, part), shape=(2,), num_codes=4, codebook="a", label_names=("x", "y"))
    ...     codes = load(folder, batch_size=2)
    ...     codes.splits.test.peek()["codes"].tolist()
    [[0, 3], [1, 2]]
    """
    folder = binary.expanded(folder)
    remedy = "Encode the data: --mode=codes of the VQ-VAE's recipe."
    fields = {"shape": list, "num_codes": int, "codebook": str, "label_names": list, "counts": dict, "facts": dict}
    if not (folder / HEAD).exists():
        raise FileNotFoundError(f"{folder / HEAD}: no such file. {remedy}")
    head = read_json(folder / HEAD, "what codes there are", fields=fields, remedy=remedy)
    shape, num_codes = head["shape"], head["num_codes"]
    levels = head.get("levels", [shape])
    right = _is_shape(shape) and isinstance(levels, list) and all(map(_is_shape, levels))
    right = right and (levels == [shape] or [sum(map(math.prod, levels))] == shape)
    if not right or not 1 <= num_codes <= MOST:
        told = f"shape {shape} of levels {levels} and {num_codes} codes"
        raise ValueError(f"{folder / HEAD}: {printable(told)} cannot be. {remedy}")
    parts = {}
    for split in SPLITS:
        path, count = folder / f"{split}.tfrecord", head["counts"].get(split)
        records = _mapped(path, tuple(shape), count, remedy)
        if head["label_names"]:
            _check_range(records["label"], len(head["label_names"]), str(path), "labels", remedy)
        for start in range(0, len(records), 4096):
            _check_range(records["codes"][start : start + 4096], num_codes, str(path), "codes", remedy)
        parts[split] = _batches(records, batch_size, seed, split == "train", tuple(shape))
    names = tuple(map(str, head["label_names"]))
    levels = tuple(map(tuple, levels))
    return Codes(Splits(**parts), tuple(shape), num_codes, head["codebook"], names, head["facts"], levels)


def _is_shape(shape):
    sides = shape if isinstance(shape, list) and len(shape) <= 4 else ()
    return bool(sides) and all(isinstance(side, int) and side > 0 for side in sides) and math.prod(sides) <= limits.GIB


def load_or_write(
    folder: str | os.PathLike,
    codes_of: Callable[[str], Iterable[tuple]],
    *,
    shape: Sequence[int],
    num_codes: int,
    embeddings: np.ndarray,
    label_names: Sequence[str] = (),
    batch_size: int,
    seed: int = 0,
) -> Codes:
    """Reads codes, and writes them first where there are none, or such of another codebook or shape.

    Args:
        folder: Where.
        codes_of: From "train", "validation" or "test" to batches as `write` takes them; asked where they are written.
        shape: As in `write`.
        num_codes: As there.
        embeddings: The vectors of their codebook.
        label_names: As there.
        batch_size: As in `load`.
        seed: As there.

    Returns:
        The codes.
    """
    codebook, head = digest(embeddings), binary.expanded(folder) / HEAD
    if head.exists():
        found = load(folder, batch_size=batch_size, seed=seed)
        if (found.codebook, found.shape) == (codebook, tuple(shape)):
            return found
    how = {"shape": shape, "num_codes": num_codes, "codebook": codebook, "label_names": label_names}
    write(folder, {split: codes_of(split) for split in SPLITS}, **how)
    return load(folder, batch_size=batch_size, seed=seed)


def _mapped(path, shape, count, remedy):
    binary.check(path, "a TFRecord of codes")
    binary.check_holes(path)
    size = 8 + 2 * math.prod(shape)
    record = np.dtype([("framing", "V12"), ("label", "<i4"), ("length", "<i4"), ("codes", "<u2", shape), ("end", "V4")])
    found = path.stat().st_size
    if count != found // record.itemsize or found % record.itemsize:
        raise ValueError(
            f"{path} has {found} bytes; expected {count} records of {size + _FRAMING}. Cut short? {remedy}"
        )
    try:  # the checksums, which tell of any damage
        read = tf.data.TFRecordDataset(str(path)).reduce(np.int64(0), lambda total, _: total + 1).numpy()
    except tf.errors.OpError as error:
        raise ValueError(f"{path} is damaged: {str(error).splitlines()[0][:200]} {remedy}") from error
    if read != count:
        raise ValueError(f"{path} is damaged: {read} records can be read of {count}. {remedy}")
    return np.memmap(path, record, "r")


def _check_range(values, count, where, what, remedy=""):
    if values.size and (values.min() < 0 or values.max() >= count):
        told = f"{where}: {what} {values.min()} to {values.max()}; expected 0 to {count - 1}. {remedy}"
        raise ValueError(told.rstrip())


def _batches(records, batch_size, seed, train, shape):
    def read(indices):
        rows = records[indices]
        return {
            "codes": rows["codes"].astype("int32"),
            "label": rows["label"].astype("int32"),
            "length": rows["length"].astype("int32"),
        }

    signature = {
        "codes": tf.TensorSpec((None, *shape), tf.int32),
        "label": tf.TensorSpec((None,), tf.int32),
        "length": tf.TensorSpec((None,), tf.int32),
    }
    plan = shuffled_plan(len(records), batch_size, seed=seed, shuffle=train)
    return Batches(read, plan, signature, num_examples=len(records))
