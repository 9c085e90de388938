import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from toolkit.visualize.classification import confusion, explained, misclassified, reliability


def test_confusion_shows_shares_and_prints_counts():
    matrix = np.array([[6, 2, 0], [0, 0, 0], [1, 0, 9]])
    axis = confusion(matrix, ["cat", "dog", "owl"]).axes[0]
    np.testing.assert_allclose(axis.images[0].get_array(), [[0.75, 0.25, 0], [0, 0, 0], [0.1, 0, 0.9]])
    printed = {(round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in axis.texts}
    assert printed == {(0, 0): "6", (0, 1): "2", (2, 0): "1", (2, 2): "9"}  # (row, column)
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["cat", "dog", "owl"]
    assert (axis.get_ylabel(), axis.get_xlabel()) == ("true", "predicted")


@pytest.mark.parametrize("num_classes", [20, 100, 1000])
def test_names_of_many_classes_do_not_overlap(num_classes):
    figure = confusion(np.eye(num_classes, dtype="int64"), [f"class {i}" for i in range(num_classes)])
    axis = figure.axes[0]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    labels = [tick for tick in axis.get_yticklabels() if tick.get_text()]
    # One renderer: without it each label makes its own, of twelve megabytes.
    boxes = [label.get_window_extent(canvas.get_renderer()) for label in labels]
    assert all(low.y1 <= high.y0 + 3 for high, low in zip(boxes, boxes[1:], strict=False))
    places = np.round(axis.get_yticks()).astype(int)
    assert [label.get_text() for label in labels] == [f"class {place}" for place in places]
    assert len(labels) == num_classes or num_classes == 1000
    assert bool(axis.texts) == (num_classes <= 20)


def test_reliability_draws_each_bin():
    confidence = np.array([np.nan, 0.4, 0.6, 0.9])
    accuracy = np.array([np.nan, 0.5, 0.55, 0.7])
    upper, lower = reliability(confidence, accuracy, np.array([0, 5, 7, 30]), 0.1234).axes
    assert [(round(bar.get_x(), 2), bar.get_height()) for bar in upper.patches] == [
        (0.25, 0.5),
        (0.5, 0.55),
        (0.75, 0.7),
    ]
    (gaps,) = upper.collections
    np.testing.assert_allclose(
        gaps.get_segments(), [[[c, a], [c, c]] for c, a in zip(confidence[1:], accuracy[1:], strict=True)]
    )
    assert [bar.get_height() for bar in lower.patches] == [0, 5, 7, 30]
    assert upper.get_title() == "expected calibration error 0.123"


def test_counts_of_other_classes():
    with pytest.raises(ValueError, match="1 by 1 classes; got .3, 3."):
        confusion(np.eye(3), ["a"])


PROBABILITIES = np.array([[0.25, 0.75], [0.9, 0.1]])


def labels_of(figure):
    return [axis.get_xlabel().replace("\n", " ") for axis in figure.axes]


def test_what_images_are_taken_for_stands_under_them():
    pictures, maps = np.zeros((2, 80, 80)), np.ones((2, 80, 80))
    assert labels_of(explained(pictures, maps, PROBABILITIES, ["a", "b"]))[::2] == ["b 75%", "a 90%"]
    assert labels_of(explained(pictures, maps, PROBABILITIES, ["a", "b"], [0, 0]))[::2] == ["b 75% (a)", "a 90%"]
    figure = misclassified(pictures, np.array([0, 1]), PROBABILITIES, ["a", "b"])
    assert labels_of(figure) == ["a: b 75%", "b: a 90%"]
    assert {to_hex(axis.xaxis.label.get_color()) for axis in figure.axes} == {"#c22f2f"}
