"""Image files and arrays for tests, and what batches of them hold."""

import numpy as np
from PIL import Image

SIZES = {"image_size": 10, "batch_size": 4}


def write(path, pixels, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **how)
    return path


def noise(seed, height=10, width=10, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels)).astype("uint8")


def folder(root, splits=("train", "test"), classes=("cat", "dög 犬"), count=6):
    """PNG files of noise, each with a number of its own."""
    number = 0
    for split in splits:
        for name in classes:
            for k in range(count):
                write(root / split / name / f"{k} ü.png", noise(number))
                number += 1
    return root


def everything(batches):
    pictures, labels = zip(*batches.dataset(num_epochs=1).as_numpy_iterator(), strict=True)
    return np.concatenate(pictures), np.concatenate(labels)


def multiset(pictures, labels):
    return sorted((label, picture.tobytes()) for picture, label in zip(pictures, labels, strict=True))


def assert_same(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def arrays(**changed):
    """As Keras' mnist.npz, small; None leaves an array out."""
    random = np.random.default_rng(0)
    made = {"x_train": random.integers(0, 256, (30, 12, 12)).astype("uint8"), "y_train": np.arange(30) % 3}
    made |= {"x_test": made["x_train"][:9] ^ 255, "y_test": np.arange(9) % 3}
    return {name: array for name, array in {**made, **changed}.items() if array is not None}


def saved(path, **changed):
    np.savez(path, **arrays(**changed))
    return path


def damage(root):
    """A truncated, an empty and a wrong file among good ones."""
    jpeg = write(root / "train" / "cat" / "x truncated.jpg", noise(3, 64, 64), quality=95)
    jpeg.write_bytes(jpeg.read_bytes()[:2000])
    (root / "train" / "cat" / "y empty.png").write_bytes(b"")
    (root / "test" / "cat" / "z text.jpg").write_text("this is no image")
    return {jpeg: "truncated", root / "train/cat/y empty.png": "is empty", root / "test/cat/z text.jpg": "none of JPEG"}
