import os
import pathlib

import numpy as np
import pytest

from tests.data.characters import published
from toolkit.data import characters


def test_no_class_is_in_two_parts():
    found = characters.load("embedded:glyphs:30", image_size=12, batch_size=7, rotations=False, held_out=0.2, seed=3)
    names = [set(part.class_names) for part in found.parts.values()]
    assert [len(each) for each in names] == [18, 6, 6] and len(set.union(*names)) == 30
    other = characters.load("embedded:glyphs:30", image_size=12, held_out=0.2, seed=4)
    assert set(other.parts["test"].class_names) != names[2]
    images, labels = found.splits.train.arrays()
    assert images.dtype == np.float32 and labels.dtype == np.int32 and sorted(labels) == sorted([*range(18)] * 20)
    part = found.parts["train"]
    order = {image.tobytes(): label for image, label in zip(part.images.astype("float32"), part.labels, strict=True)}
    assert all(order[image.tobytes()] == label for image, label in zip(images, labels, strict=True))
    assert (labels != np.sort(labels)).any(), "in another order"
    test, labels = found.splits.test.arrays()
    np.testing.assert_array_equal(test, found.parts["test"].images)
    assert found.contents != other.contents


def test_turned_classes_are_others():
    plain = characters.load("embedded:glyphs:10", image_size=8, rotations=False).parts["train"]
    turned = characters.load("embedded:glyphs:10", image_size=8).parts["train"]
    number = len(plain.class_names)
    assert len(turned.class_names) == len(set(turned.class_names)) == 4 * number
    for quarter in range(4):
        expected = np.stack([np.rot90(image, quarter) for image in plain.images])
        np.testing.assert_array_equal(turned.images.reshape(4, -1, 8, 8, 1)[quarter], expected)
    np.testing.assert_array_equal(turned.labels // number, np.repeat(np.arange(4), len(plain.labels)))


def test_alphabets_that_are_trained_on_do_not_test(tmp_path):
    first = published.zipped(tmp_path / "a.zip", {"Greek": 8, "Latin": 2})
    second = published.zipped(tmp_path / "b.zip", {"Greek": 2, "Tifinagh": 3})
    found = characters.load(f"omniglot:{first},{second}", image_size=12)
    assert found.left_out == ("Greek",) and len(found.parts["train"].class_names) == 4 * 9
    assert found.parts["test"].class_names == tuple(f"Tifinagh/character0{n}" for n in (1, 2, 3))
    with pytest.raises(ValueError, match="all alphabets of the second set are in the first"):
        characters.load(f"omniglot:{first},{first}", image_size=12)


@pytest.mark.parametrize(("how", "told"), [({"held_out": 0.5}, "--held_out"), ({"image_size": 0}, "--image_size")])
def test_numbers_out_of_range(how, told):
    with pytest.raises(ValueError, match=told):
        characters.load("embedded:glyphs:10", **how)


@pytest.mark.slow
@pytest.mark.skipif("TOOLKIT_TEST_DATA" not in os.environ, reason="the real Omniglot is not here")
def test_the_real_ones():
    folder = pathlib.Path(os.environ["TOOLKIT_TEST_DATA"], "omniglot")
    paths = ",".join(str(folder / f"images_background_small{number}.zip") for number in (1, 2))
    found = characters.load(f"omniglot:{paths}", image_size=20)
    assert found.left_out == ("Greek", "Latin") and len(found.parts["test"].class_names) == 106
    assert len(found.parts["train"].class_names) == 4 * 123 and len(found.parts["validation"].class_names) == 13
