import pytest

from tests.data.characters import published
from toolkit.data.characters.readers import READERS, sniff


def test_embedded_glyphs():
    (found,) = READERS["embedded"]("glyphs:4", 12)
    assert list(found) == ["glyph 0", "glyph 1", "glyph 2", "glyph 3"] and found["glyph 3"].shape == (20, 12, 12)


@pytest.mark.parametrize("rest", ["glyph", "glyphs:", "glyphs:2", "glyphs:99999", "9"])
def test_what_is_not_embedded(rest):
    with pytest.raises(ValueError, match=f"--data='embedded:{rest}': expected embedded:glyphs or embedded:glyphs:N"):
        READERS["embedded"](rest, 12)


def test_more_than_memory_holds():
    with pytest.raises(ValueError, match="--data=embedded:glyphs:20000 of --image_size=4096 would take .* GB"):
        READERS["embedded"]("glyphs:20000", 4096)


def test_one_set_or_two(tmp_path):
    first = published.zipped(tmp_path / "images_background.zip")
    assert [len(found) for found in READERS["omniglot"](str(first), 12)] == [7]
    second = published.unpacked(tmp_path / "images_evaluation", {"Tifinagh": 3})
    assert [len(found) for found in READERS["omniglot"](f"{first},{second}", 12)] == [7, 3]
    assert [len(found) for found in READERS["omniglot"](str(tmp_path), 12)] == [7, 3]
    with pytest.raises(ValueError, match="expected omniglot:PATH, or omniglot:TRAIN,TEST"):
        READERS["omniglot"](f"{first},{second},{first}", 12)
    assert sniff(first) == sniff(tmp_path) == "omniglot" and sniff(tmp_path / "a.txt") is None
