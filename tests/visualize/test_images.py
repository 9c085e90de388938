import io

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from toolkit.visualize.images import beside, examples, filters, grid, heatmaps

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (10, 8, 8), dtype="uint8")
COLOR = RANDOM.integers(0, 256, (10, 16, 12, 3), dtype="uint8")


def drawn(figure):
    """The picture's pixels, (height, width, 3)."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return np.asarray(Image.open(file).convert("RGB"))


def data(axis):
    return [np.asarray(image.get_array()) for image in axis.images]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (GREY, GREY),
        (GREY[..., None], GREY),
        (COLOR, COLOR),
        (COLOR.astype("float32") + 0.3, COLOR),
        (np.array([[[-5.0, 300.0]]]), np.array([[[0, 255]]])),
    ],
)
def test_grid_shows_the_images_it_is_given(images, expected):
    figure = grid(images, columns=4)
    assert len(figure.axes) == len(images)
    for axis, image in zip(figure.axes, expected, strict=True):
        (shown,) = data(axis)
        np.testing.assert_array_equal(shown, image)
        assert axis.images[0].get_clim() == (0, 255) or shown.ndim == 3  # the range is not that of the image


def test_small_images_are_magnified_pixel_by_pixel():
    # Each pixel of the image is a square of 12 on the screen: 8 times 12 are 96.
    picture = drawn(grid(GREY[:2]))
    for left, image in ((6, GREY[0]), (108, GREY[1])):
        tile = picture[6:102, left : left + 96, 0].astype(int)
        np.testing.assert_allclose(tile, np.kron(image, np.ones((12, 12))), atol=1)  # the scale of greys rounds
    # Rows by columns, and large images are made smaller.
    assert drawn(grid(GREY, columns=4)).shape[:2] == (3 * 102 + 6, 4 * 102 + 6)
    assert drawn(grid(np.zeros((1, 500, 1000)))).shape[:2] == (128 + 12, 256 + 12)


def test_titles_stand_under_the_images_and_mistakes_are_marked():
    titles = [f"{i} $x" for i in range(9)] + ["a name that is longer than the image is wide"]
    wrong = np.arange(10) % 3 == 0
    figure = grid(GREY, titles, wrong=wrong)
    labels = [axis.xaxis.label for axis in figure.axes]
    assert [label.get_text().replace("\n", " ") for label in labels] == titles and "\n" in labels[-1].get_text()
    assert [to_hex(label.get_color()) == "#c22f2f" for label in labels] == wrong.tolist()
    picture = drawn(figure)
    for axis, label in zip(figure.axes, labels, strict=True):
        image, words = axis.get_window_extent(), label.get_window_extent()
        assert words.y1 <= image.y0 and words.y0 >= 0 and words.x1 <= picture.shape[1]
        assert words.width <= image.width + 6
    assert grid(GREY[:0]).axes == []


def test_each_filter_has_its_own_range():
    kernels = RANDOM.normal(size=(3, 5, 3, 9)).astype("float32") * np.arange(9, dtype="float32")
    figure = filters(kernels, columns=3)
    assert len(figure.axes) == 9
    np.testing.assert_array_equal(data(figure.axes[0])[0], np.full((3, 5, 3), 128))  # all alike: grey
    for number in range(1, 9):
        kernel = kernels[..., number]
        expected = 255 * (kernel - kernel.min()) / np.ptp(kernel)
        np.testing.assert_allclose(data(figure.axes[number])[0], expected, atol=0.51)
    two = filters(kernels[:, :, :2]).axes[4]
    mean = kernels[:, :, :2, 4].mean(axis=2)
    np.testing.assert_allclose(data(two)[0], 255 * (mean - mean.min()) / np.ptp(mean), atol=0.51)


def test_heatmaps_stand_beside_their_images():
    maps = RANDOM.random((10, 16, 12)).astype("float32")
    figure = heatmaps(COLOR, maps, [f"image {i}" for i in range(10)], columns=3)
    assert len(figure.axes) == 20
    for number, (plain, covered) in enumerate(zip(figure.axes[::2], figure.axes[1::2], strict=True)):
        np.testing.assert_array_equal(data(plain)[0], COLOR[number])
        image, heat = data(covered)
        np.testing.assert_array_equal(image, COLOR[number])
        np.testing.assert_array_equal(heat, maps[number])
        assert covered.images[1].get_clim() == (0, 1)
        assert plain.get_xlabel() == f"image {number}"
        assert plain.get_position().x1 < covered.get_position().x0
        assert plain.get_position().y0 == covered.get_position().y0
    drawn(figure)
    assert len(heatmaps(GREY, np.zeros((10, 8, 8))).axes) == 20


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: grid(GREY[0]), r"images \(images, height, width\) .* got \(8, 8\)"),
        (lambda: grid(COLOR[..., :2]), "1 or 3 channels"),
        (lambda: grid(GREY, ["one"]), "as many titles as images, 10; got 1"),
        (lambda: grid(GREY, wrong=[True]), "as many wrong as images, 10; got 1"),
        (lambda: filters(np.zeros((3, 3, 8))), "kernels .height, width, inputs, filters.; got .3, 3, 8."),
        (lambda: heatmaps(GREY, np.zeros((10, 4, 4))), r"images' shape \(10, 8, 8\); got \(10, 4, 4\)"),
        (lambda: heatmaps(GREY, np.zeros((10, 8, 8)), ["one"]), "as many titles as images, 10; got 1"),
    ],
)
def test_what_cannot_be_drawn(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_examples_of_each_class():
    figure = examples(
        {"a": np.zeros((3, 8, 8)), "b": np.zeros((1, 8, 8)), "c": np.zeros((1, 8, 8))}, most=2, num_classes=2
    )
    assert [axis.get_xlabel() for axis in figure.axes] == ["a", "", "b"]


def test_rows_stand_below_one_another_in_one_size():
    red = np.zeros((2, 2, 2, 3), "uint8") + np.array([255, 0, 0], "uint8")
    figure = beside([("grey", np.full((2, 8, 8, 1), 100)), ("codes", red)])
    shown = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    assert [each.shape for each in shown] == [(8, 8, 3)] * 4
    assert (shown[0] == 100).all()
    assert (shown[2] == [255, 0, 0]).all()
    assert figure.axes[0].get_position().y0 > figure.axes[2].get_position().y0
    with pytest.raises(ValueError, match="as many images"):
        beside([("a", red), ("b", red[:1])])
