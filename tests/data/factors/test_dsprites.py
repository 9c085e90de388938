import os
import pickle

import numpy as np
import pytest

from tests.data.factors import published
from toolkit.data.factors.dsprites import dsprites


def test_reads_what_is_published(tmp_path):
    path = tmp_path / published.DSPRITES
    images, classes = published.dsprites(path)
    found = dsprites(path)
    assert found.factor_names == ("shape", "scale", "orientation", "x", "y") and found.factor_sizes == (2, 2, 3, 2, 4)
    read = found.images(classes[:, 1:])
    assert read.shape == (96, 8, 10, 1) and found.image_shape == (8, 10, 1)
    np.testing.assert_array_equal(read[..., 0], images)
    np.testing.assert_array_equal(found.images(np.array([[1, 0, 2, 1, 3]] * 2))[:, :, :, 0], images[[71, 71]])


def test_images_lie_in_any_order_and_their_pixels_fill_no_whole_bytes(tmp_path):
    order = np.random.default_rng(0).permutation(24)
    classes = published.combinations(2, 3, 1, 1, 1, 4)[order] * [1, 1, 1, 1, 1, 3]  # classes of a part of the images
    images, _ = published.dsprites(tmp_path / "a.npz", (2, 3, 1, 1, 1, 4), (3, 5), np.savez, latents_classes=classes)
    found = dsprites(tmp_path / "a.npz")
    assert found.factor_names == ("color", "shape", "y")
    np.testing.assert_array_equal(found.images(classes[:, [0, 1, 5]] // [1, 1, 3])[..., 0], images)


def test_a_pickle_in_it_is_not_run(tmp_path, monkeypatch):
    class Code:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'run'}",)

    published.dsprites(tmp_path / "a.npz", metadata=np.array(Code(), object))
    assert len(dsprites(tmp_path / "a.npz")) == 96 and not (tmp_path / "run").exists()
    pickle.loads(pickle.dumps(Code()))
    assert (tmp_path / "run").exists()


CLASSES = published.combinations(1, 2, 2, 3, 2, 4)
WRONG = {
    "without images": ({"imgs": None}, "has no array imgs"),
    "without classes": ({"latents_classes": None}, "has no array latents_classes"),
    "of floats": ({"imgs": np.zeros((96, 8, 10))}, r"imgs: float64 \(96, 8, 10\); expected uint8"),
    "in colour": ({"imgs": np.zeros((96, 8, 10, 3), "uint8")}, r"imgs: uint8 \(96, 8, 10, 3\); expected uint8"),
    "of no image": ({"imgs": np.zeros((0, 8, 10), "uint8")}, r"imgs: uint8 \(0, 8, 10\)"),
    "of greys": ({"imgs": np.full((96, 8, 10), 255, "uint8")}, "imgs: a value of 255; expected 0 and 1"),
    "classes of others": ({"latents_classes": CLASSES[:-1]}, r"latents_classes: int64 \(95, 6\); .*\(96, 6\)"),
    "classes that are values": ({"latents_classes": CLASSES * 1.0}, "latents_classes: float64"),
    "classes of five factors": ({"latents_classes": CLASSES[:, 1:]}, r"latents_classes: int64 \(96, 5\)"),
    "one image of two combinations": (
        {"latents_classes": np.concatenate([CLASSES[:1], CLASSES[:-1]])},
        r"of 1 x 2 x 2 x 3 x 2 x 4 combinations \[0, 1, 1, 2, 1, 3\] has no image",
    ),
    "part of the combinations": (
        {"latents_classes": CLASSES[:50], "imgs": published.noise(0, 50, 8, 10, most=2)},
        "50 images, and their factors have 1 x 2 x 2 x 3 x 2 x 4 values; expected 96",
    ),
    "column by column": ({"imgs": np.asfortranarray(published.noise(0, 96, 8, 10, most=2))}, "column by column"),
    "one factor": (
        {"latents_classes": np.arange(5)[:, None] * [0, 0, 1, 0, 0, 0], "imgs": np.zeros((5, 8, 8), "uint8")},
        "expected 2 factors or more that vary",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_of_another_kind(tmp_path, name):
    arrays, told = WRONG[name]
    published.dsprites(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=rf"a\.npz.*{told}"):
        dsprites(tmp_path / "a.npz")


def test_a_name_that_says_other_numbers(tmp_path):
    path = tmp_path / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
    published.dsprites(path)
    told = (
        "holds 1 x 2 x 2 x 3 x 2 x 4 values, 8 x 10 pixels, and its name says 1 x 3 x 6 x 40 x 32 x 32 values, 64 x 64"
    )
    with pytest.raises(ValueError, match=told):
        dsprites(path)
