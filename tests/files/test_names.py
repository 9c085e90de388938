import itertools
import os

import pytest

from toolkit.files.names import natural_order, printable


@pytest.mark.parametrize(
    "name, expected",
    [
        (b"caf\xe9", "caf\\xe9"),
        ("café 犬 $x$".encode(), "café 犬 $x$"),
        (b"two\nlines\t\x1b[31m", "two\\x0alines\\x09\\x1b[31m"),
        ("\N{NEXT LINE}".encode(), "\\x85"),
        ("خانه\N{ZERO WIDTH NON-JOINER}ها".encode(), "خانه\N{ZERO WIDTH NON-JOINER}ها"),
        (b"\xff\xfe", "\\xff\\xfe"),
    ],
)
def test_names(name, expected):
    found = printable(os.fsdecode(name))
    assert found == expected and found.encode()
    assert printable(found) == found


def test_numbers_in_names_are_ordered_as_numbers():
    assert sorted(["b2", "a10", "a9", "10", "9"], key=natural_order) == ["9", "10", "a9", "a10", "b2"]
    # Whatever order a set gives them in, names that differ only in zeros come in one.
    for names in itertools.permutations(["s1", "s01", "s001", "s"]):
        assert sorted(names, key=natural_order) == ["s", "s001", "s01", "s1"]
