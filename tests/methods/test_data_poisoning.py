import keras
import numpy as np
import pytest

from toolkit.methods.data_poisoning import LIMIT, Poisoned, Poisoning, overall
from toolkit.methods.trained_classifier import TrainedClassifier
from toolkit.models import small_classifiers

RANDOM = np.random.default_rng(0)
SHAPE = (5, 5, 1)
PATTERNS = RANDOM.uniform(115, 140, (2, *SHAPE))


def images(number, seed):
    random = np.random.default_rng(seed)
    labels = np.arange(number) % 2
    return np.rint(np.clip(PATTERNS[labels] + 40 * random.standard_normal((number, *SHAPE)), 0, 255)), labels


X, LABELS = {}, {}
for part, count, seed in (("train", 40, 1), ("test", 60, 2)):
    X[part], LABELS[part] = images(count, seed)


def trained(features=None, l2=1e-4):
    x = X if features is None else {part: features.predict(each, verbose=0) for part, each in X.items()}
    scale = 1 / 255 if features is None else 1.0
    model = small_classifiers.logistic_regression(x["train"].shape[1:], ["a", "b"], scale=scale)
    found = TrainedClassifier(model, x, LABELS, l2=l2, solver="exact")
    found.minimizer.minimize()
    return found


@pytest.fixture(scope="module")
def features():
    keras.utils.set_random_seed(4)
    inputs = keras.Input(SHAPE)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, keras.layers.Dense(6, "tanh")(x))


def hardly_right(classifier):
    margins = classifier.margins()
    return int(np.argmin(np.where(margins > 0, margins, np.inf)))


@pytest.mark.slow
@pytest.mark.parametrize("deep", [False, True])
def test_directions_are_what_a_training_on_moved_pixels_shows(deep, features):
    """By finite differences of trainings."""
    classifier = trained(features if deep else None, l2=0.01)
    poisoning = Poisoning(classifier, X["train"], features if deep else None)
    number = hardly_right(classifier)
    found = poisoning.directions(number, [3])[0]
    before = classifier.minimizer.losses(*classifier.queries([number]))[0]
    for place in ((0, 0, 0), (2, 3, 0)):
        moved = X["train"].copy()
        moved[(3, *place)] += 2.0
        again = trained(features if deep else None, l2=0.01)
        again.minimizer.replace(features.predict(moved, verbose=0) if deep else moved, LABELS["train"])
        again.minimizer.minimize()
        change = again.minimizer.losses(*again.queries([number]))[0] - before
        assert change == pytest.approx(2.0 * found[place], rel=0.1, abs=2e-7)


@pytest.mark.slow
def test_an_attack_stays_within_half_a_grey_level_and_leaves_all_as_it_was():
    classifier = trained()
    poisoning, number = Poisoning(classifier, X["train"]), hardly_right(classifier)
    weights = classifier.minimizer.weights
    found = poisoning.attack(number, [0, 5, 6], num_steps=3)
    before = X["train"][[0, 5, 6]]
    assert 0 < np.abs(found.images - before).max() < LIMIT + 1e-9
    assert found.images.min() >= 0 and found.images.max() <= 255
    np.testing.assert_array_equal(np.rint(found.images), before)
    assert np.all(np.diff(found.losses) > 0) and len(found.scores) == len(found.losses) <= 4
    np.testing.assert_array_equal(classifier.minimizer.weights, weights)
    np.testing.assert_array_equal(classifier.minimizer.x, X["train"])


@pytest.mark.slow
def test_a_flip_is_proved_by_a_training_from_the_beginning():
    classifier = trained()
    number = hardly_right(classifier)
    found = Poisoning(classifier, X["train"]).until_flipped(number, (1, 1000), num_steps=4)
    changed = X["train"].copy()
    changed[found.rows] = found.images
    fresh = small_classifiers.logistic_regression(SHAPE, ["a", "b"], scale=1 / 255)
    again = TrainedClassifier(fresh, {**X, "train": changed}, LABELS, l2=1e-4)
    again.minimizer.minimize()
    np.testing.assert_allclose(again.scores()[number], found.scores[-1], atol=1e-3)
    assert again.scores()[number].argmax() == found.scores[-1].argmax() != LABELS["test"][number]


@pytest.mark.slow
def test_the_most_sensitive_images_move_the_loss_most():
    classifier = trained()
    poisoning, number = Poisoning(classifier, X["train"]), hardly_right(classifier)
    order = poisoning.most_sensitive(number)
    assert sorted(order) == list(range(40))
    first, last = (poisoning.attack(number, [row], num_steps=2).losses[-1] for row in (order[0], order[-1]))
    assert first > last


def test_images_that_are_not_those_trained_on():
    with pytest.raises(ValueError, match="expected 40 images, those that were trained on; got 3"):
        Poisoning(trained(l2=0.1), X["train"][:3])


def test_what_attacks_took():
    before = np.full((2, 2, 2, 1), 7.0)
    changed = before.copy()
    changed[0, 0, 0] += 0.4
    changed[1, 1, 1] -= 0.6
    found = Poisoned(np.array([3, 4]), changed, np.array([0.1, 0.9]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    row = found.measures(before)
    assert row == pytest.approx(
        {"images": 2, "loss_before": 0.1, "loss_after": 0.9, "grey_levels": 0.6, "pixels_of_another_level": 1}
    )
    assert found.taken_for == 1
    rows = [row | {"label": "a", "taken_for": taken} for taken in ("a", "b", "b")]
    rows[2] |= {"images": 9, "grey_levels": 0.2}
    measured = overall(rows)
    assert measured["attacked"] == 3 and measured["flipped_percent"] == pytest.approx(200 / 3)
    assert measured["largest_change_grey_levels"] == pytest.approx(0.6) and measured["median_images_changed"] == 5.5
    assert "median_images_changed" not in overall(rows[:1])
