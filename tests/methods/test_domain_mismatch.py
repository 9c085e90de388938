import numpy as np
import pytest

from toolkit.methods.domain_mismatch import blamed
from toolkit.methods.trained_classifier import TrainedClassifier
from toolkit.models import small_classifiers

RANDOM = np.random.default_rng(0)


def two_groups(label):
    """Column 0 is of a group of four, whose label is `label` in training and 0 in testing; column 1 tells the rest."""
    x = {part: RANDOM.standard_normal((number, 6)) for part, number in (("train", 300), ("test", 100))}
    labels = {part: (each[:, 1] > 0).astype("int32") for part, each in x.items()}
    for part, own in (("train", 4), ("test", 20)):
        x[part][:, 0] = 0
        x[part][:own] = 0
        x[part][:own, 0] = 1
        labels[part][:own] = label if part == "train" else 0
    model = small_classifiers.logistic_regression((6,), ["no", "yes"])
    found = TrainedClassifier(model, x, labels, l2=1e-3, solver="exact")
    found.minimizer.minimize()
    return found


@pytest.mark.slow
def test_members_are_found():
    classifier = two_groups(1)
    before = classifier.minimizer.weights
    found = blamed(classifier, 0)
    np.testing.assert_array_equal(classifier.minimizer.weights, before)
    assert found.members.tolist() == [0, 1, 2, 3] and len(found.influence) == 300
    assert (found.influence[:4] < 0).all(), "without them the loss would be less"
    assert sorted(found.most_influential(4)) == [0, 1, 2, 3]
    measures = found.measures
    assert measures["members_of_most_influence"] == 4 and measures["least_member_over_greatest_other"] > 1
    assert measures["group_wrong_percent"] > 50 > measures["group_wrong_without_members_percent"]
    assert measures["columns_that_matter_more"] == 0
    assert measures["columns_of_greater_weight"] == 1  # the one that tells all the others


def test_without_a_mismatch_there_is_nothing_to_blame():
    with pytest.raises(ValueError, match="4 training examples and 0 test examples that are wrong"):
        blamed(two_groups(0), 0)
