import numpy as np
import pytest
import tensorflow as tf

from toolkit.data.draws import draws
from toolkit.data.masks import augmentation as module
from toolkit.data.masks.augmentation import GREY, Augmentation, middle
from toolkit.data.masks.files import IGNORED

SEEDS = np.arange(40)
SIZES = [(24, 30), (31, 17), (9, 11), (40, 40)]


def batch(count=40, seed=0):
    """Images of unlike sizes, noise with a class in each pixel, in the corner of a batch."""
    random = np.random.default_rng(seed)
    sizes = np.array([SIZES[number % len(SIZES)] for number in range(count)], "int32")
    pixels = random.integers(0, 200, (count, *sizes.max(axis=0), 4)).astype("uint8")
    return pixels, sizes


def expected(picture, size, scale, top, left, mirrored, crop):
    """One crop, pixel by pixel, from the formula: the middles of its pixels on the image that is scaled."""
    height, width = size
    image, labels = np.full((*crop, 3), float(GREY)), np.full(crop, IGNORED)
    starts = [
        np.round(u * (length * scale - side) / scale) for u, length, side in zip((top, left), size, crop, strict=True)
    ]
    for row in range(crop[0]):
        for column in range(crop[1]):
            y = starts[0] + (row + 0.5) / scale
            x = starts[1] + ((crop[1] - column if mirrored else column + 1) - 0.5) / scale
            if not (0 <= y < height and 0 <= x < width):
                continue
            labels[row, column] = picture[int(y), int(x), 3]
            value = 0.0
            for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
                first, before = np.floor(y - 0.5), np.floor(x - 0.5)
                weight = abs(1 - i - (y - 0.5 - first)) * abs(1 - j - (x - 0.5 - before))
                at = int(np.clip(first + i, 0, height - 1)), int(np.clip(before + j, 0, width - 1))
                value = value + weight * picture[at][:3].astype(float)
            image[row, column] = value
    return image, labels


def test_each_crop_is_that_of_the_formula():
    augmentation, (pixels, sizes) = Augmentation(0.5, 2.0, flip=True, seed=3), batch()
    images, labels = augmentation(pixels, sizes, SEEDS, (16, 20))
    drawn, _ = draws(module._DRAWS, 3, SEEDS)
    drawn = {name: numbers.numpy() for name, numbers in drawn.items()}
    for row in range(12):
        how = 0.5 + 1.5 * drawn["scale"][row], drawn["top"][row], drawn["left"][row], drawn["flip"][row] < 0.5
        image, label = expected(pixels[row], sizes[row], *how, (16, 20))
        np.testing.assert_array_equal(labels[row], label)
        np.testing.assert_allclose(images[row], image, atol=1e-3)
    assert images.dtype == tf.float32 and labels.dtype == tf.int32


def test_image_and_mask_move_together():
    """Smooth pictures whose brightness says the class: it must still do so, within what a pixel's width can change."""
    rows, columns = np.mgrid[:60, :80]
    values = (rows + columns).astype("uint8")
    pixels = np.repeat(np.stack([values, values, values, values], axis=-1)[None], 40, 0)
    images, labels = Augmentation(0.5, 2.0)(pixels, np.full((40, 2), (60, 80)), SEEDS, (50, 40))
    inside = labels.numpy() != IGNORED
    assert 0.5 < inside.mean() < 1
    # Half a pixel to the nearest one, along each axis.
    assert np.abs(images.numpy()[..., 0] - labels.numpy())[inside].max() <= 1.01
    assert (images.numpy()[~inside] == GREY).all()


def test_an_image_and_its_seed_decide_not_the_batch():
    augmentation, (pixels, sizes) = Augmentation(color=0.4, seed=3), batch(12)
    whole = augmentation(pixels, sizes, SEEDS[:12], (16, 20))
    for row, (height, width) in enumerate(sizes):
        alone = augmentation(
            pixels[row : row + 1, :height, :width], sizes[row : row + 1], SEEDS[row : row + 1], (16, 20)
        )
        for one, many in zip(alone, whole, strict=True):
            np.testing.assert_array_equal(one[0], many[row])
    turned = augmentation(pixels[::-1], sizes[::-1], SEEDS[:12][::-1], (16, 20))
    np.testing.assert_array_equal(turned[0][::-1], whole[0])
    other = Augmentation(color=0.4, seed=4)(pixels, sizes, SEEDS[:12], (16, 20))
    assert (other[1].numpy() != whole[1].numpy()).any((1, 2)).all()


def test_without_any_scale_no_value_changes():
    pixels, sizes = batch()
    images, labels = Augmentation(1.0, 1.0, flip=False)(pixels, sizes, SEEDS, (10, 8))
    together = np.concatenate([images.numpy(), labels.numpy()[..., None]], axis=-1)
    for row, (height, width) in enumerate(sizes):
        if height >= 10:  # it is one of the image's windows
            windows = np.lib.stride_tricks.sliding_window_view(pixels[row, :height, :width], (10, 8), axis=(0, 1))
            windows = np.moveaxis(windows, 2, -1).reshape(-1, 10, 8, 4)
            assert (windows == together[row]).all((1, 2, 3)).any()


def test_every_place_and_scale_is_reached():
    """Crops of one row of numbered columns: the leftmost and the rightmost part, half and double the size."""
    pixels = np.repeat(np.broadcast_to(np.arange(60, dtype="uint8")[:, None], (1, 30, 60, 4)), 400, 0)
    _, labels = Augmentation(0.5, 2.0)(pixels, np.full((400, 2), (30, 60)), np.arange(400), (15, 20))
    labels = labels.numpy()
    assert labels.min() == 0 and labels[labels != IGNORED].max() == 59
    spans = np.abs(labels[:, 7, 19] - labels[:, 7, 0])
    assert spans.min() < 11 and spans.max() > 36
    mirrored = labels[:, 7, 0] > labels[:, 7, 19]
    assert 0.4 < mirrored.mean() < 0.6


def test_color_changes_the_image_alone_and_not_what_is_outside():
    pixels, sizes = batch()
    (plain, labels), (changed, same) = (
        Augmentation(color=color)(pixels, sizes, SEEDS, (16, 20)) for color in (0.0, 0.5)
    )
    np.testing.assert_array_equal(labels, same)
    outside = (labels == IGNORED).numpy()
    assert 0 < outside.mean() < 1 and (changed.numpy()[outside] == GREY).all()
    differ = np.abs(changed - plain).max((1, 2, 3))
    assert differ.min() > 1 and changed.numpy().min() >= 0 and changed.numpy().max() <= 255


@pytest.mark.parametrize("crop", [(16, 20), (40, 50), (7, 41)])
def test_the_middle(crop):
    pixels, sizes = batch(8)
    images, labels = middle(pixels, sizes, crop)
    for row, (height, width) in enumerate(sizes):
        top, left = ((length - side) // 2 for length, side in zip((height, width), crop, strict=True))
        whole = np.full((height + 100, width + 100, 4), (GREY, GREY, GREY, IGNORED), "uint8")
        whole[50 : 50 + height, 50 : 50 + width] = pixels[row, :height, :width]
        window = whole[50 + top : 50 + top + crop[0], 50 + left : 50 + left + crop[1]]
        np.testing.assert_array_equal(images[row], window[..., :3])
        np.testing.assert_array_equal(labels[row], window[..., 3])
    assert images.dtype == tf.float32 and labels.dtype == tf.int32


def test_in_a_graph_of_unknown_sizes():
    signature = [tf.TensorSpec((None, None, None, 4), tf.uint8), tf.TensorSpec((None, 2), tf.int32)]
    augmentation, (pixels, sizes) = Augmentation(color=0.2), batch(8)

    @tf.function(input_signature=[*signature, tf.TensorSpec((None,), tf.int64)])
    def changed(pixels, sizes, seeds):
        return augmentation(pixels, sizes, seeds, (16, 20))

    shapes = [shape.as_list() for shape in changed.get_concrete_function().output_shapes]
    assert shapes == [[None, 16, 20, 3], [None, 16, 20]]
    eager = augmentation(pixels, sizes, SEEDS[:8], (16, 20))
    for one, other in zip(changed(pixels, sizes, SEEDS[:8]), eager, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"smallest_scale": 0.0}, "smallest_scale=0.0, largest_scale=2.0: expected 0.1 to 10"),
        ({"smallest_scale": 2.5}, "the smallest first"),
        ({"largest_scale": float("nan")}, "largest_scale=nan"),
        ({"largest_scale": 11}, "largest_scale=11"),
        ({"color": 1.5}, "color=1.5: expected 0 to 1"),
    ],
)
def test_settings_out_of_range(settings, words):
    with pytest.raises(ValueError, match=words):
        Augmentation(**settings)
