"""Small files in the formats in which data sets of known factors are published."""

import gzip
import itertools
import math
import struct

import h5py
import numpy as np

DSPRITES = "dsprites_ndarray_co1sh2sc2or3x2y4_8x10.npz"
NORB = "smallnorb-2x{}x3x2x2x2x12x12-{}"


def noise(seed, *shape, most=256):
    return np.random.default_rng(seed).integers(0, most, shape).astype("uint8")


def combinations(*sizes):
    return np.array(list(itertools.product(*map(range, sizes))))


def dsprites(path, sizes=(1, 2, 2, 3, 2, 4), shape=(8, 10), save=np.savez_compressed, **others):
    """As published: with a pickle of what is known of it. Returns images and classes."""
    arrays = {
        "metadata": np.array({"author": "nobody", "latents_sizes": np.array(sizes)}, object),
        "imgs": noise(0, math.prod(sizes), *shape, most=2),
        "latents_classes": combinations(*sizes),
        "latents_values": combinations(*sizes) * 0.5,
    } | others
    save(path, **{name: array for name, array in arrays.items() if array is not None})
    return arrays["imgs"], arrays["latents_classes"]


def shapes3d(path, sizes=(2, 3, 2, 2, 2, 2), side=8, **others):
    """As published: packed with gzip, many images together, piece by piece. Returns images and classes."""
    classes = combinations(*sizes)
    lowest, highest = np.array([0, 0, 0, 0.75, 0, -30]), np.array([0.9, 0.9, 0.9, 1.25, 3, 30])
    arrays = {
        "images": noise(1, len(classes), side, side, 3),
        "labels": lowest + (highest - lowest) * classes / (np.array(sizes) - 1),
    } | others
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            if array is not None:
                chunks = (60, 4, 4, 1) if array.shape == (96, 8, 8, 3) else True
                file.create_dataset(name, data=array, chunks=chunks, compression="gzip")
    return arrays["images"], classes


def matrix(array):
    """NORB's binary matrix: three lengths or more, those of axes that are not there being 1."""
    code = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54}[array.dtype.name]
    lengths = (*array.shape, 1, 1, 1)[: max(3, array.ndim)]
    return struct.pack(f"<II{len(lengths)}i", code, array.ndim, *lengths) + array.tobytes()


def norb(folder, packed=False):
    """Two sets of three files, of two toys each, in a random order. Returns images and (category, ..., toy)."""
    found = []
    for seed, (toys, part) in enumerate([((1, 4), "training"), ((0, 2), "testing")]):
        table = np.random.default_rng(seed).permutation(combinations(2, 3, 2, 2, 2)).astype("int32")
        category, elevation, azimuth, lighting, toy = table.T
        toy = np.array(toys, "int32")[toy]
        photos = noise(seed, len(table), 2, 12, 12)
        name = NORB.format("".join(map(str, toys)), part)
        arrays = {"dat": photos, "cat": category, "info": np.stack([toy, elevation, 2 * azimuth, lighting], axis=1)}
        for kind, array in arrays.items():
            content = matrix(np.ascontiguousarray(array))
            path = folder / f"{name}-{kind}.mat{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
        found.append((photos[:, 0], np.stack([category, elevation, azimuth, lighting, toy], axis=1)))
    return np.concatenate([photos for photos, _ in found]), np.concatenate([table for _, table in found])
