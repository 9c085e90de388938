import os

import pytest

from toolkit.files.names import printable


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
