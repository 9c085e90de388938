import dataclasses
import json
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from recipes import vqvae_image as recipe
from tests.recipes.autoencoders import TINY
from tests.resume import check_resumes
from toolkit import data, training


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "vqvae_image", load=recipe.load)


def test_all_phases(tmp_path, monkeypatch):
    fit = mock.create_autospec(training.Run.fit, side_effect=training.Run.fit)
    monkeypatch.setattr(training.Run, "fit", fit)
    run = a_run(tmp_path)
    for phase in (recipe.train, recipe.evaluate, recipe.codes, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    # The loss has the commitment in it, which falls with the codes' spread: the best is the likeliest.
    assert fit.call_args.kwargs["monitor"] == "reconstruction_bits_per_dim"
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["bits_per_dim"] - found["reconstruction_bits_per_dim"] == pytest.approx(16 * 4 / 256)
    assert 1 < found["codebook_perplexity"] <= 16 and found["bits_of_the_codes_per_image"] == 16 * 4
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    shown = {"reconstructions", "training/reconstructions", "codebook", "uniform_codes", "one_code", "data/classes"}
    assert pictures >= {f"{name}.png" for name in shown}
    assert (tmp_path / "logs" / "pictures" / "projector_config.pbtxt").exists()
    # The codes on disk are those of the images, with their classes and what they take.
    codes, model = data.codes.load(tmp_path / "codes", batch_size=32), run.load()
    data.codes.check_codebook(codes, np.asarray(model.get_layer("codebook").embeddings), "here")
    images, labels = run.data.splits.test.arrays()
    kept = codes.splits.test.arrays()
    np.testing.assert_array_equal(kept["codes"], recipe.models.vqvae.codes(model, images))
    np.testing.assert_array_equal(kept["label"], labels)
    for image, (_, shown) in zip(images, recipe.changed(model, images[:2], np.random.default_rng(0)), strict=False):
        own = recipe.models.vqvae.codes(model, image[None])
        np.testing.assert_allclose(shown[0], recipe.models.vqvae.decoded(model, own)[0], atol=1e-3)
    nats = found["reconstruction_bits_per_dim"] * 256 * np.log(2)
    assert codes.facts["test_reconstruction_nats"] == pytest.approx(nats, rel=1e-4)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"encode", "decode"}
    measured = np.stack(list(run.data.examples("test", 3))).astype("float32")
    again = recipe.models.vqvae.decoded(model, recipe.models.vqvae.codes(model, measured))
    error = np.mean((np.asarray(again) - measured) ** 2)
    assert card["measured"]["model.tflite"]["squared_error"] == pytest.approx(error, rel=1e-3)
    # One's own files, of any size, and other noise.
    drawn = (tmp_path / "pictures" / "uniform_codes.png").read_bytes()
    Image.fromarray(np.full((40, 30, 3), 200, "uint8")).save(tmp_path / "mine.png")
    run.close()
    settings = dataclasses.replace(run.settings, images=str(tmp_path / "mine.png"), sample_seed=1)
    recipe.sample(training.Run(settings, "vqvae_image", load=recipe.load))
    assert (tmp_path / "pictures" / "your_images.png").exists()
    assert (tmp_path / "pictures" / "uniform_codes.png").read_bytes() != drawn


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"precision": "mixed_float16", "num_codebooks": 2, "channels": 3},
        {"precision": "mixed_bfloat16", "codebook_momentum": 0.0},
        {"num_downsamplings": 1, "num_residual_blocks": 0},
    ],
    ids=lambda how: next(iter(how.values())),
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how)
    for phase in (recipe.train, recipe.evaluate, recipe.codes, recipe.sample):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert np.isfinite(found["bits_per_dim"])
    assert found["codebook_usage_percent"] > 0


@pytest.mark.slow
def test_resumes_inside_the_second_epoch(tmp_path):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"channels": 2}, "--channels=2: expected 1, grey, or 3, in colour"),
        ({"image_size": 30}, "--image_size=30 is no multiple of 4"),
        ({"num_codebooks": 3}, "--embedding_dim=4 is no multiple of --num_codebooks=3"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path, how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir=str(tmp_path), **(TINY | how))
