"""What is measured is what was drawn, and what a judge keeps of it."""

import types

import keras
import numpy as np
import pytest

from toolkit.generation.sample_quality import sample_quality
from toolkit.methods.image_judge import ImageJudge
from toolkit.models import image_classifier

NAMES = ["cat", "dog"]
REAL = np.random.default_rng(0).uniform(0, 255, (12, 8, 8, 3)).astype("float32")
LABELS = np.array([0, 1] * 6)


def draw(labels, *, temperature, seed):
    noise = np.random.default_rng(seed).normal(size=(len(labels), 8, 8, 3))
    return np.clip(100 + 60 * np.asarray(labels)[:, None, None, None] + 50 * temperature * noise, 0, 255)


@pytest.fixture(scope="module", name="judge")
def of_an_untrained_network():
    keras.utils.set_random_seed(0)
    judge = ImageJudge(image_classifier.trainee("resnet8", 8, NAMES, width=4))
    judge.compare([REAL])
    return judge


def drawer(names=NAMES):
    return types.SimpleNamespace(draw=draw, class_names=names)


def test_over_shares_and_temperatures(judge):
    found = sample_quality(drawer(), judge, LABELS, NAMES, shares=(0.5,), temperatures=(0.8,), temperature=0.9, seed=3)
    drawn = draw(LABELS, temperature=0.9, seed=3)
    np.testing.assert_allclose(found.kept[1.0][0], drawn)
    for name, images in (("drawn", drawn), ("temperature_0.8", draw(LABELS, temperature=0.9 * 0.8, seed=3))):
        for measure, value in judge.measures(images, name).items():
            assert found.measures[measure] == pytest.approx(value, rel=1e-5)
        assert found.measures[f"class_seen_in_{name}_percent"] == judge.accuracy(images, [NAMES[i] for i in LABELS])
    # Half of twice as many, those of which the judge is surer.
    images, its = found.kept[0.5]
    many = np.tile(LABELS, 2)
    sure = judge.look(draw(many, temperature=0.9, seed=3)).probabilities[np.arange(24), many]
    for label in (0, 1):
        best = np.sort(sure[many == label])[-6:]
        np.testing.assert_allclose(np.sort(judge.look(images).probabilities[its == label, label]), best, rtol=1e-5)
    for measure, value in judge.measures(images, "kept_0.5").items():
        assert found.measures[measure] == pytest.approx(value, rel=1e-5)
    of_kept = tuple(found.measures[f"{what}_of_kept_0.5_percent"] for what in ("recall", "precision"))
    assert found.curves["kept share"][1] == of_kept and found.curves["kept share"][0] == found.curves["temperature"][0]


def test_a_judge_of_other_classes_keeps_all(judge):
    for each, names in ((drawer(["cat", "frog"]), ["cat", "frog"]), (drawer([]), NAMES)):
        found = sample_quality(each, judge, LABELS, names, temperatures=())
        assert list(found.kept) == [1.0]
        assert not any(name.startswith("class_seen") for name in found.measures)
