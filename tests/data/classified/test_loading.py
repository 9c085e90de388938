import numpy as np
import pytest

from toolkit.data import images
from toolkit.data.classified.loading import load, of_another_run, of_images


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    found = load("embedded")
    assert {part: len(each) for part, each in found.labels.items()} == {"train": 1438, "test": 359}
    every = np.concatenate([found.features[part] for part in ("train", "test")])
    known = {(image * 255 / 16).round().astype("uint8").tobytes() for image in load_digits().images}
    assert {image.astype("uint8").tobytes() for image in every} == known
    assert every.shape[1:] == (8, 8, 1) and every.max() == 255


def test_classes_become_0_1_in_the_order_given():
    whole, found = load("embedded"), load("embedded", classes=("7", "1"))
    for part in ("train", "test"):
        np.testing.assert_array_equal(found.features[part], whole.features[part][np.isin(whole.labels[part], (1, 7))])
        expected = [{7: 0, 1: 1}[label] for label in whole.labels[part] if label in (1, 7)]
        np.testing.assert_array_equal(found.labels[part], expected)
    assert found.class_names == ("7", "1")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("1", "12"), "there is no class '12'; there are 0, 1,"),
        (("1",), "two classes or more"),
        (("1", "1"), "each once"),
    ],
)
def test_classes_that_cannot_be(names, told):
    with pytest.raises(ValueError, match=told):
        load("embedded", classes=names)


def test_as_many_training_examples_as_are_asked_for():
    whole, found, other = load("embedded"), load("embedded", num_train=200), load("embedded", num_train=200, seed=1)
    assert len(found.labels["train"]) == 200 and len(found.labels["test"]) == len(whole.labels["test"])
    assert (found.labels["train"] != other.labels["train"]).any()
    rows = [whole.titles["train"].index(title) for title in found.titles["train"]]
    assert rows == sorted(rows)
    np.testing.assert_array_equal(found.features["train"], whole.features["train"][rows])
    with pytest.raises(ValueError, match="--num_train=5: no example of"):
        load("embedded", num_train=5)


def test_contents_tell_examples_apart():
    found = load("embedded", num_train=300)
    assert found.contents == load("embedded", num_train=300).contents
    for other in (load("embedded", num_train=301), load("embedded", num_train=300, seed=1)):
        assert other.contents != found.contents
    assert load("embedded", classes=("1", "7")).contents != load("embedded", classes=("7", "1")).contents


def test_images_as_a_classifier_was_trained_on_them():
    read = images.load("embedded", image_size=16, batch_size=4)
    found = of_images(read)
    assert found.features["train"].shape == (1259, 16, 16, 3)
    np.testing.assert_array_equal(found.labels["train"], read.parts["train"].labels)
    np.testing.assert_array_equal(found.features["test"][:4], read.splits.test.peek()[0])


def test_memory_is_asked_for_first(monkeypatch):
    from toolkit.files import limits

    read = images.load("embedded:100", image_size=8, batch_size=4)
    monkeypatch.setattr(limits, "half_of_memory", lambda: 1000)
    with pytest.raises(ValueError, match="images at once would take"):
        of_images(read)


def test_what_cannot_be():
    with pytest.raises(ValueError, match="--held_out=0.5: expected a share over 0"):
        load("embedded", held_out=0.5)
    with pytest.raises(ValueError, match="no reader 'male', no such path. Did you mean 'mail'"):
        load("male:folder")


@pytest.mark.slow
def test_mnist_of_two_classes(test_data, tmp_path):
    import tarfile

    with tarfile.open(test_data / "more" / "mnist.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    found = load(f"idx:{tmp_path / 'mnist'}", classes=("1", "7"))
    # As published: 6,742 ones and 6,265 sevens, 1,135 and 1,028 to test.
    assert [np.bincount(found.labels[part]).tolist() for part in ("train", "test")] == [[6742, 6265], [1135, 1028]]


def test_what_is_said_of_a_pair():
    found = load("embedded")
    labels = [found.class_names[found.labels[part][7]] for part in ("test", "train")]
    expected = {"test": "test image 7", "label": labels[0], "training": "train image 7", "its_label": labels[1]}
    assert found.pair(7, 7) == expected
    found = load("embedded:patients:200")
    assert found.pair(0, 1)["both_have"] == " ".join(found.in_common(0, 1))


def test_images_of_another_run():
    made, classes = {"data": "embedded:200", "held_out": 0.2, "seed": 3, "epochs": 4}, [str(n) for n in range(10)]
    found = of_another_run(made, "embedded", (8, 8, 1), classes, "--model=x", num_train=90)
    expected = images.load("embedded:200", image_size=8, channels=1, batch_size=4, held_out=0.2, seed=3)
    np.testing.assert_array_equal(found.labels["test"], expected.parts["test"].labels)
    assert len(found.labels["train"]) == 90 and found.features["train"].shape[1:] == (8, 8, 1)
    with pytest.raises(ValueError, match="--data has other classes than --model=x"):
        of_another_run(made, "embedded", (8, 8, 1), ["cat", "dog"], "--model=x")
    with pytest.raises(ValueError, match="--model=x was trained on .*gone.npz, which is not there any more"):
        of_another_run(made | {"data": "npz:gone.npz"}, "embedded", (8, 8, 1), classes, "--model=x")
