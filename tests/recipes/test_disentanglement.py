import csv
import json

import numpy as np
import pytest
from matplotlib.text import Text

from recipes import disentanglement as recipe
from tests.resume import check_resumes
from toolkit import layers, training

TINY = {
    "data": "embedded:sprites:3x2x2x4x4",
    "network": "dense",
    "units": 1,
    "latent_size": 3,
    "discriminator_units": 4,
    "epochs": 1,
    "max_measured": 3,
    "num_samples": 3,
    "num_points": 100,
    "num_trees": 100,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "disentanglement", load=recipe.load)


def test_all_phases(tmp_path):
    run = a_run(tmp_path)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["negative_elbo_nats"] == pytest.approx(found["kl_nats"] + found["reconstruction_nats"])
    scores = {"beta_vae_score", "factor_vae_score", "mutual_information_gap", "modularity", "explicitness", "sap_score"}
    scores |= {"dci_disentanglement", "dci_completeness", "dci_informativeness"}
    assert all(0 <= found[name] <= 1 for name in scores)
    assert found["total_correlation_of_draws_nats"] >= 0
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.*")}
    shown = {"training/traversals.png", "mutual_information.png", "importances.png", "samples.png", "traversals.png"}
    assert pictures >= shown | {"traversals.gif", "data/factors.png"}
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"encode", "decode", "traverse", "sample"}
    assert card["measured"]["model.tflite"]["images"] == 3


def test_traversals_move_one_number_and_leave_the_others(tmp_path):
    run = a_run(tmp_path)
    recipe.train(run)
    model, image = run.load(), run.data.splits.test.peek()[0][:1]
    figure, frames = recipe.traversals(model, image, values=5)
    assert frames.shape == (8, 64, 3 * 64, 1) and frames.dtype == np.uint8  # there and back, without the ends twice
    np.testing.assert_array_equal(frames[1], frames[-1])
    mean, log_variance = recipe.encoder(model)(image)
    first = int(np.argsort(log_variance[0])[0])
    moved = np.repeat(mean, 5, axis=0)
    moved[:, first] = np.linspace(-2, 2, 5)
    expected = np.asarray(recipe.models.vae.decoded(model, moved)).astype("uint8")
    np.testing.assert_array_equal(frames[:5, :, :64], expected)
    assert f"number {first} from -2 to 2" in [text.get_text() for text in figure.findobj(Text)]


OBJECTIVES = {
    "beta_vae": (layers.GaussianLatent, {"scale": 6.0}),
    "annealed_vae": (layers.AnnealedLatent, {"capacity": 25.0, "num_steps": 33, "gamma": 1000.0}),
    "factor_vae": (layers.GaussianLatent, {"scale": 1.0}),
    "beta_tcvae": (layers.TotalCorrelationLatent, {"beta": 4.0}),
    "dip_vae_i": (layers.DIPLatent, {"kind": "i", "off_diagonal_weight": 5.0, "diagonal_weight": 50.0}),
    "dip_vae_ii": (layers.DIPLatent, {"kind": "ii", "off_diagonal_weight": 5.0, "diagonal_weight": 5.0}),
}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_objective_has_its_layer(objective, tmp_path):
    how = {"objective": objective} | ({"strength": 6.0} if objective == "beta_vae" else {})
    found = recipe.latent(recipe.Settings(workdir=str(tmp_path), **(TINY | how)), 100)
    kind, expected = OBJECTIVES[objective]
    assert type(found) is kind and found.always_draw
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"objective": "factor_vae", "precision": "mixed_float16"},
        {"objective": "beta_tcvae", "precision": "mixed_bfloat16", "network": "strided", "variant": "color"},
        {"objective": "annealed_vae", "variant": "noisy"},
        {"objective": "dip_vae_ii", "precision": "mixed_float16"},
    ],
    ids=lambda how: " ".join(map(str, how.values())),
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how)
    for phase in (recipe.train, recipe.evaluate, recipe.sample):
        phase(run)
    assert np.isfinite(run.metrics()["negative_elbo_nats"])
    run.close()


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["factor_vae", "annealed_vae"])
def test_resumes_inside_the_second_epoch(tmp_path, objective):
    def start(workdir):
        return a_run(workdir, objective=objective, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=2)

    check_resumes(start, recipe.train, tmp_path, cuts=(3,))


@pytest.mark.slow
def test_a_study_has_a_row_for_each_cell(tmp_path):
    run = a_run(tmp_path, objectives="beta_vae,factor_vae", num_strengths=2, num_seeds=1, steps_per_epoch=1)
    recipe.study(run)
    with open(tmp_path / "tables" / "study.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cells = [(row["objective"], float(row["strength"]), row["seed"]) for row in rows]
    assert cells == [("beta_vae", 1, "0"), ("beta_vae", 16, "0"), ("factor_vae", 10, "0"), ("factor_vae", 100, "0")]
    with open(tmp_path / "tables" / "explained.csv", encoding="utf-8") as file:
        explained = {row["score"]: row for row in csv.DictReader(file)}
    assert 0 <= float(explained["kl_nats"]["objective"]) <= 1
    assert float(explained["kl_nats"]["objective and strength"]) == 1, "a group of each cell"
    with open(tmp_path / "tables" / "rank_correlations.csv", encoding="utf-8") as file:
        assert {row["score"] for row in csv.DictReader(file)} >= {"negative_elbo_nats", "modularity", "sap_score"}
    pictures = {path.name for path in (tmp_path / "pictures" / "study").iterdir()}
    assert pictures >= {"rank_correlations.png", "mutual_information_gap.png", "negative_elbo_nats.svg"}
    run.close()


def test_unknown_objectives_are_refused(tmp_path):
    with pytest.raises(ValueError, match="--objectives: 'vae' is none of beta_vae, annealed_vae"):
        recipe.Settings(workdir=str(tmp_path), **(TINY | {"objectives": "beta_vae,vae"}))
