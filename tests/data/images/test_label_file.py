import numpy as np
import pytest
from PIL import Image

from toolkit.data.images.label_file import LabelFile

ROWS, NAMES = [12, 7, 30], ["cat", "dog", "a, b"]
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 5, 5, 3)).astype("uint8")


@pytest.fixture(name="file")
def begun(tmp_path):
    file = LabelFile(tmp_path / "round_1", ROWS, NAMES)
    file.begin(IMAGES)
    return file


def test_pictures_and_an_empty_file(file):
    assert file.path.read_text() == "image,label\n12.png,\n7.png,\n30.png,\n" and file.read() == {}
    for row, image in zip(ROWS, IMAGES, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file.path.parent / f"{row}.png")), image)
    file.path.write_text("image,label\n7.png,cat\n")
    file.begin(IMAGES)  # what a person wrote stays
    assert file.read() == {7: 0}


def test_what_is_written_is_read(file):
    file.write({30: 2, 12: 0, 7: 1})
    assert file.read() == {30: 2, 12: 0, 7: 1}
    np.testing.assert_array_equal(file.complete(), [0, 1, 2])


@pytest.mark.parametrize(
    "content",
    [
        "image;label\n30.png;a, b\n7.png;dog\n12.png;cat\n",
        '\ufeffimage,label\r\n12.png,cat\r\n\r\n7.png, dog\r\n30.png,"a, b"\r\n',
        "Image\tLabel\n7.png\tdog\n12.png\tcat\n30.png\ta, b",
    ],
    ids=["semicolons", "of Windows", "tabs"],
)
def test_what_spreadsheets_save(file, content):
    file.path.write_bytes(content.encode())
    np.testing.assert_array_equal(file.complete(), [0, 1, 2])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "labels.csv is empty"),
        ("12.png,cat\n", "line 1: expected the columns image, label; found '12.png,cat'"),
        ("image,label\n12.png,cat\n13.png,dog\n", "line 3: '13.png' is no image that is asked for"),
        ("image,label\n12.png,cat\n12.png,dog\n", "line 3: 12.png stands in line 2 already"),
        ("image,label\n12.png,\n12.png,dog\n", "line 3: 12.png stands in line 2 already"),
        ("image,label\n12.png,bird\n", "line 2: 'bird' is no class; expected one of cat, dog, a, b"),
        ("image,label\n12.png,Cat\n", "line 2: 'Cat' is no class"),
        ("image,label\n12.png\n", "line 2: expected two columns"),
        ("image,label\n12.png,cat,dog\n", "line 2: expected two columns, image and label; found 3"),
        ('image,label\n12.png,"cat\n', "no CSV"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_line(file, content, told):
    file.path.write_text(content)
    with pytest.raises(ValueError, match="labels.csv") as error:
        file.read()
    assert told in str(error.value) and "\n" not in str(error.value)


def test_lines_that_are_missing(file):
    file.path.write_text("image,label\n30.png,dog\n12.png,\n")
    with pytest.raises(ValueError, match="2 of 3 images have no label yet: 12.png, 7.png") as error:
        file.complete()
    assert str(file.path) in str(error.value) and "cat, dog, a, b" in str(error.value)
    file.path.unlink()
    with pytest.raises(ValueError, match="3 of 3 images"):
        file.complete()
