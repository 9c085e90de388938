import keras
import numpy as np
import pytest

from toolkit.methods.example_losses import ExampleLosses
from toolkit.methods.hessian import Hessian

NUM, FEATURES, CLASSES = 70, 4, 3
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.standard_normal((NUM, FEATURES)), RANDOM.integers(0, CLASSES, NUM)


@pytest.fixture(scope="module")
def losses():
    keras.utils.set_random_seed(0)
    how = {"bias_initializer": "random_normal", "bias_regularizer": keras.regularizers.L2(0.05)}
    dense = keras.layers.Dense(CLASSES, dtype="float64", **how)
    inputs = keras.Input((FEATURES,), dtype="float64")  # a Sequential would round them to float32
    return ExampleLosses(
        keras.Model(inputs, dense(inputs)), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )


def softmax_hessian(losses, x, l2):
    """1/n sum_i (diag p - p p') x x', of kernel and bias, by hand, with both penalties."""
    kernel, bias = (np.asarray(each) for each in losses.split(losses.weights))
    p = np.exp(x @ kernel + bias)
    p /= p.sum(axis=1, keepdims=True)
    z = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    around = np.einsum("ij,jk->ijk", p, np.eye(CLASSES)) - np.einsum("ij,ik->ijk", p, p)
    whole = np.einsum("nf,nab,ng->fagb", z, around, z).reshape(z.shape[1] * CLASSES, -1) / len(x)
    return whole + np.diag(np.r_[np.full(FEATURES * CLASSES, l2), np.full(CLASSES, 2 * 0.05)])


@pytest.mark.parametrize("gauss_newton", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_products_are_those_of_the_softmax_hessian(losses, gauss_newton):
    """Of a linear model Gauss-Newton is the Hessian. Blocks of 16 do not divide 70, nor 32 vectors 40."""
    hessian = Hessian(losses, (X, Y), l2=0.1, damping=0.3, gauss_newton=gauss_newton, batch_size=16)
    vectors = RANDOM.standard_normal((40, losses.num_weights))
    expected = softmax_hessian(losses, X, 0.1) + 0.3 * np.eye(hessian.size)
    np.testing.assert_allclose(hessian.product(vectors), vectors @ expected, atol=1e-12)


def test_a_sample_is_some_examples_without_damping(losses):
    hessian = Hessian(losses, (X, Y), l2=0.1, damping=0.3)
    found = hessian.sample(np.random.default_rng(5), 10)(np.eye(hessian.size))
    drawn = np.random.default_rng(5).choice(NUM, 10, replace=False)
    np.testing.assert_allclose(found, softmax_hessian(losses, X[drawn], 0.1), atol=1e-12)


def test_the_gradient_is_that_of_finite_differences(losses):
    hessian, step = Hessian(losses, (X, Y), l2=0.1), 1e-6
    kernel, bias = (np.asarray(each) for each in losses.split(losses.weights))

    def objective(kernel, bias):
        logits = X @ kernel + bias
        nats = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(NUM), Y]
        return nats.mean() + 0.05 * np.sum(kernel**2) + 0.05 * np.sum(bias**2)

    bump = step * np.eye(kernel.size).reshape(-1, *kernel.shape)
    expected = [(objective(kernel + each, bias) - objective(kernel - each, bias)) / (2 * step) for each in bump]
    bump = step * np.eye(CLASSES)
    expected += [(objective(kernel, bias + each) - objective(kernel, bias - each)) / (2 * step) for each in bump]
    np.testing.assert_allclose(hessian.gradient(), expected, atol=1e-8)
    penalty = np.r_[0.1 * kernel.ravel(), 0.1 * bias]
    np.testing.assert_allclose(hessian.penalty_gradient(), penalty, atol=1e-12)


def test_wrong_arguments_are_refused(losses):
    with pytest.raises(ValueError, match="l2 must be 0 or more; got -1"):
        Hessian(losses, (X, Y), l2=-1)
    with pytest.raises(ValueError, match="damping must be 0 or more; got nan"):
        Hessian(losses, (X, Y), damping=np.nan)
    with pytest.raises(ValueError, match=r"as many inputs as targets among the training examples.*got \[70, 69\]"):
        Hessian(losses, (X, Y[1:]))
    with pytest.raises(ValueError, match=r"Expected training examples as \(x, y\), inputs and targets; got ndarray"):
        Hessian(losses, X)
    with pytest.raises(ValueError, match=r"Expected vectors of shape \(vectors, 15\); got \(1, 14\)"):
        Hessian(losses, (X, Y)).product(np.ones((1, 14)))
