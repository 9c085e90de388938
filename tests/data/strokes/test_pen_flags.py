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


def drawn(marked, long, num_points=30):
    """A line of even steps but for the long ones, with marks on some points."""
    offsets = np.ones((num_points, 3))
    offsets[long, :2], offsets[:, 2] = 9, 0
    offsets[marked, 2] = 1
    return offsets


@pytest.mark.parametrize("marked, long", [
    ([9, 19, 29], [9, 19]),  # a flick at each stroke's end looks like the jump to a start, but the last point is marked
    ([0, 10, 29], [10]),  # as many lines begin as end with a mark
    ([0, 9, 19], [1, 10, 20]),  # it begins with a dot and is cut off, but the jumps come after the marks
    ([0, 10, 20], []),  # no step is longer than another
])  # fmt: skip
def test_starts_are_told_by_where_lines_begin_and_by_where_the_pen_jumps(marked, long):
    clear = drawn([0, 10, 20], [10, 20])
    (found,), told = ends_marked([clear], "here")
    assert told and np.flatnonzero(found[:, 2]).tolist() == [9, 19, 29]
    unclear = drawn(marked, long)
    (found,), told = ends_marked([unclear], "here")
    assert found is unclear and not told


def test_lines_that_mark_starts_are_judged_together():
    """One that has lost its first points, and one that ends with a dot, are as the others are."""
    lines = [drawn([0, 10, 20], [10, 20])] * 2 + [drawn([10, 20], [10, 20]), drawn([0, 10, 29], [10, 29])]
    found, told = ends_marked(lines, "here")
    assert told.startswith("here: 4 of 4 lines have 1 where a stroke starts")
    assert [np.flatnonzero(each[:, 2]).tolist() for each in found[1:]] == [[9, 19, 29], [9, 19, 29], [9, 28, 29]]


@pytest.mark.parametrize("num_ending, turned", [(1, False), (2, False), (3, True), (4, True)])
def test_where_the_pen_is_down_most_lines_end_with_it_lifted(num_ending, turned):
    lines = [drawn([9, 19, *[29] * (number < num_ending)], [10, 20]) for number in range(4)]
    for line in lines:
        line[:, 2] = 1 - line[:, 2]
    found, told = ends_marked(lines, "here")
    assert bool(told) == turned
    for one, two in zip(found, lines, strict=True):
        np.testing.assert_array_equal(one[:, 2], 1 - two[:, 2] if turned else two[:, 2])


@pytest.mark.parametrize("piece", [
    np.ones((19, 3)), np.ones((40, 3)), np.zeros((40, 3)), np.full((40, 3), np.nan), np.zeros((40, 2)), np.zeros(3),
    np.array("words"), np.zeros((0, 3)), np.full((40, 3), 1e300) * [1, 1, 0],
])  # fmt: skip
def test_what_fits_neither_stays(piece):
    (found,), told = ends_marked([piece], "here")
    assert found is piece and not told
