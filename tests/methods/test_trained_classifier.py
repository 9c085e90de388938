import keras
import numpy as np
import pytest

from toolkit import losses
from toolkit.methods.trained_classifier import TrainedClassifier
from toolkit.models import small_classifiers

RANDOM = np.random.default_rng(0)
X = {"train": RANDOM.standard_normal((60, 4)), "test": RANDOM.standard_normal((20, 4))}
LABELS = {part: (each @ [1, -1, 0.5, 0] > 0).astype("int32") for part, each in X.items()}


def trained(model=None, **how):
    model = model or small_classifiers.logistic_regression((4,), ["a", "b"])
    found = TrainedClassifier(model, X, LABELS, l2=0.02, **how)
    found.minimizer.minimize()
    return found


def test_scores_losses_and_margins_of_a_logistic_regression():
    found = trained()
    scores = X["test"] @ found.model.get_weights()[0]
    np.testing.assert_allclose(found.scores(), scores, rtol=1e-9)
    assert found.accuracy() == 100 * np.mean(scores.argmax(axis=1) == LABELS["test"]) > 80
    own = scores[np.arange(20), LABELS["test"]]
    np.testing.assert_allclose(found.losses(), np.logaddexp(*scores.T) - own, rtol=1e-9)
    np.testing.assert_allclose(found.margins(), 2 * own - scores.sum(axis=1), rtol=1e-9)
    measures = found.measures()
    assert measures["test_loss"] == found.losses().mean() and measures["test_accuracy_percent"] == found.accuracy()
    penalty = 0.01 * np.sum(found.model.get_weights()[0] ** 2)
    assert measures["objective"] == pytest.approx(measures["training_loss"] + penalty, rel=1e-9)
    assert measures["gradient_norm"] < 1e-7 and (measures["weights"], measures["training_examples"]) == (8, 60)
    assert len(found.losses("train")) == 60 and isinstance(found.loss, keras.losses.SparseCategoricalCrossentropy)


def test_a_support_vector_machine_has_the_hinge_and_a_smooth_one():
    found = trained(small_classifiers.linear_svm((4,)), temperature=0.1)
    score = X["test"] @ found.model.get_weights()[0][:, 0]
    np.testing.assert_allclose(found.scores(), np.stack([np.zeros(20), score], axis=1), rtol=1e-9)
    sign = 2 * LABELS["test"] - 1
    np.testing.assert_allclose(found.losses(), np.maximum(0, 1 - sign * score), rtol=1e-9)
    np.testing.assert_allclose(found.margins(), sign * score, rtol=1e-9)
    assert isinstance(found.loss, losses.SmoothHinge) and found.loss.temperature == 0.1


def test_influence_is_that_of_the_weights_and_labels_of_now():
    """By the formula: exact Hessian of softmax regression, in NumPy."""
    found = trained(solver="exact")
    new = LABELS["train"].copy()
    new[:5] = 1 - new[:5]
    found.minimizer.replace(X["train"], new)
    found.minimizer.minimize()
    got = found.influence().of_removing(found.queries([3, 8]))
    kernel = found.model.get_weights()[0]

    def chances(x):
        scores = x @ kernel
        return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)

    p = chances(X["train"])
    spread = np.einsum("nk,kl->nkl", p, np.eye(2)) - np.einsum("nk,nl->nkl", p, p)
    hessian = np.einsum("nkl,ni,nj->ikjl", spread, X["train"], X["train"]).reshape(8, 8) / 60 + 0.02 * np.eye(8)
    each = np.einsum("ni,nk->nik", X["train"], p - np.eye(2)[new]).reshape(60, 8) + 0.02 * kernel.ravel()
    x, y = found.queries([3, 8])
    queries = np.einsum("ni,nk->nik", x, chances(x) - np.eye(2)[y]).reshape(2, 8)
    np.testing.assert_allclose(got, queries @ np.linalg.solve(hessian, each.T) / 60, rtol=1e-6, atol=1e-12)


def test_how_influence_is_solved_is_what_was_said_last():
    found = trained(damping=0.5)
    assert found.influence().hessian.damping == 0.5 and found.influence(damping=0.25).hessian.damping == 0.25
    with pytest.raises(ValueError, match="no solver 'guess'"):
        trained(solver="guess").influence()
