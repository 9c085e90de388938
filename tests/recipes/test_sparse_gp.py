import csv
import json

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from recipes import sparse_gp as recipe
from tests.resume import check_resumes, check_same_checkpoints
from toolkit import methods, training

TINY = {
    "data": "embedded:wave:200",
    "num_inducing": 12,
    "num_choices": 2,
    "max_iterations": 15,
    "num_splits": 2,
    "sizes": "40,80",
    "counts": "4,8,14",
    "max_measured": 5,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "sparse_gp", load=recipe.load)


def table(folder, name):
    with open(folder / "tables" / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_all_phases(tmp_path):
    run = a_run(tmp_path, num_choices=1)
    for phase in (recipe.train, recipe.evaluate, recipe.predict, recipe.export, recipe.check_data):
        phase(run)
    found = run.metrics()
    # The noise is 0.3, and nothing tells more.
    assert 0.2 < found["root_mean_squared_error"] < 0.4 < found["linear_root_mean_squared_error"] < 1
    assert found["negative_log_likelihood_nats"] < found["linear_negative_log_likelihood_nats"]
    assert 0.8 <= found["coverage_of_95_percent_intervals"] <= 1
    assert found["root_mean_squared_error"] == pytest.approx(found["exact_root_mean_squared_error"], rel=0.02)
    rows = table(tmp_path, "splits")
    assert [(row["split"], row["model"]) for row in rows] == [
        (n, m) for n in "01" for m in ("sparse", "linear", "exact")
    ]
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"training/bound.png", "calibration.png", "against_truth.png", "fit.png", "data/columns.png"}
    # The file says what the model says, in the data's units, and how far off it is.
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    measured = card["measured"]["model.tflite"]
    assert (
        card["target"] == "y" and measured["rows"] == 5 and measured["mean_off_float64_in_standard_deviations"] < 1e-2
    )
    call = Interpreter(str(tmp_path / "export" / "model.tflite")).get_signature_runner("predict")
    inside = np.array([[0.5]], "float32")
    expected = recipe.predicted(run.load(), inside)
    assert call(x=inside)["mean"][0] == pytest.approx(expected[0][0], abs=1e-3)
    assert call(x=inside)["variance"][0] == pytest.approx(expected[1][0], rel=1e-2)
    assert expected[0][0] == pytest.approx(np.sin(1.5) + 0.25, abs=0.3)
    run.close()
    told = "--sizes=500: expected numbers from 14, the largest of --counts, to the table's 180 training rows"
    with pytest.raises(ValueError, match=told):
        recipe.rates(a_run(tmp_path, num_choices=1, sizes="500"))


@pytest.mark.slow
def test_rates_and_continual_use(tmp_path):
    run = a_run(tmp_path, num_splits=1)
    for phase in (recipe.train, recipe.rates, recipe.continual):
        phase(run)
    rows = table(tmp_path, "rates")
    assert len(rows) == 2 * 4 * 3 and {row["way"] for row in rows} == set(methods.inducing_inputs.WAYS)
    for row in rows:
        lower, likelihood, upper = (float(row[name]) for name in ("lower", "log_likelihood", "upper"))
        assert lower <= likelihood + 1e-4 <= upper + 2e-4
    by = {(row["way"], row["rows"], row["num_inducing"]): float(row["kl"]) for row in rows}
    assert by["greedy_variance", "80", "14.0"] < by["greedy_variance", "80", "8.0"] < by["greedy_variance", "80", "4.0"]
    assert by["greedy_variance", "80", "8.0"] < by["uniform", "80", "8.0"]
    grown = table(tmp_path, "continual")
    growing, fixed = ([row for row in grown if row["M"] == name] for name in ("growing", "fixed"))
    assert all(0 <= float(row["divergence_nats"]) <= float(row["bound_nats"]) for row in grown)
    assert (
        growing[-1]["rows"] == fixed[-1]["rows"] == "180"
        and fixed[0]["inducing_inputs"] == fixed[-1]["inducing_inputs"]
    )
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"rates/divergence_80.png", "rates/inducing_inputs.png", "continual.png"}
    # Asked again, with a further size, only that is computed.
    done = {path: path.stat().st_mtime_ns for path in tmp_path.glob("checkpoints/rates/**/latest.npz")}
    recipe.rates(a_run_again(run, sizes="40,80,150"))
    assert all(path.stat().st_mtime_ns == when for path, when in done.items())
    assert len(table(tmp_path, "rates")) == 3 * 4 * 3


def a_run_again(run, **how):
    run.close()
    return a_run(run.workdir, num_splits=1, **how)


@pytest.mark.slow
def test_batches_come_to_what_all_rows_come_to(tmp_path):
    found = []
    for method in ("collapsed", "batches"):
        run = a_run(tmp_path / method, method=method, num_splits=1, epochs=3, batch_size=60, start_rows=60)
        recipe.train(run)
        recipe.evaluate(run)
        found.append(run.metrics())
        run.close()
    assert found[1]["root_mean_squared_error"] == pytest.approx(found[0]["root_mean_squared_error"], rel=0.1)
    assert found[1]["negative_log_likelihood_nats"] == pytest.approx(found[0]["negative_log_likelihood_nats"], abs=0.2)


def test_ones_own_rows_are_predicted(tmp_path):
    lines = ["mix,water [kg],strength [MPa]", *(f"a,{n / 10},{3 * n / 10 + 1}" for n in range(60))]
    (tmp_path / "own.csv").write_text("\n".join(lines))
    how = {"data": f"csv:{tmp_path / 'own.csv'}", "leave_out": "mix", "num_splits": 1, "num_choices": 1}
    run = a_run(tmp_path / "run", **how)
    recipe.train(run)
    run.close()
    (tmp_path / "new.csv").write_text("strength,mix,water\n?,b,2.05\n?,b,4.0\n")
    run = a_run(tmp_path / "run", **how, rows=str(tmp_path / "new.csv"))
    recipe.predict(run)
    rows = table(tmp_path / "run", "predictions")
    assert list(rows[0]) == ["water [kg]", "strength [MPa], mean", "scale"]
    assert [float(row["strength [MPa], mean"]) for row in rows] == pytest.approx([7.15, 13.0], abs=0.1)
    run.close()


@pytest.mark.slow
def test_resumes_inside_the_second_epoch_of_batches(tmp_path):
    def start(workdir):
        how = {"method": "batches", "batch_size": 60, "epochs": 2, "start_rows": 60, "num_splits": 1}
        return a_run(workdir, checkpoint_minutes=0.0, **how)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


class Killed(Exception):
    """The power went."""


@pytest.mark.slow
@pytest.mark.parametrize("fits", [0, 1, 3])
def test_resumes_between_choices_and_splits(tmp_path, fits, monkeypatch):
    whole = a_run(tmp_path / "whole")
    recipe.train(whole)
    whole.close()
    fit, done = methods.sparse_gp_fitting.fit_by_lbfgs, []

    def some(*arguments, **how):
        if len(done) == fits:
            raise Killed
        done.append(True)
        return fit(*arguments, **how)

    monkeypatch.setattr(methods.sparse_gp_fitting, "fit_by_lbfgs", some)
    cut = a_run(tmp_path / "cut")
    with pytest.raises(Killed):
        recipe.train(cut)
    cut.close()
    monkeypatch.undo()
    again = a_run(tmp_path / "cut")
    recipe.train(again)
    again.close()
    check_same_checkpoints(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"kernel": "matern32", "inducing": "k_means", "data": "embedded:friedman:100"},
        {"kernel": "matern12", "inducing": "k_dpp", "data": "embedded:diabetes", "target": "bmi"},
        {"kernel": "matern52", "inducing": "uniform", "train_inducing": True, "quantize": "all"},
        {"method": "batches", "epochs": 1, "start_rows": 50, "train_inducing": True, "data": "embedded:friedman:100"},
    ],
    ids=lambda how: " ".join(map(str, how.values())),
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, num_splits=1, **how)
    for phase in (recipe.train, recipe.evaluate, recipe.predict, recipe.export):
        phase(run)
    assert np.isfinite(run.metrics()["negative_log_likelihood_nats"])
    run.close()


def test_settings_that_say_nothing(tmp_path):
    with pytest.raises(ValueError, match="--counts must be numbers over 0 between commas; got none"):
        recipe.Settings(workdir=str(tmp_path), **(TINY | {"counts": ""}))
