import itertools

import numpy as np
import pytest

from toolkit.data.strokes.lines import Line
from toolkit.data.strokes.selection import labels_of, longest_line, select


def lines(*pairs):
    return [Line(np.zeros((points, 3), "float32"), text) for points, text in pairs]


def taken(found, **how):
    how = {"alphabet": "abc", "max_points": 6, "max_characters": 3} | how
    return select(found, "train", "npy:x", **how)


def test_reasons():
    found = taken(lines((6, "abc"), (7, "abc"), (6, "abca"), (9, "aaaaa")))
    assert found.reasons == [
        (),
        ("too_many_points",),
        ("too_many_characters",),
        ("too_many_points", "too_many_characters"),
    ]
    assert len(found.kept) == 1 and found.kept[0].text == "abc"
    assert found.notes == ["npy:x: 3 of 4 train lines left out: too long."] and not found.refusal


def test_a_few_strange_characters_leave_lines_out_and_many_refuse():
    few = taken(lines(*[(5, "abc")] * 39, (5, "a!")))
    assert len(few.kept) == 39 and not few.refusal
    assert few.notes == ["npy:x: 1 of 40 train lines left out: characters outside --alphabet, such as 'a!': '!'."]
    many = taken(lines(*[(5, "abc")] * 9, (5, "a!")))
    assert "1 of 10 train texts have characters outside --alphabet" in many.refusal
    assert not taken(lines((5, "a!")), alphabet=None).refusal, "without text there is no alphabet"


@pytest.mark.parametrize(("text", "expected"), [(True, "and a text of at most 3 characters"), (False, "points.")])
def test_nothing_is_left(text, expected):
    found = taken(lines((7, "abc"), (8, "abc")), alphabet="abc" if text else None)
    assert "no line left for train: of 2 that were there, none has at most --max_points=6" in found.refusal
    assert found.refusal.endswith(expected + "." * (not expected.endswith(".")))


def test_the_longest_line_of_a_writer():
    found = [
        Line(np.zeros((5, 3)), text, writer)
        for text, writer in (("ab", "A"), ("abc", "A"), ("abcd!", "A"), ("abcde", "B"))
    ]
    assert longest_line(found, "A", "npy:x", alphabet="abcd").text == "abc"
    with pytest.raises(ValueError, match="--style=C: expected a writer of npy:x: A, B"):
        longest_line(found, "C", "npy:x", alphabet="abcd")
    with pytest.raises(ValueError, match="--style=B: expected a writer"):
        longest_line(found, "B", "npy:x", alphabet="abcd")


def test_labels_are_what_ctc_needs():
    """The least steps of a path that spells the text, found by trying all paths over its characters and the blank."""
    for text in ("a", "ab", "aa", "aab", "aba", "aaa"):
        steps = next(
            steps
            for steps in range(1, 9)
            if any(
                "".join(one for one, _ in itertools.groupby(path)).replace("-", "") == text
                for path in itertools.product("ab-", repeat=steps)
            )
        )
        assert labels_of(text) == steps, text


def test_too_few_points_for_ctc_are_left_out_and_counted():
    """Five labels of two points each, the last of which may be one alone."""
    pairs = [(9, "abcab"), (8, "abcab"), (9, "aab"), (7, "aabb"), (11, "aabb")]
    found = taken(lines(*pairs), max_points=99, max_characters=9, points_per_label=2)
    assert found.reasons == [(), ("too_few_points",), (), ("too_few_points",), ()]
    (note,) = found.notes
    assert "2 of 5 train lines left out: too few points for what is written, such as 'abcab': 8 points" in note
    assert taken(lines(*pairs), max_points=99, max_characters=9).notes == []
    none = taken(lines((8, "abcab")), max_points=99, max_characters=9, points_per_label=2)
    assert "no line left for train" in none.refusal and none.refusal.endswith("that its points can spell.")
