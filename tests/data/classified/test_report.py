import numpy as np
import pytest

from tests.data.classified import mails
from toolkit.data import classified
from toolkit.data.classified.loading import Classified
from toolkit.data.classified.report import examine


def examples(features, labels, columns=("one", "two", "three")):
    """The last ten are the test."""
    rows = {"train": slice(None, -10), "test": slice(-10, None)}
    return Classified(
        {part: features[own].astype("float32") for part, own in rows.items()},
        {part: labels[own].astype("int32") for part, own in rows.items()},
        ("ham", "spam"),
        columns,
        {part: [str(row) for row in range(len(labels[own]))] for part, own in rows.items()},
    )


def drawn(count=110):
    features = np.random.default_rng(0).integers(1, 10**6, (count, 3))
    return features, np.arange(count) % 2


def test_figures():
    features, labels = drawn()
    features[:60, 1] = 0
    features[:90, 2] = 0
    found = examine(examples(features, labels))
    told = found.report.sections["examples"]
    assert told["examples"] == {"train": 100, "test": 10} and told["numbers_of_an_example"] == 3
    assert told["not_0_%"] == pytest.approx(100 * (100 + 40 + 10) / 300) and told["constant_in_training"] == 0
    assert found.report.sections["examples_of_each_class"]["spam"] == {"train": 50, "test": 5}
    assert found.frequent == {"one": 100, "two": 40, "three": 10}
    assert not found.report.changes and "Ready: 100 examples of 2 classes to train on." in str(found.report)


def test_images_are_counted_by_class():
    features, labels = drawn()
    found = examine(examples(features.reshape(-1, 3, 1, 1), labels, columns=()))
    assert found.frequent == {"ham": 50, "spam": 50}


def copied(features, labels):
    features[-10:] = features[:10]
    return features, labels


def contradictory(features, labels):
    features[1] = features[0]
    return features, labels


@pytest.mark.parametrize(
    "change, told",
    [
        (copied, "100 % of the test examples stand among the training ones"),
        (contradictory, "2 training examples are alike but have different classes"),
        (lambda x, y: (x, (np.arange(len(y)) == 3)), "The class ham has 99 training examples, spam has 1"),
    ],
)
def test_what_looks_wrong(change, told):
    report = examine(examples(*change(*drawn()))).report
    assert [told in each for each in report.changes] == [True] and not report.refusal


def test_examples_that_are_all_the_same_are_refused():
    features, labels = drawn()
    assert "All training examples are the same" in examine(examples(0 * features, labels)).report.refusal


def test_mails_that_say_the_same(tmp_path):
    mails.written(tmp_path, ham=[b"meet at noon"] * 20, spam=[b"win money now"] * 20)
    found = examine(classified.load(f"mail:{tmp_path}"))
    assert "100 % of the test examples stand among the training ones" in found.report.changes[0]
    assert set(found.frequent) == {"meet", "at", "noon", "win", "money", "now"}
