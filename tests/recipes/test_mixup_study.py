import csv
import json

import numpy as np
import pytest

from recipes import mixup_study as recipe
from tests.resume import check_resumes
from toolkit import methods, training
from toolkit.export.interpreter import tflite_caller

TINY = {"data": "embedded:200", "image_size": 8, "units": 8, "epochs": 2, "batch_size": 32, "max_measured": 20}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "mixup_study", load=recipe.load)


def test_all_phases(tmp_path):
    run = a_run(tmp_path)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["test_images"] == 40 and found["jacobian_norm"] > 0 and 0.01 <= found["temperature"] <= 100
    for name in ("raw", "input_mode", "rescaled", "temperature"):
        assert 0 <= found[f"{name}_top_1_accuracy_percent"] <= 100 and found[f"{name}_negative_log_likelihood_nats"] > 0
        assert 0 <= found[f"{name}_expected_calibration_error_percent"] <= 100
    assert found["raw_top_1_accuracy_percent"] == found["temperature_top_1_accuracy_percent"]
    assert found["raw_negative_log_likelihood_nats"] != found["rescaled_negative_log_likelihood_nats"]
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    shown = {f"calibration/{name}" for name in ("raw", "input_mode", "rescaled", "temperature")} | {"mixed", "between"}
    assert pictures >= {f"{name}.png" for name in shown}
    # The exported file is the one that is asked as it was taught.
    images, _ = next(run.data.blocks("test", 5))
    expected = methods.classification.probabilities(recipe.rescaled(run, run.load()), images)
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    answers = [call("classify", image=image[None])["probabilities"] for image in images]
    np.testing.assert_allclose(np.concatenate(answers), expected, atol=1e-5)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert card["classes"] == [str(digit) for digit in range(10)]


def test_the_means_are_those_of_the_images_trained_on(tmp_path):
    run = a_run(tmp_path, label_noise=0.3)
    found, part = recipe.means(run), run.data.parts["train"]
    images = np.concatenate([block for block, _ in run.data.blocks("train", len(part.labels))])
    np.testing.assert_allclose(found["image"], images.mean(0), atol=1e-3)
    np.testing.assert_allclose(found["shares"], np.bincount(part.labels, minlength=10) / len(part.labels))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("method", recipe.METHODS)
def test_mixed_precision(tmp_path, method, precision):
    run = a_run(tmp_path, method=method, precision=precision, epochs=1)
    recipe.train(run), recipe.evaluate(run)
    found = run.metrics()
    assert all(np.isfinite(found[f"{name}_negative_log_likelihood_nats"]) for name in ("raw", "rescaled"))
    run.close()


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"alpha": 0.0}, {"method": "cutmix"}, {"method": "manifold"}], ids=str)
def test_what_has_not_learned_of_shrunk_images_is_asked_as_it_is(tmp_path, how):
    run = a_run(tmp_path, **how, epochs=1)
    recipe.train(run), recipe.evaluate(run)
    found = run.metrics()
    for what in ("top_1_accuracy_percent", "negative_log_likelihood_nats"):
        assert found[f"raw_{what}"] == found[f"input_mode_{what}"] == found[f"rescaled_{what}"]


@pytest.mark.slow
@pytest.mark.parametrize("method", recipe.METHODS)
def test_resumes_inside_the_second_epoch(tmp_path, method):
    def start(workdir):
        how = {"method": method, "alpha": 0.4, "label_noise": 0.2}
        return a_run(workdir, **how, checkpoint_minutes=0.0, steps_per_epoch=3)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


@pytest.mark.slow
def test_a_study_has_a_row_for_each_cell_and_means_with_intervals(tmp_path):
    run = a_run(tmp_path, alphas="1", noises="0.3", num_seeds=2, epochs=1, steps_per_epoch=1, engine="here")
    recipe.study(run)
    tables = {}
    for name in ("study", "intervals"):
        with open(tmp_path / "tables" / f"{name}.csv", encoding="utf-8") as file:
            tables[name] = list(csv.DictReader(file))
    cells = [("mixup", 0.0), ("mixup", 1.0), ("approximate", 1.0)]
    expected = [(name, alpha, noise, seed) for noise in (0.0, 0.3) for name, alpha in cells for seed in (0, 1)]
    names = ("method", "alpha", "label_noise", "seed")
    found = [tuple(row[name] if name == "method" else float(row[name]) for name in names) for row in tables["study"]]
    assert found == expected and len(tables["intervals"]) == 6
    for row in tables["intervals"]:
        assert float(row["jacobian_norm_low"]) <= float(row["jacobian_norm"]) <= float(row["jacobian_norm_high"])
    assert (tmp_path / "pictures" / "study" / "raw_top_1_accuracy_percent.png").exists()
    run.close()


@pytest.mark.slow
def test_regions_are_drawn(tmp_path):
    recipe.regions(a_run(tmp_path, alphas="1"))
    assert (tmp_path / "pictures" / "regions.png").exists()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"alpha": -1.0}, "--alpha must be at least 0"),
        ({"batch_size": 1}, "--alpha=1.0 mixes images of a batch: --batch_size=1"),
        ({"methods": "mixup,mixdown"}, "--methods: 'mixdown' is none of mixup, cutmix"),
        ({"alphas": "0.2,-1"}, "--alphas must be numbers over 0 between commas"),
        ({"noises": "0.3,2"}, "--noises=0.3,2: expected shares over 0, at most 1"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path, how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir=str(tmp_path), **(TINY | how))
