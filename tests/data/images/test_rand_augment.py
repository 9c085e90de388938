import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from toolkit.data.images.augmentation import Augmentation
from toolkit.data.images.rand_augment import MOST, OPERATIONS, RandAugment, changed

RANDOM = np.random.default_rng(0)
SIDE = 12
IMAGES = RANDOM.integers(0, 256, (9, SIDE, SIDE, 3)).astype("uint8")
IMAGES[1] = RANDOM.integers(40, 90, (SIDE, SIDE, 3))  # of little contrast
IMAGES[2] = 77  # of one colour


def enhanced(kind):
    return lambda image, sign, strength: kind(image).enhance(1 + sign * 0.9 * strength)


# What Pillow does, which is not this code.
PILLOW = {
    "identity": lambda image, sign, strength: image,
    "autocontrast": lambda image, sign, strength: ImageOps.autocontrast(image),
    "equalize": lambda image, sign, strength: ImageOps.equalize(image),
    "solarize": lambda image, sign, strength: ImageOps.solarize(image, 255 * (1 - strength)),
    "posterize": lambda image, sign, strength: ImageOps.posterize(image, 8 - round(4 * strength)),
    "color": enhanced(ImageEnhance.Color),
    "contrast": enhanced(ImageEnhance.Contrast),
    "brightness": enhanced(ImageEnhance.Brightness),
    "sharpness": enhanced(ImageEnhance.Sharpness),
}


@pytest.mark.parametrize("strength", [0.3, 1.0])
@pytest.mark.parametrize("name", PILLOW)
def test_colours_are_pillows(name, strength):
    for sign in (-1.0, 1.0):
        which = np.full(len(IMAGES), OPERATIONS.index(name), "int32")
        found = changed(IMAGES.astype("float32"), which, np.full(len(IMAGES), sign, "float32"), strength).numpy()
        expected = [np.asarray(PILLOW[name](Image.fromarray(image), sign, strength)) for image in IMAGES]
        # Pillow cuts off in single precision, which can go either way at a whole number.
        assert np.abs(found - np.stack(expected)).max() <= 1
        assert np.mean(found == np.stack(expected)) > 0.95
        np.testing.assert_array_equal(found, np.rint(found))


def test_moves_are_as_far_as_they_should_be():
    def one(name, sign, strength, images=IMAGES):
        which = np.full(len(images), OPERATIONS.index(name), "int32")
        return changed(images.astype("float32"), which, np.full(len(images), sign, "float32"), strength).numpy()

    right = one("translate_x", 1.0, 0.5)  # 12 * 0.453 / 2: two pixels
    np.testing.assert_array_equal(right[:, :, 2:], IMAGES[:, :, :-2])
    assert not right[:, :, :2].any()
    up = one("translate_y", -1.0, 0.5)
    np.testing.assert_array_equal(up[:, :-2], IMAGES[:, 2:])
    sheared = one("shear_x", 1.0, 1.0)
    rows = {}
    for row in range(SIDE):  # each row moves by 0.3 of how far it lies from the middle
        moves = [m for m in range(-3, 4) if np.array_equal(sheared[0, row, 3:-3], IMAGES[0, row, 3 + m : SIDE - 3 + m])]
        rows[row] = moves[0]
    assert rows[0] == -2 and rows[SIDE - 1] == 2 and rows[5] == rows[6] == 0
    # A rotation there and back is the middle of the image, but for the rounding to pixels.
    wide = np.asarray(Image.fromarray(IMAGES[0]).resize((48, 48), Image.Resampling.BILINEAR))[None]
    back = one("rotate", -1.0, 1.0, one("rotate", 1.0, 1.0, wide))
    assert np.abs(back - wide)[0, 16:32, 16:32].mean() < 10 < np.abs(one("rotate", 1.0, 1.0, wide) - wide).mean()
    expected = np.asarray(Image.fromarray(wide[0]).rotate(30, Image.Resampling.NEAREST))
    same = [np.mean(one("rotate", sign, 1.0, wide)[0] == expected) for sign in (1.0, -1.0)]
    assert max(same) > 0.95


@pytest.mark.slow
def test_the_seed_decides_and_not_the_batch():
    change, seeds = RandAugment(2, 12, seed=4), np.arange(9)
    whole = change(IMAGES, seeds).numpy()
    for order in (np.arange(9)[::-1], np.array([7])):
        np.testing.assert_array_equal(change(IMAGES[order], seeds[order]), whole[order])
    np.testing.assert_array_equal(tf.function(change)(IMAGES, seeds), whole)
    assert (RandAugment(2, 12, seed=5)(IMAGES, seeds) != whole).numpy().any()


def test_all_operations_are_drawn_alike():
    image = np.broadcast_to(IMAGES[:1], (1400, SIDE, SIDE, 3))
    found = RandAugment(1, MOST)(image, np.arange(1400)).numpy()
    kinds, counts = np.unique(found.reshape(1400, -1), axis=0, return_counts=True)
    # Both ways of nine operations, and one of five, of which identity and autocontrast do the same to this image.
    assert len(kinds) == 22 and counts.min() > 25 and counts.max() < 250 and np.sort(counts)[-2] < 150


def test_mirrored_images_get_every_operation():
    """At a recipe's default seeds, at which both draw for the same images."""
    seeds, marked = np.arange(1400), np.zeros((1400, 2, 2, 1), "uint8")
    marked[:, :, 0] = 255
    mirrored = Augmentation(flip=True)(marked, seeds, 2).numpy()[:, 0, 0, 0] == 0
    image = np.broadcast_to(IMAGES[:1], (1400, SIDE, SIDE, 3))
    found = RandAugment(1, MOST)(image, seeds).numpy().reshape(1400, -1)
    _, kinds = np.unique(found, axis=0, return_inverse=True)
    shares = np.bincount(kinds, weights=mirrored) / np.bincount(kinds)
    assert 0.1 < shares.min() and shares.max() < 0.9


@pytest.mark.parametrize("how", [{"num_operations": 0}, {"magnitude": -1}, {"magnitude": 31}], ids=str)
def test_numbers_out_of_range(how):
    with pytest.raises(ValueError, match=next(iter(how))):
        RandAugment(**how)
