"""A classifier in a file that says what an example would teach it: what the influence functions say."""

import keras
import numpy as np
import pytest

from toolkit import export, models
from toolkit.data.classified.loading import Classified
from toolkit.export.interpreter import tflite_caller
from toolkit.methods.trained_classifier import TrainedClassifier
from toolkit.serving.influence_classifier import influence_classifier, of_trained

RANDOM = np.random.default_rng(0)


def served(model, x, labels, classes, temperature=None, l2=0.02):
    classifier = TrainedClassifier(model, x, labels, l2=l2, temperature=temperature or 0.001, solver="exact")
    classifier.minimizer.minimize(max_iterations=100)
    features, _ = models.small_classifiers.last_layer(models.small_classifiers.in_float32(model))
    shown = x["test"].astype("uint8" if x["test"].ndim == 4 else "float32")
    influence = classifier.influence(layers=["logits"])
    offered = influence_classifier(
        features,
        model.get_layer("logits").get_weights()[0],
        influence.solve(classifier.queries([0, 3, 5])).vectors,
        classes,
        num_examples=len(labels["train"]),
        l2=l2,
        temperature=temperature,
        test=(shown, labels["test"]),
        train=shown,
        queries=["a", "b", "c"],
        max_measured=10,
    )
    columns = () if x["test"].ndim == 4 else tuple("pqrs")
    titles = {part: [f"{part} {number}" for number in range(len(each))] for part, each in labels.items()}
    again = of_trained(classifier, Classified(x, labels, tuple(classes), columns, titles), [0, 3, 5], max_measured=10)
    label = {"label": np.array([1], "int32"), "example": shown[4:5]}
    np.testing.assert_array_equal(
        *(each.signatures["influence"].function(**label)["influence"] for each in (offered, again))
    )
    assert again.card["queries"][1] == f"test 3: {classes[labels['test'][3]]}"
    assert again.card.get("columns", []) == list(columns)
    return classifier, shown, offered


def images(kind):
    labels = {"train": np.arange(60) % 3, "test": np.arange(20) % 3}
    means = RANDOM.uniform(60, 190, (3, 6, 6, 1))
    x = {
        part: np.rint(np.clip(means[y] + 40 * RANDOM.standard_normal((len(y), 6, 6, 1)), 0, 255))
        for part, y in labels.items()
    }
    keras.utils.set_random_seed(0)
    build = getattr(models.small_classifiers, kind)
    return build((6, 6, 1), ["a", "b", "c"], scale=1 / 255), x, labels, ["a", "b", "c"]


def check(classifier, shown, offered, tmp_path, label):
    card = export.write(tmp_path / "export", **offered.arguments()).card
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    scores = classifier.scores()
    for number in range(4):
        found = call("classify", example=shown[number][None])
        assert found["class"].tolist() == [scores[number].argmax()]
        chances = np.exp(scores[number]) / np.exp(scores[number]).sum()
        np.testing.assert_allclose(found["probabilities"][0], chances, atol=1e-5)
    # The first test example as one more training example: removing it again is what the file predicts.
    x = np.concatenate([classifier.x["train"], classifier.x["test"][:1]])
    y = np.append(classifier.labels["train"], label)
    influence = classifier.influence(layers=["logits"])
    solved = influence.solve(classifier.queries([0, 3, 5]))
    gradient = influence.losses.gradients(x[-1:], y[-1:])[0] + influence.hessian.penalty_gradient()
    expected = solved.vectors @ gradient / (len(x) - 1)
    found = call("influence", example=shown[:1], label=np.array([label], "int32"))["influence"]
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-6 + 1e-4 * np.abs(expected).max())
    outside = call("influence", example=shown[:1], label=np.array([7], "int32"))["influence"]
    assert np.isnan(outside).all() and len(outside) == 3
    measured = card["measured"]["model.tflite"]
    chosen = np.linspace(0, 19, 10).round().astype(int)
    right = scores[chosen].argmax(axis=1) == np.asarray(classifier.labels["test"])[chosen]
    assert measured == {"accuracy_percent": pytest.approx(100 * right.mean()), "examples": 10}
    assert card["queries"] == ["a", "b", "c"] and card["trained_on"] == len(classifier.x["train"])


@pytest.mark.slow
def test_logistic_regression(tmp_path):
    check(*served(*images("logistic_regression")), tmp_path, label=2)


@pytest.mark.slow
def test_all_convolutional(tmp_path):
    check(*served(*images("all_convolutional"), l2=1e-4), tmp_path, label=1)


@pytest.mark.slow
@pytest.mark.parametrize("label", [0, 1])
def test_support_vector_machine(tmp_path, label):
    x = {part: RANDOM.standard_normal((number, 4)) for part, number in (("train", 40), ("test", 20))}
    labels = {part: (each[:, 0] + 0.5 * each[:, 1] > 0).astype("int32") for part, each in x.items()}
    model = models.small_classifiers.linear_svm((4,))
    check(*served(model, x, labels, ["no", "yes"], temperature=0.1), tmp_path, label)


def test_parts_that_do_not_go_together():
    model, _, _, classes = images("logistic_regression")
    features, _ = models.small_classifiers.last_layer(models.small_classifiers.in_float32(model))
    with pytest.raises(ValueError, match=r"a kernel \(36, 3\) and vectors \(2, 5\) for 3 classes"):
        influence_classifier(features, np.zeros((36, 3)), np.zeros((2, 5)), classes, num_examples=1, l2=0.1)
    with pytest.raises(ValueError, match="for 3 classes; expected"):
        influence_classifier(
            features, np.zeros((36, 1)), np.zeros((2, 36)), classes, num_examples=1, l2=0.1, temperature=0.1
        )
