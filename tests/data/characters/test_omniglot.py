import io
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from tests.data.characters import published
from toolkit.data.characters.omniglot import omniglot


def test_a_zip_and_the_folder_it_unpacks_to(tmp_path):
    zipped = omniglot(published.zipped(tmp_path / "images_background.zip"), 105)
    folder = omniglot(published.unpacked(tmp_path / "images_background"), 105)
    assert list(zipped) == list(folder) == sorted(zipped) and len(zipped) == 7
    for name, drawings in zipped.items():
        np.testing.assert_array_equal(drawings, folder[name])
        assert drawings.shape == (4, 105, 105) and set(np.unique(drawings)) == {0, 255}
    expected = np.asarray(Image.open(io.BytesIO(published.drawing(2, 3))).convert("L"))
    np.testing.assert_array_equal(zipped["Greek/character02"][2], expected)


def test_smaller_drawings_keep_their_ink(tmp_path):
    path = published.zipped(tmp_path / "a.zip", {"Greek": 1})
    small, whole = omniglot(path, 21)["Greek/character01"], omniglot(path, 105)["Greek/character01"]
    assert small.shape == (4, 21, 21)
    averaged = whole.reshape(4, 21, 5, 21, 5).mean(axis=(2, 4))
    assert np.corrcoef(averaged.ravel(), small.ravel())[0, 1] > 0.95  # Pillow's triangle is wider than a square


def png(mode="L", size=(105, 105), kind="PNG"):
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is no PNG, or damaged"),
        (b"GIF89a nothing", "it is no PNG, or damaged"),
        (png(kind="JPEG"), "it is no PNG, or damaged"),
        (png()[:60], "cannot be read as a drawing"),
        (png(size=(105, 90)), "it is 105 x 90; expected a square"),
        (png(size=(2000, 2000)), "it is 2000 x 2000; expected a square of at most 1024"),
    ],
)
def test_a_damaged_drawing_is_named(tmp_path, content, told):
    path = published.zipped(tmp_path / "a.zip", changed={"character02/0002_03.png": content})
    with pytest.raises(ValueError, match=rf"a.zip: a/Greek/character02/0002_03.png .*{told}"):
        omniglot(path, 28)


def test_what_holds_no_drawings(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        omniglot(tmp_path / "nowhere", 28)
    with pytest.raises(FileNotFoundError, match="holds no drawings; expected Omniglot's images"):
        omniglot(tmp_path, 28)
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="a.zip is not a zip of Omniglot's images"):
        omniglot(tmp_path / "a.zip", 28)
    path = published.zipped(tmp_path / "b.zip", {"Greek": 2}, num_drawers=1)
    with pytest.raises(ValueError, match="Greek/character01 has a single drawing; expected two or more"):
        omniglot(path, 28)


@pytest.mark.skipif("TOOLKIT_TEST_DATA" not in os.environ, reason="the real Omniglot is not here")
def test_the_real_one():
    path = pathlib.Path(os.environ["TOOLKIT_TEST_DATA"], "omniglot", "images_background_small1.zip")
    found = omniglot(path, 20)
    assert len(found) == 136 and {len(drawings) for drawings in found.values()} == {20}
    assert {name.split("/")[0] for name in found} == {"Balinese", "Early_Aramaic", "Greek", "Korean", "Latin"}
    ink = 1 - np.concatenate(list(found.values())) / 255
    assert 0.02 < ink.mean() < 0.2 and ink.max(axis=(1, 2)).min() > 0.2
