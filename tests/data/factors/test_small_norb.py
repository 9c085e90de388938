import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from tests.data.factors import published
from toolkit.data.factors.small_norb import small_norb

NAMES = ("category", "elevation", "azimuth", "lighting")
TRAINING = published.NORB.format("14", "training")


def reduced(photo):
    return np.asarray(Image.fromarray(photo).resize((64, 64), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("packed", [False, True])
def test_reads_what_is_published(tmp_path, packed):
    photos, table = published.norb(tmp_path, packed)
    found = small_norb(tmp_path)
    assert found.factor_names == NAMES and found.factor_sizes == (2, 3, 2, 2) and found.image_shape == (64, 64, 1)
    assert found.places.shape == (24, 4)
    for number in (0, 7, 23):
        factors = found.factors(np.array([number]))
        these = np.flatnonzero((table[:, :4] == factors).all(axis=1))  # of four toys, in the order of their numbers
        expected = [reduced(photos[row]) for row in these[np.argsort(table[these, 4])]]
        np.testing.assert_array_equal(found.pixels(found.places[number])[..., 0], expected)
        drawn = found.images(np.repeat(factors, 100, axis=0))[..., 0]
        assert {image.tobytes() for image in np.rint(drawn * 255).astype("uint8")} == {e.tobytes() for e in expected}


def test_one_set_alone_and_files_that_are_there_twice(tmp_path):
    published.norb(tmp_path, packed=True)
    published.norb(tmp_path)
    assert small_norb(tmp_path).places.shape == (24, 4)
    for path in tmp_path.glob("*testing*"):
        path.unlink()
    (tmp_path / f"{TRAINING}-info.mat").unlink()  # of which the packed one is left
    assert small_norb(tmp_path).places.shape == (24, 2)


def renamed(old, new):
    def change(folder):
        for path in folder.glob("*training*"):
            path.rename(folder / path.name.replace(old, new))

    return change


def changed(kind, change):
    def damage(folder):
        path = folder / f"{TRAINING}-{kind}.mat"
        path.write_bytes(change(path.read_bytes()))

    return damage


def table(kind, *shape):
    return changed(kind, lambda _: published.matrix(np.zeros(shape, "int32")))


WRONG = {
    "cut short": (changed("dat", lambda content: content[:-3]), "training-dat.mat is cut short.*3 bytes more"),
    "cut in its header": (changed("cat", lambda content: content[:9]), "training-cat.mat is cut short"),
    "too long": (changed("info", lambda content: content + b"x"), "training-info.mat goes on after the"),
    "another magic number": (
        changed("dat", lambda c: b"\x54" + c[1:]),
        "dat.mat begins with 0x1e3d4c54; expected 0x1e3d4c55",
    ),
    "bytes for integers": (
        changed("cat", lambda c: b"\x55" + c[1:]),
        "cat.mat begins with 0x1e3d4c55; expected 0x1e3d4c54",
    ),
    "many axes": (changed("dat", lambda c: c[:4] + struct.pack("<I", 9) + c[8:]), "dat.mat is damaged: .* 9 axes"),
    "no length": (changed("dat", lambda c: c[:8] + struct.pack("<i", -1) + c[12:]), r"dat.mat is damaged.*\(-1, 2, 12"),
    "a giant": (changed("cat", lambda c: c[:8] + struct.pack("<i", 2**30) + c[12:]), "cat.mat would take 4.0 GB"),
    "no pairs": (table("info", 48, 3), r"info.mat: shape \(48, 3\), and .*cat.mat \(48,\); expected \(images, 4\)"),
    "fewer categories": (table("cat", 47), r"info.mat: shape \(48, 4\), and .*cat.mat \(47,\)"),
    "other photos": (
        changed("dat", lambda _: published.matrix(published.noise(0, 9, 2, 12, 12))),
        r"shape \(9, 2, 12, 12\)",
    ),
    "one category": (table("cat", 48), "holds 1 of category.*and its name says 2 of category.*Is it another file"),
    "another name": (renamed("2x14x3", "5x46789x9"), "holds 2 of category, 3 of elev.*says 5 of category, 9 of elev"),
    "one toy twice": (
        lambda folder: [
            path.with_name(path.name.replace("2x14x", "2x01x").replace("training", "more")).write_bytes(
                path.read_bytes()
            )
            for path in folder.glob("*training*")
        ],
        "144 images, and their factors have 2 x 3 x 2 x 2 x 4 values; expected 96",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_of_another_kind(tmp_path, name):
    published.norb(tmp_path)
    change, told = WRONG[name]
    change(tmp_path)
    with pytest.raises(ValueError, match=told):
        small_norb(tmp_path)


def test_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no file \*-dat.mat"):
        small_norb(tmp_path)
    with pytest.raises(FileNotFoundError, match="none is no folder"):
        small_norb(tmp_path / "none")
    published.norb(tmp_path)
    (tmp_path / f"{TRAINING}-cat.mat").unlink()
    with pytest.raises(FileNotFoundError, match="training-cat.mat.gz: no such file"):
        small_norb(tmp_path)
    with pytest.raises(ValueError, match="dat.mat is no folder"):
        small_norb(tmp_path / f"{TRAINING}-dat.mat")


def test_a_packed_file_that_is_damaged(tmp_path):
    published.norb(tmp_path, packed=True)
    path = tmp_path / f"{TRAINING}-dat.mat.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()))[:-200])
    with pytest.raises(ValueError, match="training-dat.mat.gz is damaged"):
        small_norb(tmp_path)
