"""A judge's distance is that of its features, in SciPy; its verdict is its classifier's."""

import keras
import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats

from toolkit import models
from toolkit.methods.image_judge import ImageJudge, Seen
from toolkit.metrics.improved_precision_recall import improved_precision_recall

RANDOM = np.random.default_rng(0)
REAL, OTHERS = (RANDOM.integers(0, 256, (40, 16, 16, 3)).astype("float32") for _ in range(2))
NAMES = ["cat", "dog", "frog"]


@pytest.fixture(scope="module", name="classifier")
def network():
    keras.utils.set_random_seed(0)
    return models.image_classifier.trainee("resnet8", 16, NAMES, width=4)


def test_the_distance_in_the_last_features(classifier):
    judge = ImageJudge(classifier)
    with pytest.raises(ValueError, match="a covariance takes at least 2 samples|no real images"):
        judge.frechet_distance(OTHERS)
    judge.compare([REAL[:30], REAL[30:]])
    level = max(layer.name for layer in classifier.layers if layer.name.startswith("level_"))
    features = keras.Model(classifier.input, classifier.get_layer(level).output)
    one, other = (np.asarray(features(images)).mean(axis=(1, 2)).astype("float64") for images in (REAL, OTHERS))
    spread = np.cov(one.T) + np.cov(other.T) - 2 * scipy.linalg.sqrtm(np.cov(one.T) @ np.cov(other.T)).real
    expected = np.sum((one.mean(axis=0) - other.mean(axis=0)) ** 2) + np.trace(spread)
    assert judge.frechet_distance(OTHERS) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert judge.frechet_distance(REAL) == pytest.approx(0.0, abs=1e-6)
    assert judge.frechet_distance(REAL * 0.2) > judge.frechet_distance(OTHERS)


def test_its_verdict(classifier):
    judge = ImageJudge(classifier)
    seen = np.asarray(models.image_classifier.classifier(classifier)(OTHERS)).argmax(axis=-1)
    names = [NAMES[each] for each in seen]
    assert judge.accuracy(OTHERS, names) == 100.0
    names[:10] = [NAMES[(each + 1) % 3] for each in seen[:10]]
    assert judge.accuracy(OTHERS, names) == 75.0
    with pytest.raises(ValueError, match="knows no 'horse'"):
        judge.accuracy(OTHERS, ["horse"] * 40)


def test_images_of_another_size_and_in_grey(classifier):
    judge = ImageJudge(classifier)
    judge.compare([REAL])
    assert np.isfinite(judge.frechet_distance(RANDOM.integers(0, 256, (40, 32, 32, 1))))


def test_precision_and_recall_in_the_last_features(classifier):
    judge = ImageJudge(classifier)
    with pytest.raises(ValueError, match="at least 4 samples; got 0"):
        judge.precision_recall(OTHERS)
    judge.compare([REAL[:30], judge.look(REAL[30:])])
    real, others = (judge.look(images).features for images in (REAL, OTHERS))
    for k in (3, 1):
        radii = np.sort(np.linalg.norm(real[:, None].astype("float64") - real, axis=-1), axis=1)[:, k]
        within = np.linalg.norm(others[:, None].astype("float64") - real, axis=-1) <= radii
        assert judge.precision_recall(OTHERS, k).precision == within.any(axis=1).mean()
    assert judge.precision_recall(REAL) == (1, 1)
    judge.compare([OTHERS])
    assert judge.precision_recall(REAL).recall == improved_precision_recall(others, real).recall


def test_the_nearest_of_others_in_the_last_features(classifier):
    judge = ImageJudge(classifier)
    asked = np.concatenate([OTHERS[:6], REAL[33:34]])
    found = judge.nearest(asked, (REAL[start : start + 15] for start in (0, 15, 30)))
    features, real = judge.look(asked).features, judge.look(REAL).features
    apart = np.sqrt(((features[:, None].astype("float64") - real) ** 2).sum(axis=-1))
    np.testing.assert_array_equal(found.images, REAL[apart.argmin(axis=1)])
    np.testing.assert_allclose(found.distances, apart.min(axis=1), rtol=1e-5, atol=1e-5)
    assert found.distances[-1] < 1e-5 < found.distances[:-1].min(), "a copy of a real one"
    with pytest.raises(ValueError, match="others, of which the nearest could be found; got none"):
        judge.nearest(asked, [])


def test_the_inception_score_of_images_class_by_class(classifier):
    judge = ImageJudge(classifier)
    logits = np.asarray(models.image_classifier.classifier(classifier)(OTHERS))
    seen = judge.look(OTHERS)
    np.testing.assert_allclose(seen.probabilities, scipy.special.softmax(logits, axis=-1), rtol=1e-3, atol=1e-6)
    expected = np.exp(
        np.mean([scipy.stats.entropy(row, seen.probabilities.mean(axis=0)) for row in seen.probabilities])
    )
    assert judge.inception_score(OTHERS, num_splits=1).mean == pytest.approx(expected, rel=1e-4)
    in_order = Seen(seen.features[:30], np.eye(3, dtype="float32").repeat(10, axis=0))
    assert judge.inception_score(in_order, num_splits=3).mean > 2


def test_images_are_looked_at_once(classifier):
    judge = ImageJudge(classifier)
    judge.compare([REAL])
    seen = judge.look(OTHERS)
    names = NAMES * 13 + NAMES[:1]
    measures = ("frechet_distance", (), 1e-6), ("precision_recall", (), 0), ("inception_score", (), 1e-6)
    for name, arguments, tolerance in (*measures, ("accuracy", (names,), 0)):
        by_images = getattr(judge, name)(OTHERS, *arguments)
        assert getattr(judge, name)(seen, *arguments) == pytest.approx(by_images, abs=tolerance)
    some = np.arange(5, 25)
    assert judge.precision_recall(seen.of(some)) == judge.precision_recall(OTHERS[some])
    assert judge.accuracy(seen.of(judge.labels(names) == 0), ["cat"] * 14) == judge.accuracy(OTHERS[::3], ["cat"] * 14)
    assert judge.labels(["frog", "cat"]).tolist() == [2, 0]


def test_all_measures_at_once(classifier):
    judge = ImageJudge(classifier)
    judge.compare([REAL])
    shares = judge.precision_recall(OTHERS)
    assert judge.measures(OTHERS, "others") == {
        "frechet_distance_of_others": pytest.approx(judge.frechet_distance(OTHERS)),
        "precision_of_others_percent": 100 * shares.precision,
        "recall_of_others_percent": 100 * shares.recall,
        "inception_score_of_others": pytest.approx(judge.inception_score(OTHERS).mean),
    }
    assert judge.measures(OTHERS[:4], "few")["inception_score_of_few"] == pytest.approx(1.0, abs=1e-6)
