"""Against the formulas as SYSTEMS and the papers print them, in NumPy's float64; properties by what defines them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from tests import jax_backend
from toolkit.losses import margin

GRID = np.linspace(-6, 6, 2401)  # holds 0 and each edge


def dwd(a, q):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(a <= q / (q + 1), 1 - a, q**q / (q + 1) ** (q + 1) / np.abs(a) ** q)


def smoothed(a, gamma):
    return np.where(a >= 1 - gamma, np.maximum(0, 1 - a) ** 2 / (2 * gamma), 1 - gamma / 2 - a)


CASES = {
    "zero_one": (margin.ZeroOne(), lambda a: (a < 0) * 1.0),
    "perceptron": (margin.Perceptron(), lambda a: np.maximum(0, -a)),
    "l1_hinge": (margin.L1Hinge(), lambda a: np.maximum(0, 1 - a)),
    "smoothed_half": (margin.SmoothedL1Hinge(0.5), lambda a: smoothed(a, 0.5)),
    "smoothed_one": (margin.SmoothedL1Hinge(), lambda a: smoothed(a, 1.0)),
    "smoothed_two": (margin.SmoothedL1Hinge(2.0), lambda a: smoothed(a, 2.0)),
    "modified_huber": (margin.ModifiedHuber(), lambda a: np.where(a >= -1, np.maximum(0, 1 - a) ** 2, -4 * a)),
    "dwd_half": (margin.DWDMargin(0.5), lambda a: dwd(a, 0.5)),
    "dwd_one": (margin.DWDMargin(), lambda a: dwd(a, 1.0)),
    "dwd_three": (margin.DWDMargin(3.0), lambda a: dwd(a, 3.0)),
    "l2_margin": (margin.L2Margin(), lambda a: (1 - a) ** 2),
    "l2_hinge": (margin.L2Hinge(), lambda a: np.maximum(0, 1 - a) ** 2),
    "sigmoid": (margin.Sigmoid(), lambda a: 1 - np.tanh(a)),
    "logit": (margin.LogitMargin(), lambda a: np.log1p(np.exp(-a))),
    "exp": (margin.Exp(), lambda a: np.exp(-a)),
}
EDGES = {"zero_one": [0.0], "perceptron": [0.0], "l1_hinge": [1.0]}  # where there is no derivative
every_loss = pytest.mark.parametrize("name", CASES)


def test_all_eleven_are_here_by_name():
    assert set(margin.LOSSES.values()) == {type(loss) for loss, _ in CASES.values()} and len(margin.LOSSES) == 11
    for name in ("zero_one", "smoothed_l1_hinge", "dwd_margin", "l2_margin", "exp"):
        assert margin.get(name).name == name and type(margin.get(name)) is margin.LOSSES[name]
    assert margin.get("smoothed_l1_hinge", gamma=0.25).gamma == 0.25
    with pytest.raises(ValueError, match="no margin loss 'logit_magin'. Did you mean 'logit_margin'"):
        margin.get("logit_magin")


@pytest.mark.skipif(not jax_backend.is_installed(), reason='JAX is not installed: pip install -e ".[jax]"')
@every_loss
def test_values_and_derivatives_on_jax_are_tensorflows(name):
    loss, _ = CASES[name]
    a = np.r_[GRID[::10], -1e4, 1e4].astype("float32")
    config = keras.saving.serialize_keras_object(loss)
    for method in ("value", "derivative"):
        (found,) = jax_backend.on_jax(jax_backend.method, config, method, a)
        np.testing.assert_allclose(found, getattr(loss, method)(a), rtol=1e-5, atol=1e-6)


@every_loss
def test_values(name):
    loss, formula = CASES[name]
    np.testing.assert_allclose(loss.value(GRID.astype("float32")), formula(GRID), rtol=3e-5, atol=1e-6)


@every_loss
def test_derivatives_are_those_of_the_formula_and_of_autodiff(name):
    loss, formula = CASES[name]
    inside = GRID[[not np.isclose(a, EDGES.get(name, [])).any() for a in GRID]]
    step = 1e-6
    slope = (formula(inside + step) - formula(inside - step)) / (2 * step)
    np.testing.assert_allclose(loss.derivative(inside.astype("float32")), slope, rtol=2e-4, atol=2e-4)
    a = tf.constant(inside, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(a)
        value = tf.reduce_sum(loss.value(a))
    found = tape.gradient(value, a, unconnected_gradients="zero")
    np.testing.assert_allclose(found, loss.derivative(a), rtol=1e-5, atol=1e-6)


@every_loss
def test_stable_far_out(name):
    loss, formula = CASES[name]
    far = np.array([-1e4, -1e3, -70.0, 70.0, 1e3, 1e4])
    a = tf.constant(far, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(a)
        values = loss.value(a)
        total = tf.reduce_sum(values)
    gradients = tape.gradient(total, a, unconnected_gradients="zero")
    assert np.isfinite(values).all() and np.isfinite(gradients).all()
    np.testing.assert_allclose(gradients, loss.derivative(a), rtol=1e-5)
    with np.errstate(over="ignore"):
        true = formula(far)
    represented = np.abs(true) < 1e30
    np.testing.assert_allclose(values.numpy()[represented], true[represented], rtol=1e-4, atol=1e-12)
    if name in ("exp", "logit", "sigmoid"):  # what is small is not rounded to nothing
        np.testing.assert_allclose(loss.value(30.0), {"exp": 1, "logit": 1, "sigmoid": 0}[name] * np.exp(-30)
                                   + (name == "sigmoid") * 2 * expit(-60), rtol=1e-4)  # fmt: skip


def test_dwd_of_a_large_power_is_the_hinge():
    np.testing.assert_allclose(margin.DWDMargin(1e4).value(GRID), np.maximum(0, 1 - GRID), atol=1e-3)


def test_modified_huber_is_four_times_the_smoothed_hinge():
    np.testing.assert_allclose(
        margin.ModifiedHuber().value(GRID), 4 * margin.SmoothedL1Hinge(2.0).value(GRID), rtol=1e-6
    )


def _bend(formula, at, step=1e-4):
    return (formula(at + step) - 2 * formula(at) + formula(at - step)) / step**2


@every_loss
def test_properties_are_as_defined(name):
    loss, formula = CASES[name]
    known = loss.properties
    a = np.linspace(-40, 40, 8001)
    values = formula(a)
    bends = (values[2:] - 2 * values[1:-1] + values[:-2]) / np.maximum(np.abs(values[1:-1]), 1e-300)
    assert known.convex == bool((bends > -1e-9).all()), "convex"
    near = np.abs(a[1:-1]) < 9  # farther out it is too little to be seen
    assert known.strictly_convex == bool((bends > -1e-9).all() and (bends[near] > 1e-9).all()), "strictly convex"
    slopes = np.abs(np.diff(formula(np.linspace(-100, 100, 200_001)))) / 1e-3
    steepest = slopes.max()
    if known.lipschitz_constant is None:
        assert steepest > 50, "no Lipschitz constant"
    else:
        np.testing.assert_allclose(steepest, known.lipschitz_constant, rtol=1e-3)
    edges = np.array([-1.0, -0.5, 0.0, 1 / 3, 0.5, 0.75, 1.0])
    jumps = np.abs(formula(edges + 1e-5) - 2 * formula(edges) + formula(edges - 1e-5)) / 1e-5
    assert known.differentiable == (jumps.max() < 1e-2), "differentiable"
    bends = [_bend(formula, edges + side) for side in (1e-3, -1e-3)]
    twice = known.differentiable and np.abs(bends[0] - bends[1]).max() < 0.1
    assert known.twice_differentiable == twice, "twice differentiable"


@every_loss
def test_calibrated_as_bartlett_defines_it(name):
    loss, formula = CASES[name]
    a = np.linspace(-8, 8, 6401)
    if name == "zero_one":
        a = a[a != 0]  # agrees with both labels
    gaps = []
    for share in (0.02, 0.2, 0.45, 0.55, 0.8, 0.98):
        risk = share * formula(a) + (1 - share) * formula(-a)
        wrong = a * (2 * share - 1) <= 0
        gaps.append(risk[wrong].min() - risk.min())
    assert loss.properties.classification_calibrated == (min(gaps) > 1e-6)


@every_loss
def test_comes_back_from_its_config(name):
    loss = CASES[name][0]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()
    np.testing.assert_allclose(again.value(GRID), loss.value(GRID))


def separable():
    x = np.random.default_rng(0).normal(size=(200, 3)).astype("float32")
    return x, (x @ [1.0, -2.0, 0.5] > 0).astype("int32")


@pytest.mark.parametrize("name", [name for name in margin.LOSSES if name != "zero_one"])
def test_descent_along_the_derivative_learns(name):
    x, y = separable()
    weights, signed = np.ones(3, "float32"), 2 * y - 1  # at zeros the perceptron's slope is 0
    for _ in range(150):
        slope = np.asarray(margin.get(name).derivative(signed * (x @ weights)))
        weights -= 0.3 * np.mean((slope * signed)[:, None] * x, axis=0)
    assert np.mean((x @ weights > 0) == y) > 0.95


def test_fit():
    x, y = separable()
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), loss=margin.get("l1_hinge"))
    model.fit(x, y, epochs=12, verbose=0)
    assert np.mean((model(x)[:, 0].numpy() > 0) == y) > 0.95


@pytest.mark.parametrize("make", [lambda: margin.SmoothedL1Hinge(0.0), lambda: margin.DWDMargin(-1.0)])
def test_bad_arguments(make):
    with pytest.raises(ValueError, match="must be positive; got"):
        make()
