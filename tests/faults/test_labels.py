"""The file in which a person writes the classes of images, damaged in every way."""

import pytest

from tests.faults.hostile import CANARY, DAMAGES, check_answer, table, unchanged
from toolkit.data.images.label_file import LabelFile

NAMES = ["cat", "dog", "a\nb"]


def begun(folder, rows=range(40)):
    file = LabelFile(folder / "round_0", list(rows), NAMES)
    file.write({row: row % 3 for row in rows})
    return file


@pytest.mark.parametrize("damage", table((name, name) for name in DAMAGES))
def test_damaged(damage, tmp_path):
    file = begun(tmp_path)
    DAMAGES[damage](file.path)
    with unchanged(tmp_path):
        check_answer(file.complete, [str(file.path)])


CONTENTS = [
    ("as it was", None, "works"),
    ("a formula", "image,label\n0.png,=1+1\n", "'=1+1' is no class"),
    ("a command", f"image,label\n0.png,$(touch {CANARY})\n", "is no class"),
    ("a path", "image,label\n../../etc/passwd,cat\n", "is no image that is asked for"),
    ("a number of a class", "image,label\n0.png,1\n", "'1' is no class"),
    ("a number of an image", "image,label\n0,cat\n", "'0' is no image that is asked for"),
    ("a name of many lines", 'image,label\n0.png,"x\ny"\n', "is no class"),
    ("a long name", "image,label\n0.png," + "x" * 100_000 + "\n", "is no class"),
    ("a longer one", "image,label\n0.png," + "x" * 1_000_000 + "\n", "no CSV"),
    ("many columns", "image,label\n0.png" + "," * 100_000 + "\n", "expected two columns"),
    ("another alphabet", "image,label\n0.png,\N{SNOWMAN}\n", "is no class"),
    ("a lone quote", 'image,label\n0.png,"cat\n', "no CSV"),
    ("spaces alone", "   \n", "line 1: expected the columns image, label"),
]


@pytest.mark.parametrize("content, expected", table(CONTENTS))
def test_contents(content, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = begun(tmp_path)
    if content is not None:
        file.path.write_text(content)
    check_answer(file.complete, [str(file.path)], expected)
