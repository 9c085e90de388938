import dataclasses

import numpy as np
import pytest

from toolkit.generation.classifier_rejection import drawn_and_kept, kept

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.permutation(np.repeat([0, 1, 3], [100, 40, 7]))
PROBABILITIES = RANDOM.dirichlet(np.ones(4), len(LABELS))


@pytest.mark.parametrize("keep", [0.15, 0.29, 0.5, 1.0])
def test_the_most_probable_of_each_class(keep):
    which = kept(PROBABILITIES, LABELS, keep)
    assert which.dtype == np.int64 and np.all(np.diff(which) > 0)
    for label, count in ((0, 100), (1, 40), (3, 7)):
        in_class = sorted(PROBABILITIES[LABELS == label, label])
        found = sorted(PROBABILITIES[which[LABELS[which] == label], label])
        assert found == in_class[-(round(100 * keep) * count // 100) :]


def test_fewer_kept_are_among_more_and_likelier():
    shares = (1.0, 0.6, 0.3, 0.15)
    sets = [kept(PROBABILITIES, LABELS, share) for share in shares]
    assert all(set(fewer) < set(more) for more, fewer in zip(sets, sets[1:], strict=False))
    means = [PROBABILITIES[which, LABELS[which]].mean() for which in sets]
    assert means == sorted(means)
    np.testing.assert_array_equal(sets[0], np.arange(len(LABELS)))


def test_of_equals_the_first_are_kept():
    assert kept(np.full((6, 2), 0.5), np.array([1, 0, 1, 0, 1, 1]), 0.5).tolist() == [0, 1, 2]


def test_no_class_is_left_out():
    with pytest.raises(ValueError, match="leaves none of the 7 samples of class 3: draw at least 8 of each"):
        kept(PROBABILITIES, LABELS, 0.125)
    with pytest.raises(ValueError, match="7 samples of class frog: draw at least 10"):
        kept(PROBABILITIES, LABELS, 0.1, ["cat", "dog", "horse", "frog"])
    assert len(kept(PROBABILITIES[:, :1], np.zeros(len(LABELS), int), 0.01)) == 1


@pytest.mark.parametrize(
    ("probabilities", "labels", "keep", "message"),
    [
        (PROBABILITIES, LABELS[1:], 1, r"a label for each sample; got \(147, 4\) and \(146,\)"),
        (PROBABILITIES[:0], LABELS[:0], 1, "a label for each sample"),
        (PROBABILITIES[:, :3], LABELS, 1, "labels from 0 to 2; got some from 0 to 3"),
        (PROBABILITIES, LABELS - 1, 1, "labels from 0 to 3; got some from -1"),
        (PROBABILITIES, LABELS, 0, "above 0 and at most 1; got 0"),
        (PROBABILITIES, LABELS, 1.5, "above 0 and at most 1; got 1.5"),
        (PROBABILITIES * np.nan, LABELS, 1, "NaN"),
    ],
)
def test_what_cannot_be_kept_is_refused(probabilities, labels, keep, message):
    with pytest.raises(ValueError, match=message):
        kept(probabilities, labels, keep)


@dataclasses.dataclass
class Seen:
    probabilities: np.ndarray

    def of(self, which):
        return Seen(self.probabilities[which])


def test_as_many_are_kept_of_each_share():
    """Samples of a class that a classifier with other numbers sees the better the larger they are."""
    numbers, asked = np.array([2, 0, 1]), []

    def draw(labels):
        asked.append(labels)
        return np.stack([labels, np.random.default_rng(0).uniform(size=len(labels))], axis=1)

    def look(samples):
        return Seen(samples[:, 1:] * np.eye(3)[numbers[samples[:, 0].astype(int)]])

    labels = np.repeat([0, 1, 2], 4)
    found = drawn_and_kept(draw, look, labels, (1.0, 0.5, 0.25), looked_for=numbers[labels])
    assert len(asked) == 1 and len(asked[0]) == 48
    everything = draw(asked[0])
    for share, number in ((1.0, 1), (0.5, 2), (0.25, 4)):
        samples, seen, its = found[share]
        assert len(samples) == 12 and np.array_equal(samples[:, 0], its)
        np.testing.assert_array_equal(seen.probabilities, look(samples).probabilities)
        for label in range(3):
            first = everything[: 12 * number]
            of_class = np.sort(first[first[:, 0] == label, 1])
            np.testing.assert_array_equal(np.sort(samples[its == label, 1]), of_class[-4:])
    assert len(drawn_and_kept(draw, look, labels, (0.3,), looked_for=numbers[labels])[0.3][0]) == 12
