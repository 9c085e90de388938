import numpy as np
import pytest

from toolkit.data.label_noise import flipped
from toolkit.methods.mislabelled import by_share, mended, recalls, suspicions, trial
from toolkit.methods.trained_classifier import TrainedClassifier
from toolkit.models import small_classifiers

RANDOM = np.random.default_rng(1)
X = {part: RANDOM.standard_normal((number, 6)) for part, number in (("train", 200), ("test", 300))}
RIGHT = {part: (each @ [2, -1, 1, 0, 0, 0] > 0).astype("int32") for part, each in X.items()}
GIVEN, WRONG = flipped(RIGHT["train"], 0.1, 2, seed=3)


@pytest.fixture(scope="module")
def classifier():
    model = small_classifiers.logistic_regression((6,), ["a", "b"])
    found = TrainedClassifier(model, X, {**RIGHT, "train": GIVEN}, l2=0.01, solver="exact")
    found.minimizer.minimize()
    return found


@pytest.fixture(scope="module")
def scores(classifier):
    return suspicions(classifier, seed=5)


def test_wrong_labels_are_found_far_sooner_than_by_chance(scores):
    assert set(scores) == {"self_influence", "loss", "chance"}
    found = recalls(scores, WRONG, [0.1, 0.2, 1.0])
    for order in ("self_influence", "loss"):
        assert found[f"{order}_found_at_20_percent"] > 80 > 3 * found["chance_found_at_20_percent"]
        assert found[f"{order}_found_at_100_percent"] == 100
    np.testing.assert_allclose(np.sort(scores["chance"]), np.linspace(0, 1, 200), atol=0.2)


def test_self_influence_is_the_change_of_its_own_loss(classifier, scores):
    rows = [0, int(np.flatnonzero(WRONG)[0])]
    expected = classifier.influence().of_removing((classifier.minimizer.x[rows], classifier.minimizer.y[rows]), rows)
    np.testing.assert_allclose(scores["self_influence"][rows], np.diag(expected), rtol=1e-6)


@pytest.mark.slow
def test_mending_helps_and_all_is_put_back(classifier, scores):
    before = classifier.minimizer.weights, classifier.accuracy()
    found = mended(classifier, {"loss": scores["loss"]}, RIGHT["train"], (0.0, 0.2, 1.0))
    assert found["loss_accuracy_at_0_percent"] == before[1]
    assert found["loss_accuracy_at_100_percent"] >= found["loss_accuracy_at_20_percent"] - 2 > before[1] - 2
    clean = TrainedClassifier(small_classifiers.logistic_regression((6,), ["a", "b"]), X, RIGHT, l2=0.01)
    clean.minimizer.minimize()
    assert found["loss_accuracy_at_100_percent"] == pytest.approx(clean.accuracy(), abs=0.4)
    np.testing.assert_array_equal(classifier.minimizer.weights, before[0])
    np.testing.assert_array_equal(classifier.minimizer.y, GIVEN)


def test_a_trial_is_what_its_parts_say(classifier, scores):
    model = small_classifiers.logistic_regression((6,), ["a", "b"])
    new = TrainedClassifier(model, X, {**RIGHT, "train": GIVEN}, l2=0.01, solver="exact")
    found = trial(new, RIGHT["train"], WRONG, inspected=(0.1, 0.2), mending=(0.2,), seed=5)
    assert found.pop("accuracy_with_wrong_labels") == classifier.accuracy()
    expected = recalls(scores, WRONG, (0.1, 0.2)) | mended(classifier, scores, RIGHT["train"], (0.2,))
    assert found == pytest.approx(expected, abs=0.51)
    curves = by_share(found, "found", (0.1, 0.2))
    assert list(curves) == ["self influence", "loss", "chance"]
    assert curves["chance"] == [(10, found["chance_found_at_10_percent"]), (20, found["chance_found_at_20_percent"])]
    assert by_share(found, "accuracy", (0.2,))["loss"] == [(20, found["loss_accuracy_at_20_percent"])]
