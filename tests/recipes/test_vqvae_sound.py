import dataclasses
import json

import numpy as np
import pytest

from recipes import vqvae_sound as recipe
from tests.resume import check_resumes
from toolkit import training
from toolkit.data.audio import files

TINY = {
    "sample_rate": 4000,
    "window": 1024,
    "num_layers": 2,
    "filters": 8,
    "skip_filters": 8,
    "num_embeddings": 32,
    "embedding_dim": 8,
    "num_context_layers": 1,
    "encoder_filters": 8,
    "num_downsamplings": 3,
    "condition_size": 8,
    "batch_size": 13,  # so that every batch is full, and none is traced anew
    "epochs": 1,
    "judge_epochs": 1,
    "prior_layers": 1,
    "prior_filters": 8,
    "prior_window": 16,
    "prior_epochs": 1,
    "seconds": 0.1,
    "num_judged": 1,
    "max_seconds": 0.05,
    "max_measured": 2,
    "num_samples": 2,
}


def a_run(workdir, data, **how):
    return training.Run(
        recipe.Settings(workdir=str(workdir), data=data, **(TINY | how)), "vqvae_sound", load=recipe.load
    )


def later(run, **changed):
    run.close()
    return training.Run(dataclasses.replace(run.settings, **changed), "vqvae_sound", load=recipe.load)


def heard(path):
    waveform, rate = files.decode(path)
    assert rate == 4000
    return waveform[:, 0]


def test_all_phases(tmp_path, short_speech, capsys):
    run = a_run(tmp_path, short_speech)
    for phase in (recipe.train, recipe.prior, recipe.evaluate, recipe.export):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert 4 < found["bits_per_sample"] < 9 and "bits_per_sample_of_another_speaker" in found
    assert 1 < found["codebook_perplexity"] <= 32 and 0 < found["codebook_usage_percent"] <= 100
    assert found["code_bits_per_second"] == 500 * 5
    entropy = 500 * np.log2(found["codebook_perplexity"])
    np.testing.assert_allclose(found["code_entropy_bits_per_second"], entropy)
    assert 0 < found["units_from_codes_chance_percent"] < 100 and 0 < found["units_from_codes_accuracy_percent"] < 100
    for what in ("speaker", "units"):
        kinds = {f"{what}_heard_in_{kind}_percent" for kind in ("real", "rebuilt", "converted")}
        assert kinds | {f"{what}_chance_percent"} < found.keys()
    assert 0 < found["bits_per_code"] < 8 and found["bits_per_code_of_uniform_codes"] == 5
    kinds = {"rebuilt", "converted", "invented", "uniform_codes"}
    assert {f"frechet_distance_of_{kind}" for kind in kinds} < found.keys()
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"training/converted.png", "converted.png", "codes.png"}
    real = next(run.data.examples("test"))
    np.testing.assert_allclose(heard(tmp_path / "sounds" / "test_0_real.wav"), real.waveform, atol=1e-4)
    for kind in ("rebuilt", "converted"):
        assert len(heard(tmp_path / "sounds" / f"test_0_{kind}.wav")) == len(real.waveform)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert {"encode", "decode", "convert", "sample"} < set(card["signatures"]) and card["samples_per_code"] == 8
    # A recording of one's own, at any rate, in a voice that is known.
    import soundfile

    own = np.sin(np.arange(2000) / 3).astype("float32") / 2
    soundfile.write(tmp_path / "own.wav", own, 8000)
    run = later(run, recording=str(tmp_path / "own.wav"), speaker="speaker 1")
    recipe.sample(run)
    assert len(heard(tmp_path / "sounds" / "sample_1.wav")) == 1000
    assert "sounds/sample_1.wav, invented_1.wav: as speaker 1" in capsys.readouterr().out
    assert len(heard(tmp_path / "sounds" / "invented_1.wav")) == 400
    assert (tmp_path / "pictures" / "invented.png").exists()
    with pytest.raises(ValueError, match="--speaker: there is no 'x'"):
        recipe.sample(later(run, speaker="x"))


@pytest.mark.slow
def test_resumes_inside_and_after_an_epoch(tmp_path, short_speech):
    def start(workdir):
        return a_run(workdir, short_speech, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    def both(run):
        recipe.train(run)
        recipe.prior(run)

    check_resumes(start, both, tmp_path, cuts=(2, 5))
