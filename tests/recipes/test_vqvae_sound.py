import dataclasses
import json
from unittest import mock

import numpy as np
import pytest

from recipes import vqvae_sound as recipe
from tests.resume import check_resumes
from toolkit import generation, metrics, training
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


@pytest.fixture(name="watched")
def what_is_called(monkeypatch):
    """What is spoken, told and heard, and how, while it is done as always."""
    converter, inventor = generation.voice_conversion.VoiceConverter, generation.invented_speech.SpeechInventor
    watched = {}
    for owner, name in (
        (converter, "speak_kinds"),
        (converter, "convert"),
        (inventor, "invent"),
        (metrics.many_to_one_accuracy, "many_to_one_accuracy"),
        (recipe.methods.speech_classification, "heard_beside_chance"),
    ):
        watched[name] = mock.create_autospec(getattr(owner, name), side_effect=getattr(owner, name))
        monkeypatch.setattr(owner, name, watched[name])
    return watched


@pytest.fixture(name="offered")
def what_is_offered(monkeypatch):
    """The names of all signatures, of which three are exported: each takes a second, and the others are exported by
    `tests/serving/test_invented_speech.py`."""
    whole, offered = recipe.serving.invented_speech.invented_speech, set()

    def some(*args, **how):
        served = whole(*args, **how)
        offered.update(served.signatures)
        kept = ("encode", "score", "sample")
        signatures, examples = ({name: each[name] for name in kept} for each in (served.signatures, served.examples))
        return dataclasses.replace(served, signatures=signatures, examples=examples)

    monkeypatch.setattr(recipe.serving.invented_speech, "invented_speech", some)
    return offered


def test_all_phases(tmp_path, short_speech, capsys, watched, offered):
    run = a_run(tmp_path, short_speech, temperature=0.9)
    for phase in (recipe.train, recipe.prior, recipe.evaluate, recipe.export):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert 4 < found["bits_per_sample"] < 9
    assert found["bits_per_sample_of_another_speaker"] != found["bits_per_sample"]
    assert 1 < found["codebook_perplexity"] <= 32 and 0 < found["codebook_usage_percent"] <= 100
    assert found["code_bits_per_second"] == 500 * 5
    entropy = 500 * np.log2(found["codebook_perplexity"])
    np.testing.assert_allclose(found["code_entropy_bits_per_second"], entropy)
    assert 0 < found["units_from_codes_chance_percent"] < 100 and 0 < found["units_from_codes_accuracy_percent"] < 100
    # What a code stands for is learned from training recordings, and told of others.
    units = [each.units[np.minimum(np.arange(0, 800, 8) + 4, 799)] for each in run.data.examples("test", 10)]
    np.testing.assert_array_equal(watched["many_to_one_accuracy"].call_args.args[3], np.concatenate(units))
    for what in ("speaker", "units"):
        kinds = {f"{what}_heard_in_{kind}_percent" for kind in ("real", "rebuilt", "converted")}
        assert kinds | {f"{what}_chance_percent"} < found.keys()
    assert 0 < found["bits_per_code"] < 8 and found["bits_per_code_of_uniform_codes"] == 5
    kinds = {"rebuilt", "converted", "invented", "uniform_codes"}
    ((_, spoken),) = [each.args for each in watched["speak_kinds"].call_args_list[1:]]
    assert {len(its) for its in spoken.values()} == {1} and spoken.keys() == kinds
    assert len({str(its[0].codes) for its in spoken.values()}) == 3, "converted ones have the codes of the rebuilt"
    real, *_ = run.data.examples("test", 1)
    assert [spoken[kind][0].speaker for kind in sorted(kinds)] == [1 - real.speaker, *3 * [real.speaker]]
    asked = watched["heard_beside_chance"].call_args.args[1]
    for kind, (_, its) in asked.items():
        assert [each.speaker for each in its] == [1 - real.speaker if kind == "converted" else real.speaker]
    assert {f"frechet_distance_of_{kind}" for kind in kinds} < found.keys()
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"training/converted.png", "converted.png", "codes.png"}
    real = next(run.data.examples("test"))
    np.testing.assert_allclose(heard(tmp_path / "sounds" / "test_0_real.wav"), real.waveform, atol=1e-4)
    for kind in ("rebuilt", "converted"):
        assert len(heard(tmp_path / "sounds" / f"test_0_{kind}.wav")) == len(real.waveform)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"encode", "score", "sample"} and card["samples_per_code"] == 8
    assert {"decode", "decode_from_noise", "convert", "step", "sample_from_noise"} < offered
    assert 4 < card["measured"]["model.tflite"]["bits_per_sample"] < 9
    # A recording of one's own, at any rate, in a voice that is known.
    import soundfile

    own = np.sin(np.arange(2000) / 3).astype("float32") / 2
    soundfile.write(tmp_path / "own.wav", own, 8000)
    run = later(run, recording=str(tmp_path / "own.wav"), speaker="speaker 1")
    recipe.sample(run)
    assert len(heard(tmp_path / "sounds" / "sample_1.wav")) == 1000
    assert "sounds/sample_1.wav, invented_1.wav: as speaker 1" in capsys.readouterr().out
    calls = [each for name in ("speak_kinds", "convert", "invent") for each in watched[name].call_args_list]
    assert [each.kwargs["temperature"] for each in calls] == 4 * [0.9]
    assert len(heard(tmp_path / "sounds" / "invented_1.wav")) == 400
    assert (tmp_path / "pictures" / "invented.png").exists()
    with pytest.raises(ValueError, match="--speaker: there is no 'x'"):
        recipe.sample(later(run, speaker="x"))


@pytest.mark.slow
def test_resumes_inside_the_second_epoch(tmp_path, short_speech):
    def start(workdir):
        return a_run(workdir, short_speech, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    def both(run):
        recipe.train(run)
        recipe.prior(run)

    check_resumes(start, both, tmp_path, cuts=(5,))
