import csv
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from recipes import sigma_vae as recipe
from tests.resume import check_resumes
from toolkit import models, training

TINY = {
    "data": "embedded:200",
    "network": "dense",
    "units": 1,
    "latent_size": 3,
    "epochs": 1,
    "max_measured": 3,
    "num_samples": 3,
    "num_judged": 8,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "sigma_vae", load=recipe.load)


def test_all_phases(tmp_path):
    run = a_run(tmp_path)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found, model = json.loads((tmp_path / "metrics.json").read_text()), run.load()
    assert found["negative_elbo_nats"] == pytest.approx(found["kl_nats"] + found["reconstruction_nats"])
    kept = float(np.exp(model.get_layer("scale").kept_log_scale()))
    assert found["scale"] == pytest.approx(kept + np.exp(-6), rel=1e-4)
    assert found["frechet_distance_of_drawn"] > 0
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    shown = {"reconstructions", "training/reconstructions", "training/samples", "samples", "rebuilt", "traversals"}
    assert pictures >= {f"{name}.png" for name in shown | {"data/classes"}}
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"encode", "decode", "traverse", "sample"}
    assert card["measured"]["model.tflite"]["images"] == 3
    # One's own files, of any size.
    Image.fromarray(np.full((40, 30, 3), 200, "uint8")).save(tmp_path / "mine.png")
    run.close()
    settings = dataclasses.replace(run.settings, images=str(tmp_path / "mine.png"))
    before = (tmp_path / "pictures" / "rebuilt.png").read_bytes()
    recipe.sample(training.Run(settings, "sigma_vae", load=recipe.load))
    assert (tmp_path / "pictures" / "rebuilt.png").read_bytes() != before


def test_a_beta_vae_is_measured_as_the_scale_it_stands_for(tmp_path):
    run = a_run(tmp_path, decoder="fixed", beta=0.04)
    recipe.train(run)
    recipe.evaluate(run)
    assert run.metrics()["scale"] == pytest.approx(0.2 + np.exp(-6), rel=1e-4)
    assert run.load().get_layer("latent").scale == 0.04


@pytest.mark.slow
def test_compare_is_a_table_of_all_decoders_and_betas(tmp_path):
    run = a_run(tmp_path, betas="0.01,1", steps_per_epoch=2)
    recipe.compare(run)
    with open(tmp_path / "tables" / "decoders.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = [("fixed", "0.01"), ("fixed", "1.0"), *((kind, "1.0") for kind in models.vae.DECODERS[1:])]
    assert [(row["decoder"], row["beta"]) for row in rows] == expected
    assert all(float(row["negative_elbo_nats"]) for row in rows)
    assert not rows[-1]["scale"] and float(rows[0]["scale"]) == pytest.approx(0.1 + np.exp(-6), rel=1e-4)
    pictures = {path.name for path in (tmp_path / "pictures" / "betas").glob("*.png")}
    assert pictures == {"frechet_distance_of_drawn.png", "negative_elbo_nats_with_optimal_scale.png"}
    recipe.compare(run)  # nothing is trained again
    run.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"precision": "mixed_float16", "decoder": "per_pixel", "channels": 3, "network": "convolutional"},
        {"precision": "mixed_bfloat16", "decoder": "optimal", "network": "strided"},
        {"precision": "mixed_float16", "decoder": "shared"},
        {"decoder": "optimal_per_example"},
        {"decoder": "bernoulli"},
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
def test_resumes_inside_the_second_epoch(tmp_path):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"image_size": 30, "network": "convolutional"}, "--image_size=30 is no multiple of 4, as --network=convol"),
        ({"beta": 2.0}, "--beta=2.0 is for --decoder=fixed: --decoder=shared needs no weight"),
        ({"betas": "0.1,-1"}, "--betas must be numbers over 0 between commas; got '0.1,-1'"),
        ({"betas": ""}, "--betas must be numbers over 0 between commas; got none"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path, how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir=str(tmp_path), **(TINY | how))
