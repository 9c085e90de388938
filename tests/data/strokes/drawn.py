"""Lines of handwriting in folders, and what is read of them."""

import functools

import numpy as np

from toolkit.data.strokes import embedded_writers

OPTIONS = {"batch_size": 4, "seed": 0}


@functools.cache
def written():
    """Lines to be put into files."""
    return embedded_writers.written_lines(40, seed=5)


def fill(folder, count=40, text=True):
    """A folder of NAME.npy and NAME.txt."""
    folder.mkdir(exist_ok=True)
    for number, line in enumerate(written()[:count]):
        np.save(folder / f"{number:03}.npy", line.offsets)
        if text:
            (folder / f"{number:03}.txt").write_text(f"{line.text}\n", encoding="utf-8")
    return folder


def rows(batches):
    """Each line of an epoch, its padding cut off: (text or None, offsets)."""
    found = []
    for batch in batches.dataset(num_epochs=1).as_numpy_iterator():
        for number, (offsets, mask) in enumerate(zip(batch["offsets"], batch["mask"], strict=True)):
            text = "".join(map(chr, batch["text"][number])).rstrip("\0") if "text" in batch else None
            found.append((text, offsets[mask].tobytes()))
    return sorted(found, key=repr)


def as_rows(lines):
    return sorted(((line.text, line.offsets.tobytes()) for line in lines), key=repr)


def parts_of(splits):
    return splits.train, splits.validation, splits.test
