import numpy as np
import pytest

from toolkit.data.strokes.inkml_traces import POSITIONS, Channel, channel, checked, strokes

PRESSED = checked([Channel("X"), Channel("Y"), Channel("F", intermittent=True, default=7.0)])


def points(content, channels=POSITIONS):
    (stroke,) = strokes(content, channels)
    return stroke.tolist()


@pytest.mark.parametrize(
    "content, expected",
    [
        ("1 2", [[1, 2]]),
        (" 1  2,\n3\t4 , 5 6,", [[1, 2], [3, 4], [5, 6]]),
        ("-1.5 .25,+3e2 4.E-1", [[-1.5, 0.25], [300, 0.4]]),
        ("1-2,3.5-.5", [[1, -2], [3.5, -0.5]]),
        ("#A #1f, -#10 - 5", [[10, 31], [-16, -5]]),
        ("T F, 5 *", [[1, 0], [5, 0]]),
        # Differences go on until something else is said, each channel by itself.
        ("10 20, '3'-4, 3 -4, !50 1, 51 1", [[10, 20], [13, 16], [16, 12], [50, 13], [51, 14]]),
        ("10 20, '3'4, *5", [[10, 20], [13, 24], [16, 29]]),
        # Of the differences' differences: 3; 3 + 1, 4 + 1 ...
        ('0 0, \'3\'0, "1"0, 1 0, *"2', [[0, 0], [3, 0], [7, 0], [12, 0], [18, 2]]),
        ("' 5 ' 6, * *", [[5, 6], [10, 12]]),
    ],
)
def test_points_of_the_grammar(content, expected):
    assert points(content) == expected


def test_the_standards_own_example():
    """InkML, section 3.2.1: (1125, 18432), by (23, 43), by what grows by (7, -8), (3, -5), (7, -3)."""
    first, speed, steps = np.array([1125, 18432]), np.array([23, 43]), [(7, -8), (3, -5), (7, -3)]
    expected = [first, first + speed]
    for step in steps:
        speed = speed + step
        expected.append(expected[-1] + speed)
    assert points("1125 18432,'23'43,\"7\"-8,3-5,7 -3") == np.array(expected).tolist()


def test_one_way_of_telling_is_the_other():
    """Random walks, told outright, by differences, and by differences of differences."""
    walk = np.cumsum(np.random.default_rng(0).integers(-9, 10, (50, 2)), axis=0)
    steps = np.diff(walk, axis=0)
    outright = ", ".join(f"{x} {y}" for x, y in walk)
    by_steps = f"{walk[0, 0]} {walk[0, 1]}, " + ", ".join(f"'{x}'{y}" for x, y in steps)
    second = [f"'{steps[0, 0]}'{steps[0, 1]}", *(f'"{x}"{y}' for x, y in np.diff(steps, axis=0))]
    by_changes = f"{walk[0, 0]} {walk[0, 1]}, " + ",".join(second)
    for content in (outright, by_steps, by_changes):
        np.testing.assert_array_equal(points(content), walk)


def test_channels_that_a_point_may_lack():
    assert points("1 2 3, 4 5, 6 7 ?, 8 9 *", PRESSED) == [[1, 2], [4, 5], [6, 7], [8, 9]]
    swapped = checked([Channel("F", intermittent=True), Channel("Y"), Channel("T"), Channel("X")])
    assert [one.name for one in swapped] == ["Y", "T", "X", "F"]
    assert points("2 0 1 9, 5 10 4", swapped) == [[1, 2], [4, 5]]


def test_orientations():
    up = checked(
        [channel({"name": "X", "orientation": "-ve"}, False), channel({"name": "Y", "orientation": "+ve"}, False)]
    )
    assert points("1 2,3 4", up) == [[-1, 2], [-3, 4]]


def test_a_raised_tip_parts_strokes():
    tip = checked([Channel("X"), Channel("Y"), Channel("S")])
    found = strokes("1 1 T, 2 2 T, 3 3 F, 4 4 F, 5 5 T", tip)
    assert [stroke.tolist() for stroke in found] == [[[1, 1], [2, 2]], [[5, 5]]]
    assert strokes("1 1 F, 2 2 F", tip) == []
    assert len(strokes("1 1 1, 2 2 0, 3 3 1", tip)) == 2


@pytest.mark.parametrize(
    "content, channels, message",
    [
        ("", POSITIONS, "point 1: expected 2 numbers, X Y; got ''"),
        ("1 2,,3 4", POSITIONS, "point 2: expected 2 numbers, X Y; got ''"),
        ("1 2,3", POSITIONS, "point 2: expected 2 numbers, X Y; got '3'"),
        ("1 2 3", POSITIONS, "point 1: expected 2 numbers"),
        ("1 2 3 4", PRESSED, "point 1: expected 2 to 3 numbers, X Y F; got '1 2 3 4'"),
        ("1 two", POSITIONS, "point 1: expected .*'1 two'"),
        ("1 nan", POSITIONS, "point 1: expected .*'1 nan'"),
        ("1 1_0", POSITIONS, "point 1: expected .*'1 1_0'"),
        ("1 \u0665", POSITIONS, "point 1: expected"),
        ("1 ?", POSITIONS, "point 1: expected"),
        ("1 2, ' 3", POSITIONS, "point 2: expected"),
        ("1 2, !!3 4", POSITIONS, "point 2: expected"),
        ("1 2, 3 1e999", POSITIONS, r"point 2 is at \[3.0, inf\]"),
        ("1 2, 3 #" + "F" * 100_000, POSITIONS, "point 2 is at"),
        ("1 2, '9e9 0, 9e9 0", POSITIONS, "point 3 is at"),
        ("1 " + " " * 1_000_000 + "x", POSITIONS, "point 1: expected"),
        ("1 2, '" + " " * 1_000_000 + "x", POSITIONS, "point 2: expected"),
    ],
)
def test_what_is_no_point(content, channels, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        strokes(content, channels)


@pytest.mark.parametrize(
    "channels, message",
    [
        ([Channel("X")], "with the channels X and Y; got X"),
        ([], "got none"),
        ([Channel("X"), Channel("X"), Channel("Y")], "got X, X, Y"),
        ([Channel("X"), Channel("Y", intermittent=True)], "got X"),
        ([Channel("X", units="cm"), Channel("Y", units="mm")], "in the same unit; got 'cm', 'mm'"),
        ([Channel("X"), Channel("Y"), *[Channel("F")] * 100], "got X, Y, F, F"),
    ],
)
def test_formats_without_a_place(channels, message):
    with pytest.raises(ValueError, match=message):
        checked(channels)


def test_channels_that_are_none():
    with pytest.raises(ValueError, match="has no name"):
        channel({"type": "integer"}, False)
    with pytest.raises(ValueError, match="default 'x' is no number"):
        channel({"name": "X", "default": "x"}, False)
    assert channel({"name": "S", "default": "T", "units": "dev"}, True) == Channel("S", True, 1.0, 1, "dev")
