import numpy as np
import pytest

from tests.data.factors import published
from toolkit.data.factors import shapes3d as module
from toolkit.data.factors.shapes3d import shapes3d

NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")


def test_reads_what_is_published(tmp_path):
    images, classes = published.shapes3d(tmp_path / "3dshapes.h5")
    found = shapes3d(tmp_path / "3dshapes.h5")
    assert found.factor_names == NAMES and found.factor_sizes == (2, 3, 2, 2, 2, 2)
    order = np.random.default_rng(0).permutation(96)
    np.testing.assert_array_equal(np.rint(found.images(classes[order]) * 255), images[order])
    assert found.image_shape == (8, 8, 3)


def test_they_lie_on_the_disk(tmp_path):
    published.shapes3d(tmp_path / "a.h5")
    found = shapes3d(tmp_path / "a.h5")
    (tmp_path / "a.h5").unlink()
    stored = found.pixels.__closure__[0].cell_contents
    assert isinstance(stored, np.memmap) and not stored.flags.writeable and stored.shape == (96, 8, 8, 3)
    assert found.images(found.sample(5)).shape == (5, 8, 8, 3)


def test_no_room_on_the_disk(tmp_path, monkeypatch):
    published.shapes3d(tmp_path / "a.h5")
    monkeypatch.setattr(module.spooling.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
    with pytest.raises(OSError, match=r"a\.h5 takes 18.0 kB in the temporary folder.*Set TMPDIR"):
        shapes3d(tmp_path / "a.h5")


LABELS = published.combinations(2, 3, 2, 2, 2, 2) * 0.1
WRONG = {
    "without images": ({"images": None}, "has no array images"),
    "without labels": ({"labels": None}, "has no array labels"),
    "of floats": ({"images": np.zeros((96, 8, 8, 3), "float32")}, r"images: float32 \(96, 8, 8, 3\); expected uint8"),
    "grey": ({"images": np.zeros((96, 8, 8, 1), "uint8")}, r"images: uint8 \(96, 8, 8, 1\)"),
    "labels of others": ({"labels": LABELS[:-1]}, r"labels: float64 \(95, 6\); expected floats \(96, 6\)"),
    "labels that are classes": ({"labels": (LABELS * 10).astype(int)}, "labels: int64"),
    "labels that are none": ({"labels": np.where(LABELS == 0.2, np.nan, LABELS)}, "finite"),
    "part of the combinations": (
        {"labels": LABELS[:50], "images": np.zeros((50, 8, 8, 3), "uint8")},
        "50 images, and their factors have 2 x 3 x 2 x 2 x 2 x 2 values; expected 96",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_of_another_kind(tmp_path, name):
    arrays, told = WRONG[name]
    published.shapes3d(tmp_path / "a.h5", **arrays)
    with pytest.raises(ValueError, match=rf"a\.h5.*{told}"):
        shapes3d(tmp_path / "a.h5")
