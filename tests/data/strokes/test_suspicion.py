import numpy as np
import pytest

from toolkit.data.strokes.lines import Line
from toolkit.data.strokes.suspicion import copies, suspicious


def line(offsets, text=""):
    return Line(np.array(offsets, "float32"), text)


STEP, END = [1, 0, 0], [1, 0, 1]
KINDS = {
    "single_point": line([[3, 4, 1]]),
    "no_movement": line([[5, 5, 0], [0, 0, 0], [0, 0, 1]]),
    "jump_in_a_stroke": line([STEP, STEP, STEP, [21, 0, 0], END]),
    "last_stroke_not_ended": line([STEP, END, STEP]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_and_no_other(kind):
    found = suspicious([KINDS[kind]])
    assert {name: len(lines) for name, lines in found.items() if lines} == {kind: 1}
    assert found[kind][0] is KINDS[kind]


@pytest.mark.parametrize(
    "offsets",
    [
        [[900, 900, 0], STEP, END],  # where a line begins says nothing
        [STEP, STEP, STEP, [20, 0, 0], END],  # as far as is allowed
        [STEP, STEP, END, [500, 0, 0], STEP, END],  # to the next word the pen is up
        [[0, 0, 0], [0, 0, 0], STEP, END],  # a pause
    ],
    ids=["start", "limit", "pen up", "pause"],
)
def test_what_is_usual_is_not_suspicious(offsets):
    assert not any(suspicious([line(offsets)]).values())


def test_copies_are_counted_beside_the_first_and_those_of_training_apart():
    one, other, third = (line([STEP, [n, 0, 1]], text) for n, text in ((1, "a"), (2, "b"), (3, "a")))
    still = line([[7, 7, 0], [0, 0, 1]], "c")
    parts = {"train": [one, one, one, other, still, still], "validation": [one, third, third], "test": [still, third]}
    assert copies(parts, text=True) == {
        "copies": {"train": 2, "validation": 1, "test": 0},
        "copies_of_train": {"validation": 1, "test": 0},
        "texts_also_in_train": {"validation": 3, "test": 2},
    }
    assert "texts_also_in_train" not in copies(parts, text=False)
