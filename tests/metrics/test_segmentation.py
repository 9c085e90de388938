"""Against scikit-learn and SciPy, and the three brackets: perfect, constant, a known cheat."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import metrics as sklearn_metrics

from toolkit.metrics.segmentation import (
    border_distance,
    intersection_over_union,
    pixel_confusion,
    segmentation,
    trimap_counts,
)

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 4, (6, 20, 30))
LABELS[RANDOM.random(LABELS.shape) < 0.1] = 255
PREDICTIONS = np.where(RANDOM.random(LABELS.shape) < 0.6, LABELS % 255, RANDOM.integers(0, 4, LABELS.shape))


def test_counts_are_those_of_scikit_learn():
    counts = LABELS != 255
    expected = sklearn_metrics.confusion_matrix(LABELS[counts], PREDICTIONS[counts], labels=range(5))
    by_image = sum(pixel_confusion(a, b, 5, ignored=255) for a, b in zip(LABELS, PREDICTIONS, strict=True))
    np.testing.assert_array_equal(by_image, expected)


def test_scores_are_those_of_scikit_learn():
    counts = LABELS != 255
    labels, predictions = LABELS[counts], PREDICTIONS[counts]
    matrix = pixel_confusion(LABELS, PREDICTIONS, 5, ignored=255)
    jaccard = sklearn_metrics.jaccard_score(labels, predictions, average=None, labels=range(4))
    np.testing.assert_allclose(intersection_over_union(matrix)[:4], jaccard, rtol=1e-12)
    assert np.isnan(intersection_over_union(matrix)[4])  # neither there nor predicted: it is no class of these images
    found = segmentation(matrix)
    assert found["mean_iou_percent"] == pytest.approx(100 * jaccard.mean())
    assert found["pixel_accuracy_percent"] == pytest.approx(100 * sklearn_metrics.accuracy_score(labels, predictions))
    balanced = sklearn_metrics.balanced_accuracy_score(labels, predictions)
    assert found["mean_accuracy_percent"] == pytest.approx(100 * balanced)


def test_perfect_constant_and_a_cheat():
    perfect = segmentation(pixel_confusion(LABELS, LABELS % 255, 4, ignored=255))
    assert set(perfect.values()) == {100.0}
    labels = np.zeros((10, 10), int)
    labels[0] = 1  # a tenth
    constant = segmentation(pixel_confusion(labels, np.zeros_like(labels), 2))
    assert constant["pixel_accuracy_percent"] == 90 and constant["mean_iou_percent"] == pytest.approx(45)
    # Who predicts a class that is not there pays for it.
    cheat = segmentation(pixel_confusion(labels, np.where(labels, 1, 2), 3))
    assert cheat["mean_iou_percent"] == pytest.approx(100 / 3)


def test_ignored_pixels_may_be_predicted_as_anything():
    other = np.where(LABELS == 255, 3, PREDICTIONS)
    matrices = [pixel_confusion(LABELS, each, 4, ignored=255) for each in (PREDICTIONS, other)]
    np.testing.assert_array_equal(*matrices)


def test_distance_is_scipys_chessboard():
    labels = (ndimage.gaussian_filter(RANDOM.normal(size=(40, 50)), 4) > 0).astype(int)
    inside = ndimage.distance_transform_cdt(labels == 1, "chessboard") + ndimage.distance_transform_cdt(
        labels == 0, "chessboard"
    )
    np.testing.assert_array_equal(border_distance(labels, 7), np.minimum(inside, 8))


def test_nothing_borders_on_ignored_pixels():
    labels = np.zeros((5, 9), int)
    labels[:, 4] = 255
    assert (border_distance(labels, 3, ignored=255) == 4).all()
    labels[:, 5:] = 1  # the ignored column lies between the two
    assert (border_distance(labels, 3, ignored=255) == 4).all()


def test_trimap():
    labels = np.zeros((20, 20), int)
    labels[:, 10:] = 1
    blurred = labels.copy()
    blurred[:, 10:12] = 0  # the border is two pixels off
    right, all_of_them = trimap_counts(labels, blurred, [1, 2, 4, 10]).T
    assert all_of_them.tolist() == [40, 80, 160, 400]
    np.testing.assert_allclose(right / all_of_them, [0.5, 0.5, 0.75, 0.9])
    perfect = trimap_counts(labels, labels, range(1, 21))
    np.testing.assert_array_equal(perfect[:, 0], perfect[:, 1])


@pytest.mark.parametrize(
    "labels, predictions, why",
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), "of one shape"),
        (np.array([[0, 7]]), np.array([[0, 0]]), "labels to be class numbers from 0 to 1; got 7"),
        (np.array([[0, 0]]), np.array([[0, 5]]), "predictions to be class numbers"),
    ],
)
def test_errors(labels, predictions, why):
    with pytest.raises(ValueError, match=why):
        pixel_confusion(labels, predictions, 2)


def test_nothing_counted():
    with pytest.raises(ValueError, match="every one is ignored"):
        segmentation(pixel_confusion(np.full((2, 2), 255), np.zeros((2, 2), int), 2, ignored=255))
