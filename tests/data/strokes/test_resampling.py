import numpy as np
import pytest

from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.lines import from_strokes, to_strokes
from toolkit.data.strokes.resampling import distance_between_points, resample


@pytest.mark.parametrize("spacing", [1.5, 7.0, 1000.0])
def test_points_are_even_and_on_the_strokes(spacing):
    for line in embedded_writers.written_lines(10, seed=5):
        old, new = to_strokes(line.offsets), to_strokes(resample(line.offsets, spacing))
        for before, after in zip(old, new, strict=True):
            np.testing.assert_allclose(after[[0, -1]], before[[0, -1]], atol=1e-3)
            along = np.r_[0, np.cumsum(np.hypot(*np.diff(before, axis=0).T))]
            count = max(1, round(along[-1] / spacing)) + 1 if along[-1] else 1
            expected = [
                [np.interp(at, along, before[:, axis]) for axis in (0, 1)] for at in np.linspace(0, along[-1], count)
            ]
            np.testing.assert_allclose(after, expected, atol=1e-3)


def test_dots_and_resting_pens_are_one_point():
    strokes = [[[3, 4]], [[5, 5], [5, 5], [5, 5]], [[5, 5], [5, 5], [8, 9], [8, 9]], [[1, 1]]]
    found = to_strokes(resample(from_strokes(strokes) + [[3, 4, 0]] * np.eye(9, 1), 5.0))
    assert [stroke.tolist() for stroke in found] == [[[3, 4]], [[5, 5]], [[5, 5], [8, 9]], [[1, 1]]]


def test_a_line_whose_pen_is_still_down():
    assert resample(np.array([[0, 0, 0], [4, 0, 0], [4, 0, 0]]), 2.0).tolist() == [
        [0, 0, 0],
        *[[2, 0, 0]] * 3,
        [2, 0, 1],
    ]
    assert resample(np.array([[7, 1, 0]]), 2.0).tolist() == [[7, 1, 1]]


def test_more_points_than_a_line_has_are_refused_before_they_are_made():
    line = from_strokes([np.array([[0, 0], [3000, 0]])])
    with pytest.raises(
        ValueError, match="--spacing=1e-09 is too small for strokes 3000 units long: more than 1,000,000"
    ):
        resample(line, 1e-9)
    assert len(resample(line, 0.01)) == 300_001


@pytest.mark.parametrize("points", [6.0, 12.0])
def test_characters_have_as_many_points_as_asked_for(points):
    lines = embedded_writers.written_lines(200, seed=3)
    spacing = distance_between_points(lines, points, "embedded")
    found = sum(len(resample(line.offsets, spacing)) for line in lines) / sum(len(line.text) for line in lines)
    np.testing.assert_allclose(found, points, rtol=0.05)  # each stroke has a whole number of steps
