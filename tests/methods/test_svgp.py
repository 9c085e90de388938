import keras
import numpy as np
import pytest

from toolkit.methods import gp_covariance, sparse_gp
from toolkit.methods.svgp import SVGP


def problem(rows=100):
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 2))
    y = np.sin(2 * x[:, 0]) + 0.3 * x[:, 1] + 0.3 * random.normal(size=rows)
    return x, y, gp_covariance.GPParameters(1.2, np.array([0.8, 1.3]), 0.1, x[:12])


@pytest.mark.parametrize("kernel", ["squared_exponential", "matern32"])
def test_one_natural_step_with_all_rows_lands_on_the_collapsed_optimum(kernel):
    x, y, parameters = problem()
    model = SVGP.starting_at(parameters, 100, kernel, natural_step=1.0, train_hyperparameters=False)
    model.compile(keras.optimizers.SGD())
    loss = model.train_on_batch(x, y, return_dict=True)["loss"]
    summary = sparse_gp.summarize(x, y, parameters, kernel)
    bound = sparse_gp.lower_bound(summary).numpy()
    assert -100 * loss == pytest.approx(bound, rel=1e-9) and model.bound(x, y).numpy() == pytest.approx(bound, rel=1e-9)
    expected = sparse_gp.predict(x, parameters, sparse_gp.posterior(summary), kernel)
    np.testing.assert_allclose(model.predict(x, verbose=0), np.stack(expected, axis=1), atol=1e-7)


def test_before_any_step_the_bound_is_that_of_the_prior():
    x, y, parameters = problem()
    model = SVGP.starting_at(parameters, 100)
    expected = np.sum(-0.5 * (np.log(2 * np.pi * 0.1) + (y**2 + 1.2) / 0.1))
    assert model.bound(x, y).numpy() == pytest.approx(expected, rel=1e-6)


def test_batches_estimate_the_bound_without_bias():
    x, y, parameters = problem()
    model = SVGP.starting_at(parameters, 100)
    model.natural_gradient_step(x, y)
    parts = [model.bound(x[start : start + 20], y[start : start + 20]).numpy() for start in range(0, 100, 20)]
    assert np.mean(parts) == pytest.approx(model.bound(x, y).numpy(), rel=1e-9)


def test_small_batches_come_near_the_collapsed_bound():
    x, y, parameters = problem()
    model = SVGP.starting_at(parameters, 100, natural_step=0.1, train_hyperparameters=False)
    model.compile(keras.optimizers.SGD())
    keras.utils.set_random_seed(0)
    model.fit(x, y, batch_size=20, epochs=10, verbose=0)
    best = sparse_gp.lower_bound(sparse_gp.summarize(x, y, parameters)).numpy()
    found = model.bound(x, y).numpy()
    assert best - 3 < found <= best


def test_training_finds_the_noise_and_goes_with_validation():
    x, y, parameters = problem()
    model = SVGP.starting_at(parameters._replace(noise=1.0), 100, natural_step=0.5, train_inducing_inputs=True)
    model.compile(keras.optimizers.Adam(0.1))
    history = model.fit(x, y, batch_size=50, epochs=15, validation_data=(x, y), verbose=0).history
    assert history["loss"][-1] < history["loss"][0] - 0.3 and history["val_loss"][-1] < history["val_loss"][0]
    assert 0.05 < model.parameters().noise.numpy() < 0.2
    assert not np.array_equal(model.inducing_inputs, x[:12])


def test_it_is_saved_and_loaded(tmp_path):
    x, y, parameters = problem()
    model = SVGP.starting_at(parameters, 100)
    model.natural_gradient_step(x, y)
    before = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(before, loaded.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"natural_step": 0.0}, "natural_step must be over 0 and at most 1; got 0.0"),
        ({"num_rows": 0}, "num_rows must be"),
    ],
)
def test_bad_arguments_are_told(how, told):
    with pytest.raises(ValueError, match=told):
        SVGP(**{"num_rows": 5, "num_inducing": 2, "num_inputs": 1, **how})


def test_a_singular_start_is_told():
    _, _, parameters = problem()
    with pytest.raises(ValueError, match="variance is nan"):
        SVGP.starting_at(parameters._replace(variance=np.nan), 100)
