"""What tells data sets apart: any order, any example of a small one; not where files lie, nor how it is rounded."""

import numpy as np
import pytest
import tensorflow as tf

from toolkit.data import contents as module
from toolkit.data.contents import contents_of
from toolkit.data.images import load as load_images
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.data.text import load as load_text
from toolkit.training.differences import first_difference

VALUES = np.random.default_rng(0).standard_normal((600, 4)).astype("float32")


def told(values, seed=0):
    return contents_of(lambda i: (values[i], i % 3), shuffled_plan(len(values), 8, seed=seed)(0), len(values))


def differs(values, **how):
    return first_difference(told(VALUES), told(values, **how), tolerance=1e-5)


def test_the_same_is_the_same_also_where_the_last_bit_is_another():
    assert differs(VALUES.copy()) == ""
    assert differs(np.nextafter(VALUES, np.float32(np.inf))) == ""


@pytest.mark.parametrize("place", [0, 299, 599])
def test_each_example_counts(place):
    other = VALUES.copy()
    other[place] *= 1.1
    assert "figures" in differs(other)
    other = VALUES.copy()
    other[[place, place - 1]] = other[[place - 1, place]]
    assert "figures" in differs(other), "two that changed places"


def test_order_and_number_count():
    assert "order" in differs(VALUES, seed=1)
    assert "number of examples: 600 before, 599 now" in differs(VALUES[:-1])


def test_of_many_megabytes_some_are_looked_at(monkeypatch):
    monkeypatch.setattr(module, "_LOOKED_AT", 1000)
    asked = []
    contents_of(lambda i: asked.append(len(i)) or VALUES[i], shuffled_plan(600, 8, seed=0)(0), 600)
    assert sum(asked) * 16 < 1500


def test_not_a_number_and_words_are_compared_too():
    words = np.array([b"one", b"two", b"three"])
    plan = [np.arange(3)]
    assert contents_of(lambda i: words[i], plan, 3) != contents_of(lambda i: words[i[::-1]], plan, 3)
    numbers = np.array([1.0, np.nan, np.inf])
    found = contents_of(lambda i: numbers[i], plan, 3)
    assert first_difference(found, found) == ""


def test_splits_say_it_by_part():
    part = Batches(lambda i: VALUES[i], shuffled_plan(600, 8, seed=0), tf.TensorSpec([None, 4]), num_examples=600)
    other = part.subset(np.arange(599), shuffled_plan(599, 8, seed=0))
    before, now = Splits(part, part, part).contents, Splits(part, part, other).contents
    assert first_difference(before, now).startswith("test, number of examples")


def test_classes_labels_and_tokens(tmp_path):
    def images(labels, names=("ant", "bee")):
        x = np.random.default_rng(0).integers(0, 256, (12, 4, 4)).astype("uint8")
        np.savez(tmp_path / "a.npz", x_train=x, y_train=labels, x_test=x, y_test=labels)
        return load_images(f"npz:{tmp_path / 'a.npz'}", image_size=4, batch_size=4).contents

    labels = np.arange(12) % 2
    assert first_difference(images(labels), images(labels)) == ""
    swapped = labels.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    assert first_difference(images(labels), images(swapped)).startswith("labels")

    def text(words):
        (tmp_path / "a.txt").write_text(words * 99)
        return load_text(f"text:{tmp_path / 'a.txt'}").contents

    assert first_difference(text("abc "), text("abc ")) == ""
    assert "vocabulary" in first_difference(text("abc "), text("abd "))
    assert "text" in first_difference(text("abc "), text("acb "))
