import pytest

from tests.data.factors import published
from toolkit.data.factors.readers import READERS, sniff


def test_sizes_of_embedded_sprites():
    assert READERS["embedded"]("").factor_sizes == READERS["embedded"]("sprites").factor_sizes == (3, 4, 8, 12, 12)
    found = READERS["embedded"]("sprites:3x1x40x2x1")
    assert found.factor_names == ("shape", "orientation", "x") and found.factor_sizes == (3, 40, 2)


@pytest.mark.parametrize(
    "rest", ["shapes", "sprites:", "sprites:3x4x8x12", "sprites:4x4x8x12x12", "sprites:3x4x8x12x0", "9"]
)
def test_what_is_not_embedded(rest):
    with pytest.raises(ValueError, match=f"--data=embedded:{rest}: expected .*3x4x8x12x12.*at most 3x32x180x33x33"):
        READERS["embedded"](rest)


def test_sprites_that_stand_still():
    with pytest.raises(ValueError, match="--data=embedded:sprites:1x1x1x1x9: 2 factors or more"):
        READERS["embedded"]("sprites:1x1x1x1x9")


def test_paths_tell_their_reader(tmp_path):
    published.dsprites(tmp_path / "a.npz")
    published.shapes3d(tmp_path / "a.h5")
    published.norb(tmp_path)
    found = {sniff(path): path for path in (tmp_path / "a.npz", tmp_path / "a.h5", tmp_path)}
    assert [len(READERS[name](str(path))) for name, path in found.items()] == [96, 96, 24]
    assert found.keys() | {"embedded"} == READERS.keys() and sniff(tmp_path / "a.txt") is None


@pytest.mark.parametrize("name", ["dsprites", "shapes3d", "small_norb"])
def test_nothing_is_named(name):
    with pytest.raises(FileNotFoundError, match=f"--data={name}: expected {name}:F"):
        READERS[name]("")
