"""On logistic regression, whose gradients and Hessian are written out in NumPy, and which scikit-learn trains again."""

import copy

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from toolkit import losses
from toolkit.methods.influence import Influence
from toolkit.methods.inverse_hessian import InverseHessian

NUM, FEATURES, L2 = 80, 5, 0.05
RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((NUM, FEATURES))
Y = (X @ RANDOM.standard_normal(FEATURES) + RANDOM.standard_normal(NUM) > 0).astype("int32")
QUERIES = RANDOM.standard_normal((4, FEATURES)), np.array([0, 1, 1, 0])
CROSS_ENTROPY = keras.losses.BinaryCrossentropy(from_logits=True)


def fit(x, y):
    """Weights at which the mean of cross-entropies and L2 / 2 ||w||^2 are least."""
    found = LogisticRegression(C=1 / (len(x) * L2), fit_intercept=False, tol=1e-10, solver="newton-cholesky").fit(x, y)
    return found.coef_[0]


def nats(w, x, y):
    return np.logaddexp(0, np.where(y > 0, -1, 1) * (x @ w))


def gradients(w, x, y):
    return (1 / (1 + np.exp(-x @ w)) - y)[:, None] * x


def of(y):
    return y[:, None].astype("float64")


def hessian(w, x):
    p = 1 / (1 + np.exp(-x @ w))
    return (x.T * (p * (1 - p))) @ x / len(x) + L2 * np.eye(FEATURES)


def formula(w, x, y):
    """The paper's influence of removing, on QUERIES."""
    with_penalty = gradients(w, x, y) + L2 * w
    return gradients(w, *QUERIES) @ np.linalg.solve(hessian(w, x), with_penalty.T) / len(x)


WEIGHTS = fit(X, Y)
HESSIAN = hessian(WEIGHTS, X)


def regression(weights=WEIGHTS, dtype="float64"):
    inputs = keras.Input((FEATURES,), dtype=dtype)  # a Sequential would round them to float32
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, dtype=dtype)(inputs))
    model.set_weights([weights[:, None]])
    return model


@pytest.fixture(scope="module")
def exact():
    return Influence(regression(), CROSS_ENTROPY, (X, of(Y)), L2, solver="exact", batch_size=33)


def with_solver(influence, solver, **options):
    """The same by another solver, with the graphs that are there."""
    other = copy.copy(influence)
    other.inverse = InverseHessian(influence.hessian, solver, **options)
    return other


@pytest.fixture(scope="module")
def conjugate(exact):
    return with_solver(exact, "cg", tolerance=1e-10)


@pytest.fixture(scope="module")
def expected():
    return formula(WEIGHTS, X, Y)


queries = QUERIES[0], of(QUERIES[1])


def test_removing_is_the_papers_formula(exact, conjugate, expected):
    for influence in (exact, conjugate):
        np.testing.assert_allclose(influence.of_removing(queries), expected, rtol=1e-6, atol=1e-12)
        assert influence.solve(queries).residuals.max() < 1e-6 and influence.gradient_norm < 1e-6
    np.testing.assert_allclose(exact.of_removing(queries, [7, 3]), expected[:, [7, 3]], rtol=1e-6, atol=1e-12)
    solved = exact.solve(queries)
    assert (exact.of_removing(solved) == exact.of_removing(queries)).all()
    np.testing.assert_allclose(
        solved.vectors, np.linalg.solve(HESSIAN, gradients(WEIGHTS, *QUERIES).T).T, rtol=1e-6, atol=1e-9
    )


@pytest.mark.slow
def test_float32_is_near(expected):
    influence = Influence(regression(dtype="float32"), CROSS_ENTROPY, (X, of(Y)), L2)
    found = influence.of_removing(queries)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()
    assert influence.solve(queries).residuals.max() < 1e-5


def test_of_many_queries_the_examples_are_seen_along_the_eigenvectors(exact):
    arnoldi = with_solver(exact, "arnoldi", rank=FEATURES)
    many = np.concatenate([QUERIES[0], QUERIES[0] + 1]), of(np.concatenate([QUERIES[1], QUERIES[1]]))
    solved = arnoldi.solve(many)
    assert solved.directions.shape == (FEATURES, FEATURES) and solved.mix.shape == (8, FEATURES)
    expected = gradients(WEIGHTS, many[0], many[1][:, 0])
    np.testing.assert_allclose(solved.vectors, np.linalg.solve(HESSIAN, expected.T).T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(arnoldi.of_removing(solved)[:4], arnoldi.of_removing(queries), rtol=1e-6, atol=1e-12)
    found, one_by_one = arnoldi.of_perturbing(solved, [2]), arnoldi.of_perturbing(queries, [2])
    np.testing.assert_allclose(found[:4], one_by_one, rtol=1e-6, atol=1e-12)


def test_it_predicts_what_scikit_learn_finds_without_the_example(exact):
    predicted, found = exact.of_removing(queries), np.zeros((4, NUM))
    for index in range(NUM):
        rest = np.arange(NUM) != index
        found[:, index] = nats(fit(X[rest], Y[rest]), *QUERIES) - nats(WEIGHTS, *QUERIES)
    for one, other in zip(predicted, found, strict=True):
        assert np.corrcoef(one, other)[0, 1] > 0.99 and np.polyfit(one, other, 1)[0] == pytest.approx(1, abs=0.15)


def test_it_predicts_what_scikit_learn_finds_with_another_label(exact):
    predicted, found = exact.of_relabelling(queries, of(1 - Y)), np.zeros((4, NUM))
    for index in range(NUM):
        labels = np.where(np.arange(NUM) == index, 1 - Y, Y)
        found[:, index] = nats(fit(X, labels), *QUERIES) - nats(WEIGHTS, *QUERIES)
    assert min(np.corrcoef(*pair)[0, 1] for pair in zip(predicted, found, strict=True)) > 0.99
    assert np.polyfit(predicted.ravel(), found.ravel(), 1)[0] == pytest.approx(1, abs=0.15)
    some = exact.of_relabelling(queries, of(1 - Y[[5, 9]]), [5, 9])
    np.testing.assert_allclose(some, predicted[:, [5, 9]], rtol=1e-9)
    assert not exact.of_relabelling(queries, of(Y)).any()


def test_it_predicts_what_scikit_learn_finds_with_another_input(exact):
    predicted = exact.of_perturbing(queries, [0, 1])
    assert predicted.shape == (4, 2, FEATURES)
    for index, feature in ((0, 0), (1, 3)):
        changed, step = [], 0.05
        for sign in (1, -1):
            moved = X.copy()
            moved[index, feature] += sign * step
            changed.append(nats(fit(moved, Y), *QUERIES))
        np.testing.assert_allclose(predicted[:, index, feature], (changed[0] - changed[1]) / (2 * step), rtol=0.02)


def test_self_influence_is_that_on_its_own_loss(exact, conjugate):
    expected = np.diag(exact.of_removing((X, of(Y))))
    np.testing.assert_allclose(exact.self_influence(), expected, rtol=1e-6)
    np.testing.assert_allclose(conjugate.self_influence([4, 2]), expected[[4, 2]], rtol=1e-5)
    assert np.corrcoef(expected, nats(WEIGHTS, X, Y))[0, 1] > 0.5


def test_the_top_is_that_of_all_of_them(exact, expected):
    for k in (1, 3, NUM):
        top = exact.top(queries, k)
        order = np.argsort(-expected, axis=1)
        assert (top.helpful == order[:, :k]).all() and (top.harmful == order[:, ::-1][:, :k]).all()
        np.testing.assert_allclose(top.helpful_scores, np.take_along_axis(expected, top.helpful, axis=1), rtol=1e-6)
        np.testing.assert_allclose(top.harmful_scores, np.take_along_axis(expected, top.harmful, axis=1), rtol=1e-6)
    with pytest.raises(ValueError, match="k must be from 1 to 80, the training examples; got 81"):
        exact.top(queries, 81)


@pytest.mark.slow
def test_biases_of_a_softmax_need_no_damping():
    """All of them can be raised together without any effect: an eigenvalue of 0 that no gradient has a part in."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((FEATURES,), dtype="float64")
    model = keras.Model(inputs, keras.layers.Dense(3, dtype="float64")(inputs))
    labels, loss = RANDOM.integers(0, 3, NUM), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    influence, ask = Influence(model, loss, (X, labels), L2), (QUERIES[0], np.array([0, 1, 2, 2]))
    inverse = np.linalg.pinv(influence.hessian.product(np.eye(influence.num_weights)), rcond=1e-12, hermitian=True)
    with_penalty = influence.losses.gradients(X, labels) + influence.hessian.penalty_gradient()
    expected = influence.losses.gradients(*ask) @ inverse @ with_penalty.T / NUM
    assert np.linalg.norm(influence.of_removing(ask) - expected) < 1e-5 * np.linalg.norm(expected)


@pytest.mark.slow
def test_a_smooth_hinge_has_influence_where_the_hinge_has_none():
    w = WEIGHTS * 2
    for loss, moves in ((losses.SmoothHinge(0.1), True), (losses.margin.L1Hinge(), False)):
        influence = Influence(regression(w), loss, (X, Y[:, None] * 2 - 1), L2, solver="exact")
        found = influence.hessian.product(np.eye(FEATURES)) - L2 * np.eye(FEATURES)
        curvature = 1 / (0.4 * np.cosh((X @ w * (2 * Y - 1) - 1) / 0.2) ** 2)
        expected = (X.T * curvature) @ X / NUM if moves else np.zeros_like(found)
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_wrong_examples_are_refused(exact):
    model = regression()
    with pytest.raises(ValueError, match=r"Label 3 of the training examples is 2\.0; expected from 0 to 1"):
        Influence(model, CROSS_ENTROPY, (X, of(np.where(np.arange(NUM) == 3, 2, Y))))
    with pytest.raises(ValueError, match="Label 1 of the queries is -1.0; expected from 0 to 1"):
        exact.of_removing((X[:2], np.array([[0.0], [-1.0]])))
    with pytest.raises(ValueError, match="Label 0 of the new labels is 3"):
        exact.of_relabelling(queries, of(np.full(NUM, 3)))
    with pytest.raises(ValueError, match="as many inputs as targets among the queries"):
        exact.of_removing((X[:2], of(Y[:3])))
    with pytest.raises(ValueError, match="Loss 5 of the training examples is not finite"):
        Influence(model, CROSS_ENTROPY, (np.where(np.arange(NUM)[:, None] == 5, np.nan, X), of(Y)))
    with pytest.raises(ValueError, match="Label 0 of the training examples is 7; expected -1 or 0, and 1"):
        Influence(model, losses.SmoothHinge(), (X, np.full((NUM, 1), 7)))
    with pytest.raises(ValueError, match=r"Inputs of the queries are of shape \(2, 4\); the model takes \(None, 5\)"):
        exact.of_removing((X[:2, 1:], of(Y[:2])))
    softmax = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(3)])
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with pytest.raises(ValueError, match="is 3; expected from 0 to 2, the model's classes"):
        Influence(softmax, sparse, (X, np.full(NUM, 3)))


def test_renewed_is_as_a_new_one_at_other_weights_and_examples(exact):
    x, y, model = X[9:], Y[9:], exact.losses.model
    weights = fit(x, y)
    model.set_weights([weights[:, None]])
    try:
        found = exact.renewed((x, of(y)))
        np.testing.assert_allclose(found.of_removing(queries), formula(weights, x, y), rtol=1e-6, atol=1e-12)
        assert found.gradient_norm < 1e-6 and found.num_examples == NUM - 9
    finally:
        model.set_weights([WEIGHTS[:, None]])
        exact.losses.read_weights()
    np.testing.assert_allclose(exact.of_removing(queries), formula(WEIGHTS, X, Y), rtol=1e-6, atol=1e-12)
