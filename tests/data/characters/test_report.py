import numpy as np
import pytest

from toolkit.data.characters.loading import CharacterParts, Characters, load
from toolkit.data.characters.report import examine
from toolkit.data.pipelines import Splits


def parts(change=lambda part, images: images, left_out=(), classes=(30, 4, 25)):
    """Made-up drawings of five of each class."""
    found, first = {}, 0
    for part, number in zip(("train", "validation", "test"), classes, strict=True):
        random = np.random.default_rng([5, first])
        images = np.where(random.random((5 * number, 8, 8, 1)) < 0.2, 0, 255).astype("uint8")
        names = tuple(f"a/character{first + label:02}" for label in range(number))
        found[part] = Characters(change(part, images), np.repeat(np.arange(number, dtype="int32"), 5), names)
        first += number
    return CharacterParts(Splits(*(each.batches(10, 0, shuffle=False) for each in found.values())), found, left_out)


def changed(which, change):
    return parts(lambda part, images: change(images) if part == which else images)


def test_figures():
    found = examine(parts(), batch_size=10)
    characters = found.report.sections["characters"]
    assert characters["classes"] == {"train": 30, "validation": 4, "test": 25}
    assert characters["drawings"] == {"train": 150, "validation": 20, "test": 125}
    assert characters["fewest_drawings_of_a_class"]["test"] == 5 == characters["most_drawings_of_a_class"]["test"]
    assert characters["dark_pixels_%"]["train"] == pytest.approx(20, abs=2)
    assert found.report.sections["batches"]["steps_in_an_epoch"] == 15
    assert not found.report.changes and not found.report.refusal
    assert "Ready: 150 drawings of 30 classes to train on." in str(found.report)
    assert [each.shape for each in found.examples.values()] == [(5, 8, 8, 1)] * 8


def blank(images):
    images[:13] = 255
    return images


def with_training_drawings(images):
    images[:25] = parts().parts["train"].images[:25]
    return images


@pytest.mark.parametrize(
    "found, told",
    [
        (lambda: changed("test", blank), "10 % of the test drawings are of one colour"),
        (lambda: changed("train", lambda images: 255 - images), "Most pixels of the train drawings are dark"),
        (lambda: changed("test", with_training_drawings), "20 % of the test drawings are in the training part too"),
        (lambda: parts(classes=(30, 4, 6)), "6 test classes: no episode of 20. A larger --held_out"),
        (lambda: parts(left_out=("Greek", "Latin")), "Left out of the test, being trained on: Greek, Latin."),
    ],
)
def test_what_looks_wrong(found, told):
    report = examine(found(), batch_size=10).report
    assert len(report.changes) == 1 and report.changes[0].startswith(told) and not report.refusal


def test_drawings_that_are_all_the_same_are_refused():
    found = changed("train", lambda images: np.repeat(images[:1], len(images), axis=0))
    assert "All training drawings are the same" in examine(found, batch_size=10).report.refusal


def test_turned_classes_count():
    found = load("embedded:glyphs:50", image_size=8, rotations=True)
    assert examine(found, batch_size=64).report.sections["characters"]["classes"]["train"] == 160
