import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image, ImageCms

from toolkit.visualize.segmentation import errors, examples, iou_bars, overlays, palette, trimap_curves

NAMES = ["sky", "road", "car"]
RANDOM = np.random.default_rng(0)
SIZES = [(30, 40), (50, 20), (300, 500)]
IMAGES = [RANDOM.integers(0, 256, (*size, 3)).astype("uint8") for size in SIZES]
LABELS = [RANDOM.integers(0, 3, size).astype("uint8") for size in SIZES]
LABELS[0][:3], LABELS[2][...] = 255, 0
PREDICTIONS = [RANDOM.integers(0, 3, size).astype("int32") for size in SIZES]


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return np.asarray(Image.open(file).convert("RGB"))


def data(axis):
    (image,) = axis.images
    return np.asarray(image.get_array())


def is_grey(pixels):
    return (pixels == pixels[..., :1]).all(axis=-1)


def test_colors_are_apart_and_remain_when_classes_are_added():
    colors = palette(40)
    for num_classes in (0, 1, 2, 12, 25):
        np.testing.assert_array_equal(palette(num_classes), colors[:num_classes])
    to_lab = ImageCms.buildTransform(*map(ImageCms.createProfile, ("sRGB", "LAB")), "RGB", "LAB")
    lab = np.asarray(ImageCms.applyTransform(Image.fromarray(colors[None]), to_lab))[0]
    seen = np.concatenate([lab[:, :1] / 2.55, lab[:, 1:].view("int8")], axis=-1).astype("float32")
    apart = np.linalg.norm(seen[:, None] - seen, axis=-1) + 1000 * np.eye(40)
    assert apart.min() > 14 and apart[:12, :12].min() > 25
    assert np.hypot(seen[:, 1], seen[:, 2]).min() > 9  # no grey: that is for ignored pixels


def test_labels_have_their_colors_whatever_the_image():
    """Each class in its own colour, darker where the image is: hue and order of the channels stay."""
    figure = overlays(IMAGES, LABELS, PREDICTIONS, NAMES, titles=["a", "b", "c"])
    assert len(figure.axes) == 12
    for row, (image, labels, predictions) in enumerate(zip(IMAGES, LABELS, PREDICTIONS, strict=True)):
        shown, *painted, mistakes = map(data, figure.axes[4 * row : 4 * row + 4])
        np.testing.assert_array_equal(shown, image)
        light = image @ [0.299, 0.587, 0.114]
        for each, found in zip((labels, predictions), painted, strict=True):
            np.testing.assert_array_equal(is_grey(found), each == 255)
            expected = palette(3)[np.minimum(each, 2)] * (0.78 + 0.34 * light[..., None] / 255)
            known = each != 255
            np.testing.assert_allclose(found[known], np.minimum(expected, 255)[known], atol=0.51)
        wrong = (labels != predictions) & (labels != 255)
        np.testing.assert_array_equal((mistakes == (194, 47, 47)).all(axis=-1), wrong)
        assert is_grey(mistakes[~wrong]).all()
        share = wrong.sum() / (labels != 255).sum()
        below = [axis.get_xlabel() for axis in figure.axes[4 * row : 4 * row + 4]]
        assert below == ["abc"[row], "", "", f"{share:.1%} wrong"]
    assert [axis.get_title() for axis in figure.axes[:5]] == ["image", "truth", "prediction", "mistakes", ""]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*NAMES, "ignored"]
    for patch, color in zip(legend.get_patches(), palette(3), strict=False):
        np.testing.assert_allclose(patch.get_facecolor()[:3], color / 255)


def test_images_of_any_size_in_one_picture():
    """Small ones in whole squares, large ones made smaller; nothing lies over anything else or beyond the edge."""
    figure = overlays(IMAGES, LABELS, PREDICTIONS, NAMES, titles=["a", "b", "c"])
    picture = drawn(figure)
    boxes = [axis.get_window_extent() for axis in figure.axes]
    sizes = [(round(box.height), round(box.width)) for box in boxes[::4]]
    assert sizes == [(150, 200), (200, 80), (132, 220)]
    words = [axis.xaxis.label.get_window_extent() for axis in figure.axes if axis.get_xlabel()]
    words += [axis.title.get_window_extent() for axis in figure.axes[:4]] + [figure.legends[0].get_window_extent()]
    everything = boxes + words
    for number, one in enumerate(everything):
        assert one.x0 >= 0 and one.y0 >= 0 and one.x1 <= picture.shape[1] and one.y1 <= picture.shape[0] + 1
        for other in everything[:number]:
            assert one.x1 <= other.x0 + 1 or other.x1 <= one.x0 + 1 or one.y1 <= other.y0 + 1 or other.y1 <= one.y0 + 1
    # The first image's pixels as squares of 5.
    left, top = round(boxes[0].x0), round(picture.shape[0] - boxes[0].y1)
    squares = np.repeat(np.repeat(IMAGES[0], 5, axis=0), 5, axis=1)
    np.testing.assert_array_equal(picture[top : top + 150, left : left + 200], squares)


def test_the_legend_names_what_occurs():
    figure = examples(IMAGES[2:], LABELS[2:], NAMES)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sky"]
    np.testing.assert_array_equal(data(figure.axes[0]), IMAGES[2])
    assert examples([], [], NAMES).axes == [] and overlays([], [], [], NAMES).axes == []
    many = [f"class number {number}" for number in range(40)]
    figure = examples([np.zeros((20, 40, 3))], [np.arange(800).reshape(20, 40) % 40], many, columns=1)
    picture = drawn(figure)
    box = figure.legends[0].get_window_extent()
    assert len(figure.legends[0].get_texts()) == 40 and box.x0 >= 0 and box.x1 <= picture.shape[1]
    assert 0 <= box.y0 and box.y1 <= figure.axes[0].get_window_extent().y0


def test_mistakes_of_many_images():
    figure = errors(IMAGES, LABELS, PREDICTIONS, columns=2)
    assert len(figure.axes) == 3
    for axis, *others in zip(figure.axes, overlays(IMAGES, LABELS, PREDICTIONS, NAMES).axes[3::4], strict=True):
        np.testing.assert_array_equal(data(axis), data(others[0]))
        assert axis.get_xlabel() == others[0].get_xlabel()


def test_bars_stand_in_order_with_their_numbers():
    axis = iou_bars(np.array([0.25, np.nan, 0.9]), NAMES, np.array([0.5, 0.125, 0.8])).axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["car", "sky", "road"]
    assert [bar.get_width() for bar in axis.patches] == pytest.approx([90, 25, 0, 80, 50, 12.5])
    assert [text.get_text() for text in axis.texts] == ["90.0", "25.0", "not there", "80.0", "50.0", "12.5"]
    assert axis.get_title() == "mean IoU 57.5 % network, 47.5 % with CRF"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["network", "with CRF"]
    np.testing.assert_allclose(axis.patches[0].get_facecolor()[:3], palette(3)[2] / 255)
    first, second = axis.patches[0], axis.patches[3]
    assert first.get_y() + first.get_height() <= second.get_y() + 0.05
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the best above
    assert iou_bars(np.array([0.5]), ["sky"]).axes[0].get_title() == "mean IoU 50.0 %"
    assert to_rgb(iou_bars(np.full(1, np.nan), ["sky"]).axes[0].texts[0].get_color())


def test_curves_over_the_bands_width():
    axis = trimap_curves({"network": [0.5, 0.75, 0.8], "with CRF": np.array([0.6, 0.7, 0.9])}, [1, 5, 20]).axes[0]
    np.testing.assert_allclose(axis.lines[0].get_xydata(), [[1, 50], [5, 75], [20, 80]])
    np.testing.assert_allclose(axis.lines[1].get_ydata(), [60, 70, 90])
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("width of the band round borders, pixels", "right in it, %")


@pytest.mark.parametrize(
    ("draw", "why"),
    [
        (lambda: overlays(IMAGES, LABELS[:2], PREDICTIONS, NAMES), "as many labels as images, 3; got 2"),
        (lambda: overlays(IMAGES, LABELS, PREDICTIONS, NAMES, titles=["a"]), "as many titles as images, 3; got 1"),
        (
            lambda: errors([IMAGES[0][..., :2]], LABELS[:1], LABELS[:1]),
            r"\(height, width, 3\); number 0 is \(30, 40, 2",
        ),
        (
            lambda: errors(IMAGES[:1], LABELS[:1], LABELS[1:2]),
            r"predictions of image 0's size \(30, 40\); got \(50, 20",
        ),
        (lambda: examples(IMAGES, LABELS, NAMES[:2]), "labels of image 0 hold 2, but there are 2 classes"),
        (lambda: iou_bars(np.zeros(2), NAMES), r"a number for each of 3 classes; got shape \(2,\)"),
        (lambda: trimap_curves({"network": [0.5]}, [1, 2]), "network: expected a number for each of 2 widths; got 1"),
    ],
)
def test_what_cannot_be_drawn(draw, why):
    with pytest.raises(ValueError, match=why):
        draw()
