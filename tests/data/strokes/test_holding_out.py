import numpy as np
import pytest

from toolkit.data.strokes.holding_out import held_out
from toolkit.data.strokes.lines import Line


def lines(writers):
    return [Line(np.zeros((1, 3)), str(number), writer) for number, writer in enumerate(writers)]


def test_each_line_is_in_one_part():
    for writers in (["Ann", "Bea", "Cid", "Dan"] * 10, [""] * 100, ["Ann", "Bea"] * 50, ["Ann", "Bea", ""] * 30):
        given = lines(writers)
        parts = held_out(given, "npy:x", seed=0)
        assert sorted(int(line.text) for part in parts for line in part) == list(range(len(given))) and all(parts)


def test_writers_are_whole_where_three_are_known():
    parts = held_out(lines([f"w{number % 40}" for number in range(400)]), "npy:x", seed=3)
    assert [len(part) for part in parts] == [360, 20, 20]
    held = [{line.writer for line in part} for part in parts]
    assert [len(each) for each in held] == [36, 2, 2] and len(set.union(*held)) == 40
    assert [len(part) for part in held_out(lines(["Ann", "Bea", "Bea", "Cid"]), "npy:x", seed=0)].count(1) >= 2


def test_lines_are_held_out_where_writers_are_not_known():
    for writers in ([""] * 100, ["Ann", "Bea"] * 50, ["Ann", "Bea", "Cid", ""] * 25):
        assert [len(part) for part in held_out(lines(writers), "npy:x", seed=0)] == [90, 5, 5]


def test_the_seed_decides():
    given = lines([""] * 100)
    first, again, other = (held_out(given, "npy:x", seed=seed)[2] for seed in (0, 0, 1))
    assert [line.text for line in first] == [line.text for line in again] != [line.text for line in other]


def test_too_few():
    with pytest.raises(ValueError, match="npy:x: 2 lines; at least 3 are needed"):
        held_out(lines(["", ""]), "npy:x", seed=0)
