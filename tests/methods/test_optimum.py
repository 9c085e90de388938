import keras
import numpy as np
import pytest

from tests.methods.logistic import LOSS, X, Y, by_scikit_learn, logistic
from toolkit.methods.optimum import HingeMinimizer, Minimizer
from toolkit.models import small_classifiers


def test_optimum_is_that_of_scikit_learn():
    found = logistic()
    least = found.minimize()
    kernel = found.weights.reshape(5, 2)
    np.testing.assert_allclose(kernel[:, 1] - kernel[:, 0], by_scikit_learn(X, Y, 0.05), rtol=1e-6)
    assert least.gradient_norm < 1e-8
    scores = X @ kernel
    losses = np.logaddexp(scores[:, 0], scores[:, 1]) - scores[np.arange(60), Y]
    np.testing.assert_allclose(found.losses(X, Y), losses, rtol=1e-9)
    assert least.loss == pytest.approx(losses.mean() + 0.025 * (kernel**2).sum(), rel=1e-9)


def test_optimum_without_an_example():
    found = logistic()
    found.minimize(without=7)
    kernel = found.weights.reshape(5, 2)
    expected = by_scikit_learn(np.delete(X, 7, axis=0), np.delete(Y, 7), 0.05)
    np.testing.assert_allclose(kernel[:, 1] - kernel[:, 0], expected, rtol=1e-6)


@pytest.mark.slow
def test_batches_change_nothing():
    vector = np.random.default_rng(1).standard_normal(10)
    for without in (None, 33):
        whole, parts = logistic()(vector, without), logistic(batch_size=7)(vector, without)
        assert whole[0] == pytest.approx(parts[0], rel=1e-12)
        np.testing.assert_allclose(whole[1], parts[1], rtol=1e-10)


def test_gradient_is_that_of_the_value_and_biases_have_no_regulariser():
    keras.utils.set_random_seed(0)
    model = small_classifiers.all_convolutional((4, 4, 1), ["a", "b"], filters=2)
    x = np.random.default_rng(2).standard_normal((6, 4, 4, 1))
    found = Minimizer(model, LOSS, x, np.arange(6) % 2, l2=3.0)
    start = found.weights + 0.1
    value, gradient = found(start)
    for place in (0, 18, 19, len(start) - 1):  # kernel, biases, the last layer's kernel
        near = start.copy()
        near[place] += 1e-6
        assert (found(near)[0] - value) / 1e-6 == pytest.approx(gradient[place], rel=1e-3, abs=1e-5)
    kernels = sum(float(np.sum(np.square(part))) for part in unflat(model, start) if part.ndim > 1)
    found.weights = start
    assert value == pytest.approx(found.losses(x, np.arange(6) % 2).mean() + 1.5 * kernels, rel=1e-9)


def unflat(model, vector):
    ends = np.cumsum([int(np.prod(weight.shape)) for weight in model.trainable_variables])
    parts = np.split(vector, ends[:-1])
    return [part.reshape(weight.shape) for part, weight in zip(parts, model.trainable_variables, strict=True)]


def test_weights_are_the_models():
    found = logistic()
    found.weights = np.arange(10.0)
    np.testing.assert_array_equal(found.model.get_weights()[0].ravel(), np.arange(10.0))
    found.model.set_weights([np.ones((5, 2))])
    np.testing.assert_array_equal(found.weights, np.ones(10))
    np.testing.assert_allclose(found.losses(X[:1], Y[:1]), np.log(2), rtol=1e-12)
    assert set(found.optimum()) == {"weights"}


def test_hinge_is_at_its_minimum():
    """No direction leads down, and one of the examples lies on the kink."""
    found = HingeMinimizer(small_classifiers.linear_svm((5,)), X, Y, l2=0.05)
    least, sign = found.minimize(), 2 * Y - 1

    def objective(w):
        return np.maximum(0, 1 - sign * (X @ w)).mean() + 0.025 * w @ w

    w = found.weights
    assert least.loss == pytest.approx(objective(w), rel=1e-9)
    assert min(objective(w + 1e-4 * d) for d in np.random.default_rng(3).standard_normal((200, 5))) > objective(w)
    assert np.abs(1 - sign * (X @ w)).min() < 1e-6
    found.minimize(without=3)
    kept = np.delete(np.arange(60), 3)
    value = np.maximum(0, 1 - sign[kept] * (X[kept] @ found.weights)).mean() + 0.025 * found.weights @ found.weights
    assert found(found.weights, without=3)[0] == pytest.approx(value, rel=1e-9) and (found.weights != w).any()


def test_what_cannot_be():
    with pytest.raises(ValueError, match="as many inputs as targets"):
        logistic().replace(X, Y[:3])
    found = logistic()
    found.replace(np.full((2, 5), np.inf), np.array([0, 1]))
    with pytest.raises(ValueError, match="not a finite number"):
        found.minimize()
