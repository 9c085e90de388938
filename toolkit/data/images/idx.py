"""Images and labels in the IDX files that MNIST is published in, and after it Fashion-MNIST, KMNIST and EMNIST."""

import os
import pathlib

import numpy as np

from toolkit.files import archives, binary, limits

# By part, what a file's name has before its kind.
PARTS = {"train": ("train",), "test": ("t10k", "test")}
_KINDS = {"images": 3, "labels": 1}
_EXPECTED = "an IDX file, such as train-images-idx3-ubyte.gz"


def files(folder: str | os.PathLike) -> dict[str, dict[str, pathlib.Path]]:
    """Finds the four files.

    Args:
        folder: Where `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
            `t10k-labels-idx1-ubyte` lie, packed as `.gz` or not, other words before the names or none.

    Returns:
        By part, "train" and "test", the paths of its "images" and "labels".

    Raises:
        FileNotFoundError: Where the folder or one of the files is not there.
        ValueError: Where one is there twice, under two names.
        OSError: Where the folder cannot be read.
    """
    folder = binary.expanded(folder)
    if not binary.exists(folder):
        raise FileNotFoundError(f"{folder}: no such folder; expected one with {_EXPECTED}.")
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; expected the folder of {_EXPECTED}.")
    there, found = sorted(folder.iterdir()), {}
    for part, words in PARTS.items():
        found[part] = {}
        for kind, ndim in _KINDS.items():
            ends = tuple(f"{word}-{kind}-idx{ndim}-ubyte{packed}" for word in words for packed in ("", ".gz"))
            own = [path for path in there if path.name.replace(".idx", "-idx").endswith(ends)]
            if not own:
                raise FileNotFoundError(f"{folder} has no {ends[1]}, nor {ends[0]}.")
            if len({path.name.removesuffix(".gz") for path in own}) > 1:
                raise ValueError(f"{folder} has {' and '.join(path.name for path in own)}; expected one of them.")
            found[part][kind] = own[0]
    return found


def read_array(path: str | os.PathLike) -> np.ndarray:
    """Reads an array of an IDX file of bytes.

    The file begins with two zero bytes, 0x08 for unsigned bytes, the number of axes, and the length of each as a big
    endian int32; the numbers follow.

    Args:
        path: The file, or the same packed as `.gz`.

    Returns:
        uint8, of the shape that it says.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is no such file, is damaged, or is longer or shorter than it says.
        OSError: Where the system refuses.

    Reference: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
    """
    path = binary.expanded(path)
    bound = limits.half_of_memory()
    content = b"".join(archives.unpacked(path)) if path.suffix == ".gz" else binary.read(path, _EXPECTED, bound)
    ndim = content[3] if len(content) > 3 else 0
    begin = 4 + 4 * ndim
    if content[:3] != b"\0\0\x08" or not 1 <= ndim <= 4 or len(content) < begin:
        raise ValueError(
            f"{path} begins with {content[:4].hex(' ') or 'nothing'}; expected {_EXPECTED}, which begins with 00 00 08 "
            "and the number of axes."
        )
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", ndim, 4))
    size = int(np.prod([float(side) for side in shape]))
    if len(content) - begin != size:
        raise ValueError(
            f"{path}: {len(content) - begin:,} numbers; expected {size:,}, as its shape {shape} says. Was it cut off?"
        )
    return np.frombuffer(content, "uint8", size, begin).reshape(shape)
