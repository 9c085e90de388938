import numpy as np
import pytest

from tests.data.masks.pairs import image, numbers
from toolkit.data.masks.files import Arrays
from toolkit.data.masks.store import Numbering, stored

NUMBERING = Numbering(("road", "sky", "tree"))
SIZES = [(20, 24), (10, 40), (33, 12)]


def example(number, size=(20, 24), mask=None):
    labels = numbers(number, size) if mask is None else mask
    return Arrays(f"example {number}", np.concatenate([image(number, size), labels[..., None]], -1))


def made(**how):
    examples = {"train": [example(k, SIZES[k % 3]) for k in range(7)], "test": [example(9)]}
    return stored(examples, NUMBERING, source="made", **{"image_size": None, **how})


def test_numbers_and_classes():
    close_up = Numbering(("road", "sky"), ignored=(0, 3))
    labels, counts = close_up.labels(np.array([[0, 1, 2], [3, 255, 2]], "uint8"), "a")
    assert labels.tolist() == [[255, 0, 1], [255, 255, 1]] and counts.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="a.png has the number 4 and 1 other numbers of no class: there are 2, 1 to 2"):
        close_up.labels(np.array([[4, 9, 1]], "uint8"), "a.png")


def test_some_of_unlike_sizes(kept):
    store = made()["train"]
    assert store.in_memory == (kept == "in memory") and len(store) == 7
    chosen = np.array([5, 0, 1])
    pixels, sizes = store.read(chosen)
    assert sizes.tolist() == [list(SIZES[k % 3]) for k in chosen] and pixels.shape == (3, 33, 40, 4)
    for place, number in enumerate(chosen):
        height, width = sizes[place]
        np.testing.assert_array_equal(pixels[place, :height, :width], example(number, SIZES[number % 3]).pixels)
        np.testing.assert_array_equal(store[number], example(number, SIZES[number % 3]).pixels)
    part = store.subset(np.array([5, 0]))
    np.testing.assert_array_equal(part[0], store[5])


def test_the_shorter_side_is_resized(kept):
    store = made(image_size=5)["train"]
    assert store.sizes[:3].tolist() == [[5, 6], [5, 20], [14, 5]]
    for index in range(3):
        expected = example(index, SIZES[index]).read(tuple(store.sizes[index].tolist()))
        np.testing.assert_array_equal(store[index], np.concatenate([expected[0], expected[1][..., None]], -1))


def test_pixels_of_each_class(kept):
    store = made()["train"]
    assert (store.counts is None) == (kept == "streamed")
    expected = sum(np.bincount(numbers(k, SIZES[k % 3]).reshape(-1), minlength=3) for k in range(7))
    np.testing.assert_array_equal(store.num_pixels, [*expected, 0])
    part = store.subset(np.array([0, 2]))
    expected = sum(np.bincount(numbers(k, SIZES[k]).reshape(-1), minlength=3) for k in (0, 2))
    np.testing.assert_array_equal(part.num_pixels, [*expected, 0])


def test_what_cannot_be_read(kept, capsys):
    wrong = np.full((20, 24), 7, "uint8")
    examples = {"train": [example(0), example(1, mask=wrong), example(2)]}
    if kept == "streamed":
        store = stored(examples, NUMBERING, image_size=None, source="made")["train"]
        with pytest.raises(ValueError, match="example 1 has the number 7 of no class"):
            store.read(np.arange(3))
    else:
        with pytest.raises(ValueError, match="example 1 has the number 7 of no class.*--skip_corrupt"):
            stored(examples, NUMBERING, image_size=None, source="made")
    store = stored(examples, NUMBERING, image_size=None, source="made", skip_corrupt=True)["train"]
    assert len(store) == 2 and "example 1 has the number 7" in store.skipped[0]
    np.testing.assert_array_equal(store[1], example(2).pixels)
    assert "--data=made: 1 of 3 images left out, such as: example 1 has" in capsys.readouterr().err
