import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF

from toolkit.methods import exact_gp, gp_covariance, inducing_inputs, sparse_gp, sparse_gp_convergence
from toolkit.methods.sparse_gp_convergence import doubling, growing, largest_eigenvalue, measured

PARAMETERS = gp_covariance.GPParameters(1.0, np.array([0.5]), 0.1, None)


def drawn(rows, seed=0):
    """Inputs, and targets that the process draws."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 1))
    covariance = RBF(0.5)(x) + 0.1 * np.eye(rows)
    return x, np.linalg.cholesky(covariance) @ random.normal(size=rows)


def test_largest_eigenvalue_is_numpys():
    x, _ = drawn(70)
    inputs = x[:6]
    kernel = RBF(0.5)
    left = kernel(x) - kernel(x, inputs) @ np.linalg.solve(kernel(inputs) + 1e-6 * np.eye(6), kernel(inputs, x))
    found = largest_eigenvalue(x, PARAMETERS._replace(inducing_inputs=inputs))
    assert found == pytest.approx(np.linalg.eigvalsh(left)[-1], rel=1e-8)
    with pytest.raises(ValueError, match="2 to 10,000 rows; there are 1"):
        largest_eigenvalue(x[:1], PARAMETERS._replace(inducing_inputs=inputs[:1]))


@pytest.mark.parametrize("way", inducing_inputs.WAYS)
def test_what_is_measured_is_in_order(way):
    x, y = drawn(150)
    for number in (5, 15):
        found = measured(x, y, PARAMETERS, way=way, num_inducing=number)
        assert found["num_inducing"] == number
        order = [found[key] for key in ("lower", "lower_tight", "log_likelihood", "upper_eigenvalue", "upper")]
        assert order == sorted(order) and order[0] < order[-1]
        assert found["log_likelihood"] == exact_gp.log_marginal_likelihood(x, y, PARAMETERS)
        assert found["kl"] == found["log_likelihood"] - found["lower"]
        assert found["kl_bound"] == found["upper_eigenvalue"] - found["lower"]
        assert 0 < found["largest_eigenvalue"] < found["trace"]


def test_of_many_rows_the_exact_process_is_not_asked(monkeypatch):
    monkeypatch.setattr(sparse_gp_convergence, "MAX_EXACT_ROWS", 50)
    found = measured(*drawn(60), PARAMETERS, num_inducing=10)
    assert np.isnan(found["log_likelihood"]) and np.isnan(found["kl"])
    assert found["kl_bound"] == found["upper"] - found["lower"]


def test_rows_that_come_are_all_in_the_process_of_then():
    x, y = drawn(120)
    chunks = [(x[start : start + 40], y[start : start + 40]) for start in (0, 40, 80)]
    assert [len(targets) for _, targets in doubling(x, y, first=40)] == [40, 40, 40]
    assert [len(targets) for _, targets in doubling(x, y, first=500)] == [120]
    steps = list(growing(chunks, PARAMETERS, lambda rows: rows // 8, way="k_dpp"))
    assert [(step.num_rows, len(step.parameters.inducing_inputs)) for step in steps] == [(40, 5), (80, 10), (120, 15)]
    last = steps[-1]
    again = sparse_gp.summarize(x, y, last.parameters)
    assert sparse_gp.lower_bound(last.summary).numpy() == pytest.approx(sparse_gp.lower_bound(again).numpy())
    found = steps[1].measures(x, y, max_exact=100)
    lower = float(sparse_gp.lower_bound(steps[1].summary))
    expected = exact_gp.log_marginal_likelihood(x[:80], y[:80], PARAMETERS) - lower
    assert found["rows"] == 80 and found["inducing_inputs"] == 10
    assert found["divergence_nats"] == pytest.approx(expected) and 0 < expected < found["bound_nats"]
    assert np.isnan(last.measures(x, y, max_exact=100)["divergence_nats"])
    mean, variance = sparse_gp.predict(x, last.parameters, last.posterior)
    exact = exact_gp.exact_prediction(x, y, x, PARAMETERS)
    np.testing.assert_allclose(mean, exact[0], atol=0.05)
    np.testing.assert_allclose(variance, exact[1], atol=0.05)
    assert next(growing(chunks, PARAMETERS, lambda rows: 10**9)).parameters.inducing_inputs.shape[0] <= 40
