import dataclasses
import json

import numpy as np
import pytest

from recipes import codes_prior as recipe
from recipes import vqvae_image
from tests.recipes.test_vqvae_image import TINY as AUTOENCODER
from tests.resume import check_resumes
from toolkit import training

TINY = {"filters": 8, "num_layers": 2, "head_filters": 8, "epochs": 1, "num_samples": 4, "max_measured": 3}


@pytest.fixture(scope="module", name="encoded")
def trained_vqvae(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vqvae")
    run = training.Run(vqvae_image.Settings(workdir=str(folder), **AUTOENCODER), "vqvae_image", load=vqvae_image.load)
    vqvae_image.train(run)
    vqvae_image.codes(run)
    run.close()
    return folder


def a_run(workdir, encoded, **how):
    settings = recipe.Settings(workdir=str(workdir), data=str(encoded), **(TINY | how))
    return training.Run(settings, "codes_prior", load=recipe.load)


def test_all_phases(tmp_path, encoded):
    run = a_run(tmp_path, encoded)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert 0 < found["bits_per_code"] < 8 and found["bits_per_code_of_uniform_codes"] == 4
    saved = 16 * (found["bits_per_code_of_uniform_codes"] - found["bits_per_code"]) / 256
    assert found["bits_per_dim_with_uniform_codes"] - found["bits_per_dim"] == pytest.approx(saved)
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"training/samples.png", "samples.png", "uniform_codes.png"}
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"sample", "sample_from_noise", "decode", "score"}
    assert card["labels"] == list("0123456789")
    run.close()
    asked = training.Run(dataclasses.replace(run.settings, classes="3,cat"), "codes_prior", load=recipe.load)
    with pytest.raises(ValueError, match="the prior never saw 'cat'; it knows 0, 1, 2"):
        recipe.sample(asked)


@pytest.mark.slow
def test_a_judge_compares_what_is_drawn(tmp_path, encoded):
    run = a_run(tmp_path, encoded, images="embedded:200", num_judged=20, condition="none")
    recipe.train(run), recipe.evaluate(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    kinds = ("decoded", "drawn", "uniform_codes")
    assert all(found[f"frechet_distance_of_{kind}"] > 0 for kind in kinds)


def test_codes_of_another_codebook_are_refused(tmp_path, encoded):
    head = json.loads((encoded / "codes" / "codes.json").read_text())
    (encoded / "codes" / "codes.json").write_text(json.dumps(head | {"codebook": "0123456789abcdef"}))
    try:
        with pytest.raises(ValueError, match=r"of another codebook \(0123456789abcdef\) than its network has now"):
            recipe.train(a_run(tmp_path, encoded))
    finally:
        (encoded / "codes" / "codes.json").write_text(json.dumps(head))


def test_codes_of_films_are_refused(tmp_path, encoded):
    path = encoded / "codes" / "codes.json"
    head = json.loads(path.read_text())
    path.write_text(json.dumps({**head, "facts": {}}))
    try:
        with pytest.raises(ValueError, match="its codes are not of images"):
            recipe.train(a_run(tmp_path, encoded))
    finally:
        path.write_text(json.dumps(head))


def test_no_codes_yet(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"codes.json: no such file. Encode the data: --mode=codes"):
        recipe.train(a_run(tmp_path / "run", tmp_path / "nothing"))


@pytest.mark.slow
def test_resumes_inside_and_after_an_epoch(tmp_path, encoded):
    def start(workdir):
        return a_run(workdir, encoded, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    check_resumes(start, recipe.train, tmp_path, cuts=(2, 5))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_trains(tmp_path, encoded, precision):
    run = a_run(tmp_path, encoded, precision=precision)
    recipe.train(run), recipe.evaluate(run)
    assert np.isfinite(json.loads((tmp_path / "metrics.json").read_text())["bits_per_code"])
