import keras
import numpy as np
import pytest

from toolkit.training.schedules import OPTIMIZERS, SCHEDULES, decaying_optimizer, step_size


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] if kind != "sgd" else []) for kind in OPTIMIZERS]
)
def test_keras_decay_is_that_of_the_papers(kind):
    """w <- w - v, v <- m v + rate (gradient + decay w): at rest, each step takes rate decay / (1 - m) of w."""
    kernel = keras.Variable(np.ones(1), name="kernel")
    gamma = keras.Variable(np.ones(1), name="gamma")
    made = decaying_optimizer(kind, 0.1, momentum=0.9, weight_decay=0.002)
    papers, velocity, momentum = 1.0, 0.0, 0.0 if kind == "adam" else 0.9
    for _ in range(500):
        made.apply([np.zeros(1, "float32"), np.zeros(1, "float32")], [kernel, gamma])
        velocity = momentum * velocity + 0.1 * 0.002 * papers
        papers -= velocity
    np.testing.assert_allclose(float(kernel.numpy()[0]), papers, rtol=0.04)
    assert float(gamma.numpy()[0]) == 1.0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules(schedule):
    found = step_size(schedule, 0.1, epochs=16, steps_per_epoch=10, warmup_epochs=2.0, decay_rate=0.5, decay_epochs=4.0)
    steps = (0, 10, 20, 79, 81, 121, 159)
    expected = {
        "cosine": [0.004, 0.052, 0.1, *(0.05 * (1 + np.cos(np.pi * (i - 20) / 140)) for i in (79, 81, 121, 159))],
        "poly": [0.1 * (1 - i / 160) ** 0.9 for i in steps],
        "steps": [0.1, 0.1, 0.1, 0.1, 0.01, 0.001, 0.001],
        "exponential": [0.1, 0.1, 0.1, 0.05, 0.025, 0.0125, 0.0125],
        "constant": [0.1] * 7,
        "plateau": [0.1] * 7,
    }[schedule]
    np.testing.assert_allclose([float(found(i)) if callable(found) else found for i in steps], expected, rtol=1e-4)
    assert callable(found) == (schedule != "plateau"), "what a checkpoint would keep, and what `plateau` sets"


def test_names_that_are_none():
    with pytest.raises(ValueError, match="schedule='linear': expected one of cosine, poly, steps"):
        step_size("linear", 0.1, epochs=1, steps_per_epoch=1)
    with pytest.raises(ValueError, match="kind='lion': expected one of sgd, adam"):
        decaying_optimizer("lion", 0.1)
