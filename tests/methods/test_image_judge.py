"""A judge's distance is that of its features, in SciPy; its verdict is its classifier's."""

import keras
import numpy as np
import pytest
import scipy.linalg

from toolkit import models
from toolkit.methods.image_judge import ImageJudge

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
