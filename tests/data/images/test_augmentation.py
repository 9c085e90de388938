import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from toolkit.data.draws import draws
from toolkit.data.images import augmentation as module
from toolkit.data.images.augmentation import Augmentation, centre_crop

SEEDS = np.arange(2000)


def pictures(count, side=8, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, channels)).astype("uint8")


def many(picture, seeds=SEEDS):
    """The same picture for each seed."""
    return np.broadcast_to(picture, (len(seeds), *picture.shape))


@pytest.mark.parametrize("crop", module.CROPS)
def test_an_image_and_its_seed_decide_not_the_batch(crop):
    augmentation = Augmentation(crop, flip=True, color=0.4, lighting=0.1, erasing=0.5, seed=3)
    images = pictures(12, side=9)
    whole = augmentation(images, SEEDS[:12], 8).numpy()
    apart = [augmentation(images[part], SEEDS[:12][part], 8) for part in (slice(0, 5), slice(5, 6), slice(6, 12))]
    np.testing.assert_array_equal(np.concatenate(apart), whole)
    turned = augmentation(images[::-1], SEEDS[:12][::-1], 8)
    np.testing.assert_array_equal(turned[::-1], whole)
    assert whole.dtype == np.float32 and whole.min() >= 0 and whole.max() <= 255
    for other in (
        augmentation(images, SEEDS[:12] + 1000, 8),
        Augmentation(crop, flip=True, color=0.4, lighting=0.1, erasing=0.5, seed=4)(images, SEEDS[:12], 8),
    ):
        assert (np.abs(other - whole).max((1, 2, 3)) > 0).all()


@pytest.mark.parametrize("crop", module.CROPS)
def test_in_a_graph_with_floats_and_unknown_batch(crop):
    augmentation = Augmentation(crop, flip=True, color=0.4, erasing=0.5)
    images = pictures(6, side=9)
    eager = augmentation(images, SEEDS[:6], 8).numpy()
    data = tf.data.Dataset.from_tensor_slices((images.astype("float32"), SEEDS[:6])).batch(4)
    data = data.map(lambda image, seed: augmentation(image, seed, 8))
    assert data.element_spec.shape.as_list() == [None, 8, 8, 3]
    np.testing.assert_allclose(np.concatenate(list(data.as_numpy_iterator())), eager, atol=1e-3)


def test_nothing_is_done_unless_asked_for():
    images = pictures(4, side=10)
    np.testing.assert_array_equal(Augmentation()(images, SEEDS[:4], 8), images[:, 1:9, 1:9])
    np.testing.assert_array_equal(centre_crop(images, 7), images[:, 1:8, 1:8])
    assert centre_crop(images, 7).dtype == tf.float32


@pytest.mark.parametrize("crop, side, places", [("shift", 16, 5), ("window", 18, 3)])
def test_whole_pixels(crop, side, places):
    """Each result is one of the windows, mirrored or not, and each of them comes as often."""
    picture = pictures(1, side)[0]
    results = Augmentation(crop, flip=True)(many(picture), SEEDS, 16).numpy()
    border = 2 if crop == "shift" else 0
    padded = np.pad(picture, ((border, border), (border, border), (0, 0)))
    windows = {
        (top, left, step): padded[top : top + 16, left : left + 16][:, ::step].astype("float32").tobytes()
        for top in range(places)
        for left in range(places)
        for step in (1, -1)
    }
    counts = np.array([sum(result.tobytes() == window for result in results) for window in windows.values()])
    assert counts.sum() == len(results)
    expected = len(results) / len(windows)
    assert (np.square(counts - expected) / expected).sum() < len(windows) + 5 * np.sqrt(2 * len(windows))


def test_flip_alone_and_none():
    picture = pictures(1)[0]
    results = Augmentation(flip=True)(many(picture), SEEDS, 8).numpy()
    mirrored = (results == picture[:, ::-1]).all((1, 2, 3))
    assert (mirrored | (results == picture).all((1, 2, 3))).all() and abs(mirrored.mean() - 0.5) < 0.05


def test_area():
    """A picture of its own coordinates says where each of the result's pixels was taken from."""
    side, size = 40, 32
    picture = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1).astype("float32")
    results = Augmentation("area", flip=True)(many(picture), SEEDS, size).numpy()
    down, across = results[:, :, 0, 0], results[:, 0, :, 1]
    np.testing.assert_allclose(results[..., 0], np.broadcast_to(down[:, :, None], results.shape[:3]), atol=1e-3)
    np.testing.assert_allclose(results[..., 1], np.broadcast_to(across[:, None], results.shape[:3]), atol=1e-3)
    mirrored = across[:, 0] > across[:, -1]
    assert abs(mirrored.mean() - 0.5) < 0.05
    across[mirrored] = across[mirrored, ::-1]
    assert down.min() >= 0 and across.min() >= 0 and max(down.max(), across.max()) <= side - 1
    # Where nothing is beyond the outermost pixels, the steps tell the sides of what was taken.
    inside = [(p.min(1) > 0.01) & (p.max(1) < side - 1.01) for p in (down, across)]
    for positions, within in zip((down, across), inside, strict=True):
        steps = np.diff(positions[within], axis=1)
        np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), atol=1e-3)
    height, width = ((p[:, -1] - p[:, 0]) / (size - 1) * size / side for p in (down, across))
    both = inside[0] & inside[1]
    area, aspect = (height * width)[both], (width / height)[both]
    assert 0.08 <= area.min() < 0.1 and area.max() <= 1
    assert 0.745 < aspect.min() < 0.78 and 1.28 < aspect.max() < 1.34
    assert abs(np.log(aspect).mean()) < 0.02
    # The middle of what was taken does not lean to a side.
    assert abs(down.mean() - (side - 1) / 2) < 0.3 and abs(across.mean() - (side - 1) / 2) < 0.3


def test_area_is_uniform():
    area = 0.08 + 0.92 * draws(module._DRAWS, 0, SEEDS)[0]["area"].numpy()
    height, width = module._sides(area, draws(module._DRAWS, 0, SEEDS)[0]["aspect"], (3 / 4, 4 / 3))
    np.testing.assert_allclose(height * width, area, rtol=1e-5)
    assert max(height.numpy().max(), width.numpy().max()) <= 1.000001
    assert abs(area.mean() - 0.54) < 0.02


@pytest.mark.parametrize("size", [20, 23, 40])
def test_area_resizes_as_pillow_does(size):
    """The whole of an image, as it is and enlarged."""
    picture = pictures(1, side=20)[0]
    found = Augmentation("area", smallest_area=1.0)(picture[None], SEEDS[:1], size)[0].numpy()
    expected = Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)
    assert np.abs(found - np.asarray(expected, "float32")).max() < 1.01  # Pillow rounds


def affine(before, after):
    """The matrix and the offset that make one picture of the other, and what is left."""
    pixels = np.concatenate([before.reshape(-1, 3), np.ones((before[..., 0].size, 1))], 1)
    found, *_ = np.linalg.lstsq(pixels, after.reshape(-1, 3).astype("float64"), rcond=None)
    return found[:3], found[3], np.abs(pixels @ found - after.reshape(-1, 3)).max()


def test_colors():
    """The factors are found again from the result, and, one after the other, they make it."""
    luma = np.array([0.299, 0.587, 0.114])
    picture = (100 + pictures(1)[0] // 8).astype("uint8")  # far from 0 and 255: nothing is clipped
    factors = []
    for result in Augmentation(color=0.3)(many(picture, SEEDS[:300]), SEEDS[:300], 8).numpy():
        matrix, offset, rest = affine(picture.astype("float64"), result)
        assert rest < 0.01  # the map is one
        scale = matrix.sum(0).mean()
        grey = (picture @ luma).mean()
        brightness = scale + offset.mean() / grey
        contrast, saturation = scale / brightness, 1 - matrix[0, 1] / (scale * luma[0])
        changed = picture * brightness
        mean = (changed @ luma).mean()
        changed = (changed - mean) * contrast + mean
        changed = (changed - (changed @ luma)[..., None]) * saturation + (changed @ luma)[..., None]
        np.testing.assert_allclose(result, changed, atol=0.1)
        factors.append([brightness, contrast, saturation])
    factors = np.array(factors)
    assert (np.abs(factors - 1) < 0.306).all() and (np.abs(factors - 1).max(0) > 0.28).all()
    assert (np.abs(factors.mean(0) - 1) < 0.04).all()
    assert np.abs(np.corrcoef(factors.T) - np.eye(3)).max() < 0.25


def test_colors_are_clipped_and_grey_images_stay_grey():
    bright = Augmentation(color=1.0)(pictures(50), SEEDS[:50], 8).numpy()
    assert bright.min() == 0 and bright.max() == 255
    grey = pictures(50, channels=1)
    both = [Augmentation(color=0.5)(images, SEEDS[:50], 8).numpy() for images in (grey, np.repeat(grey, 3, -1))]
    np.testing.assert_allclose(np.repeat(both[0], 3, -1), both[1], atol=0.1)
    np.testing.assert_array_equal(Augmentation(lighting=1.0)(grey, SEEDS[:50], 8), grey)


def test_lighting():
    """As Krizhevsky et al. say: the colours of all pixels move by p [a1 l1, a2 l2, a3 l3], a normal."""
    picture = np.full((8, 8, 3), 128, "float32")
    moved = Augmentation(lighting=0.1)(many(picture), SEEDS, 8).numpy() - 128
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:, :1, :1], moved.shape), atol=1e-4)
    moved = moved[:, 0, 0]
    p = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
    steps = moved @ p / (25.5 * np.array([0.2175, 0.0188, 0.0045]))  # the eigenvectors are orthogonal
    assert np.abs(steps.mean(0)).max() < 0.1
    assert np.abs(np.cov(steps.T) - np.eye(3)).max() < 0.15
    assert np.abs((steps**4).mean(0) - 3).max() < 0.8  # normal, not uniform (1.8)


def test_erasing():
    picture = np.full((32, 32, 3), 128, "uint8")
    results = Augmentation(erasing=0.5)(many(picture), SEEDS, 32).numpy()
    changed = (results != 128).any(-1)
    erased = changed.any((1, 2))
    assert abs(erased.mean() - 0.5) < 0.05
    sides, values, ends = [], [], []
    for mask, result in zip(changed[erased], results[erased], strict=True):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        block = np.ix_(range(rows[0], rows[-1] + 1), range(columns[0], columns[-1] + 1))
        assert mask[block].mean() > 0.98  # noise may be 128 by chance
        sides.append([np.ptp(rows) + 1, np.ptp(columns) + 1])
        ends.append([rows[0], rows[-1], columns[0], columns[-1]])
        values.append(result[block].reshape(-1))
    height, width = np.array(sides).T
    area, aspect = height * width / 1024, width / height
    assert area.min() > 0.01 and area.max() < 0.44 and abs(area.mean() - 0.21) < 0.02
    assert aspect.min() < 0.5 and aspect.max() > 2 and 0.2 < aspect.min() and aspect.max() < 5
    assert abs(np.log(aspect).mean()) < 0.08
    ends = np.array(ends)
    for axis, side in ((0, height), (2, width)):  # those that do not reach over all of the image come to each edge
        first, last = ends[side < 24, axis], ends[side < 24, axis + 1]
        assert first.min() == 0 and last.max() == 31 and abs((first + last).mean() - 31) < 1.5
    noise = np.concatenate(values)
    counts = np.bincount(noise.astype(int), minlength=256)
    assert (noise == np.rint(noise)).all() and len(counts) == 256
    assert counts.min() > 0.9 * counts.mean() and counts.max() < 1.1 * counts.mean()
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.01


def test_noise_of_two_images_is_unlike(monkeypatch):
    monkeypatch.setattr(module, "_sides", lambda area, place, aspects: (tf.ones_like(area), tf.ones_like(area)))
    images = np.zeros((40, 32, 32, 3), "uint8")
    noise = Augmentation(erasing=1.0)(images, np.arange(40), 32).numpy().reshape(40, -1)
    assert np.abs(np.corrcoef(noise) - np.eye(40)).max() < 0.09


def test_what_is_switched_on_leaves_the_rest_as_it_was():
    images = pictures(50)
    plain = Augmentation("shift", flip=True)(images, SEEDS[:50], 8).numpy()
    erased = Augmentation("shift", flip=True, erasing=0.5)(images, SEEDS[:50], 8).numpy()
    same = (plain == erased).all((1, 2, 3))
    assert 10 < same.sum() < 40 and (plain == erased).mean() > 0.7


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"crop": "middle"}, "crop='middle': expected one of none, shift, window, area"),
        ({"color": -0.1}, "color=-0.1: expected 0 to 1"),
        ({"color": 1.5}, "color=1.5"),
        ({"lighting": -1}, "lighting=-1"),
        ({"erasing": 1.1}, "erasing=1.1: expected 0 to 1"),
        ({"erasing": float("nan")}, "erasing=nan"),
        ({"smallest_area": 0.0}, "smallest_area=0.0: expected more than 0"),
        ({"smallest_area": 2}, "smallest_area=2"),
    ],
)
def test_settings_out_of_range(settings, words):
    with pytest.raises(ValueError, match=words):
        Augmentation(**settings)


def test_sizes():
    for crop in ("none", "shift", "window"):
        with pytest.raises(ValueError, match="Images of 8 x 8 have no part of 9 x 9"):
            Augmentation(crop)(pictures(2), SEEDS[:2], 9)
    with pytest.raises(ValueError, match="no part of 9 x 9"):
        centre_crop(pictures(2), 9)
    assert Augmentation("area")(pictures(2), SEEDS[:2], 9).shape == (2, 9, 9, 3)
    assert Augmentation("area")(pictures(2, side=1), SEEDS[:2], 1).shape == (2, 1, 1, 3)
    sizes = {crop: Augmentation(crop).stored_size(224) for crop in module.CROPS}
    assert sizes == {"none": 224, "shift": 224, "window": 256, "area": 256}
