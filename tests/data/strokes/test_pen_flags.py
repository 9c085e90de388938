import numpy as np
import pytest

from tests.data.strokes.drawn import written
from toolkit.data.strokes.pen_flags import ends_marked


def as_others_mark(offsets, down, starts):
    """Ends as a tablet might have them: 1 at starts, and 0 where else 1 is."""
    marks = offsets[:, 2].copy()
    if starts:
        marks = np.r_[1.0, marks[:-1]]
    found = offsets.copy()
    found[:, 2] = 1 - marks if down else marks
    return found


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("starts", [False, True])
def test_what_is_unmistakable_is_turned(down, starts):
    """Lines of ten writers, of which some end with a dot: those begin and end with a mark, whatever it means."""
    dot = np.array([[9.0, 2.0, 1.0]], "float32")
    lines = [np.concatenate([line.offsets, dot[: number % 3 == 0]]) for number, line in enumerate(written())]
    found, told = ends_marked([as_others_mark(line, down, starts) for line in lines], "here")
    for one, two in zip(found, lines, strict=True):
        np.testing.assert_array_equal(one, two)
    words = {(False, True): "1 where a stroke starts", (True, False): "1 where the pen is down"}
    assert told.startswith("here: 40 of 40 lines have " + words.get((down, starts), "0 where a stroke starts")) or not (
        down or starts
    )
    assert bool(told) == (down or starts)


def test_one_alone_and_one_among_others():
    line = written()[0].offsets
    for down, starts in ((True, False), (False, True), (True, True)):
        (found,), told = ends_marked([as_others_mark(line, down, starts)], "here")
        np.testing.assert_array_equal(found, line)
        assert told
    found, told = ends_marked([line, as_others_mark(line, True, False)], "here")
    np.testing.assert_array_equal(found[1], line)
    assert found[0] is line and "1 of 2 lines have 1 where the pen is down" in told


@pytest.mark.parametrize("piece", [
    np.ones((19, 3)), np.ones((40, 3)), np.zeros((40, 3)), np.full((40, 3), np.nan), np.zeros((40, 2)), np.zeros(3),
    np.array("words"), np.zeros((0, 3)), np.full((40, 3), 1e300) * [1, 1, 0],
])  # fmt: skip
def test_what_fits_neither_stays(piece):
    (found,), told = ends_marked([piece], "here")
    assert found is piece and not told
