"""A regression in a file: what the model says, in the data's units."""

import numpy as np
import pytest

from toolkit import export, models
from toolkit.export.interpreter import tflite_caller
from toolkit.metrics import gaussian_prediction
from toolkit.serving.regressor import of_table, regressor

MEANS, SCALES = np.array([500.0, -3.0]), np.array([120.0, 0.02])


def a_model(kernel="squared_exponential"):
    random = np.random.default_rng(0)
    inducing = random.normal(size=(6, 2))
    parameters = 0.8, np.array([1.2, 0.7]), 0.05, inducing
    covariance = np.exp(-0.5 * np.sum((inducing[:, None] - inducing) ** 2 / parameters[1] ** 2, axis=-1))
    posterior = random.normal(size=6), 0.3 * np.linalg.cholesky(np.linalg.inv(0.8 * covariance + 1e-3 * np.eye(6))).T
    moments = {"x_mean": MEANS, "x_scale": SCALES, "y_mean": 40.0, "y_scale": 9.0}
    return models.sparse_gp.filled(models.sparse_gp.sparse_gp(2, 6, kernel), parameters, posterior, **moments)


def rows(count):
    return MEANS + SCALES * np.random.default_rng(1).normal(size=(count, 2))


@pytest.mark.slow  # the recipe's test exports too
@pytest.mark.parametrize("kernel", ["squared_exponential", "matern12", "matern52"])
def test_an_export_is_what_the_model_is(kernel, tmp_path):
    model, x = a_model(kernel), rows(20)
    mean, variance = (np.asarray(each) for each in model(x))
    y = mean + np.sqrt(variance)
    served = regressor(
        model, columns=["water [kg]", "age"], target="strength", unit="MPa", measured=(x, y), typical=rows(30)
    )
    card = export.write(tmp_path / "export", **served.arguments(), quantize="all").card
    assert card["columns"] == ["water [kg]", "age"] and card["inducing_inputs"] == 6 and card["kernel"] == kernel
    assert card["noise_scale"] == pytest.approx(9 * 0.05**0.5)
    described = card["signatures"]["predict"]
    assert described["inputs"]["x"]["unit"] == "water [kg]; age" and described["outputs"]["mean"]["unit"] == "MPa"
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    found = [call("predict", x=row[None].astype("float32")) for row in x]
    # The second column lies at 150 of its deviations: float32 keeps five digits of it.
    np.testing.assert_allclose(np.concatenate([each["mean"] for each in found]), mean, atol=0.01)
    np.testing.assert_allclose(np.concatenate([each["variance"] for each in found]), variance, rtol=1e-3)
    measured = card["measured"]
    assert set(measured) >= {"model.tflite", "model_int8.tflite", "model_float16.tflite", "model_dynamic.tflite"}
    one = measured["model.tflite"]
    scores = gaussian_prediction.scores(y, mean, variance)
    assert one["root_mean_squared_error"] == pytest.approx(scores["root_mean_squared_error"], rel=1e-2)
    assert one["negative_log_likelihood_nats"] == pytest.approx(scores["negative_log_likelihood_nats"], abs=1e-2)
    assert one["coverage_of_95_percent_intervals"] == 1 and one["rows"] == 20
    assert one["mean_off_float64_in_standard_deviations"] < 0.01 and one["variance_off_float64_as_a_share"] < 1e-3
    off = {name: file["mean_off_float64_in_standard_deviations"] for name, file in measured.items()}
    assert off["model_int8.tflite"] > off["model.tflite"], "what quantization costs is said"


def test_what_a_measure_says_of_a_wrong_file():
    model, x = a_model(), rows(10)
    mean, variance = (np.asarray(each) for each in model(x))
    served = regressor(model, columns=["a", "b"], target="c", measured=(x, mean))

    def off(name, **inputs):
        place = int(np.argmin(np.abs(x[:, 0] - inputs["x"][0, 0])))
        deviation = np.sqrt(variance[place])
        return {"mean": mean[place : place + 1] + 2 * deviation, "variance": np.zeros(1)}

    found = served.measure(off)
    assert found["mean_off_float64_in_standard_deviations"] == pytest.approx(2)
    assert found["variance_off_float64_as_a_share"] == 1 and found["coverage_of_95_percent_intervals"] == 0
    assert np.isfinite(found["negative_log_likelihood_nats"])


def test_without_data_nothing_is_measured():
    served = regressor(a_model(), columns=["a", "b"], target="c")
    assert served.measure is None and served.examples["predict"]["x"].tolist() == [[500.0, -3.0]]
    assert list(served.calibrate()) == []


def test_columns_are_those_of_the_model():
    with pytest.raises(ValueError, match="3 names of columns for a model of 2"):
        regressor(a_model(), columns=["a", "b", "c"], target="d")


def test_a_table_names_and_measures_it_and_without_one_it_goes_too():
    from toolkit.data import tables

    model = models.sparse_gp.sparse_gp(1, 3)
    random = np.random.default_rng(0)
    models.sparse_gp.filled(model, (1.0, np.ones(1), 0.1, random.normal(size=(3, 1))), (np.zeros(3), np.eye(3)))
    table = tables.load("embedded:wave:60")
    found = of_table(model, table, max_measured=4)
    rows = []
    measured = found.measure(lambda _, x: rows.append(x) or {"mean": np.zeros(1), "variance": np.ones(1)})
    assert measured["rows"] == len(rows) == 4
    np.testing.assert_array_equal(np.concatenate(rows), table.inputs[table.order(0)[1][:4]].astype("float32"))
    assert found.card["target"] == "y" and of_table(model, None).measure is None
