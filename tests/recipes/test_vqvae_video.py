import json
from unittest import mock

import numpy as np
import pytest

from recipes import vqvae_video as recipe
from tests.resume import check_resumes
from toolkit import data, generation, training

TINY = {
    "data": "embedded:sprites:30",
    "num_frames": 6,
    "num_given": 3,
    "num_maps": 2,
    "image_size": 16,
    "units": 8,
    "residual_units": 8,
    "num_residual_blocks": 1,
    "num_embeddings": 16,
    "embedding_dim": 4,
    "filters": 8,
    "num_blocks": 2,
    "epochs": 1,
    "prior_epochs": 1,
    "num_samples": 2,
    "max_measured": 2,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "vqvae_video", load=recipe.load)


def test_all_phases(tmp_path, monkeypatch):
    predictor = generation.film_prediction.FilmPredictor
    predict = mock.create_autospec(predictor.predict, side_effect=predictor.predict)
    monkeypatch.setattr(predictor, "predict", predict)
    falling = mock.Mock(wraps=training.step_sizes.falling)
    monkeypatch.setattr(training.step_sizes, "falling", falling)
    run = a_run(tmp_path, temperature=0.5, prior_epochs=2)
    for phase in (recipe.train, recipe.prior, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    videos = np.concatenate(list(run.data.splits.test.dataset(num_epochs=1)))
    last = np.mean((videos[:, 2:3] - videos[:, 3:]) ** 2)
    assert found["predicted_squared_error_of_the_last_frame"] == pytest.approx(last, rel=1e-4)
    assert found["predicted_squared_error"] > 0
    assert [each.kwargs["temperature"] for each in predict.call_args_list] == [0.5, 0.5]
    codes = data.codes.load(tmp_path / "codes", batch_size=8)
    assert falling.call_args_list[1].args[1] == 2 * codes.splits.train.steps_per_epoch
    # Of each code of test videos, given those of the two frames before.
    films, nats = codes.splits.test.arrays()["codes"], []
    for place in range(2, 6):
        inputs = {"codes": films[:, place], "context": films[:, place - 2 : place]}
        logits = np.asarray(run.load("prior")(inputs), "float64")
        log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        nats.append(-np.take_along_axis(log_probs, films[:, place, ..., None], axis=-1).mean())
    assert found["bits_per_code"] == pytest.approx(np.mean(nats) / np.log(2), rel=1e-4)
    pictures = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert pictures >= {"predicted.png", "predicted.gif", "carried_on.png", "carried_on.gif"}
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert (card["given_frames"], card["predicted_frames"]) == (2, 3)
    assert card["signatures"]["predict"]["outputs"]["frames"]["shape"] == [1, 3, 16, 16, 1]


@pytest.mark.slow
def test_resumes_in_both_stages(tmp_path):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=2, prior_epochs=1)

    def train(run):
        recipe.train(run)
        recipe.prior(run)

    check_resumes(start, train, tmp_path, cuts=(3,))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_trains(tmp_path, precision):
    run = a_run(tmp_path, precision=precision, num_codebooks=2)
    for phase in (recipe.train, recipe.prior, recipe.evaluate):
        phase(run)
    assert np.isfinite(json.loads((tmp_path / "metrics.json").read_text())["predicted_squared_error"])


def test_frames_that_cannot_be_given(tmp_path):
    with pytest.raises(ValueError, match="--num_given=3 must be at least --num_maps=4 and less than --num_frames=6"):
        recipe.Settings(workdir=str(tmp_path), **(TINY | {"num_maps": 4}))
