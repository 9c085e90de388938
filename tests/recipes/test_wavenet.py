import dataclasses
import json
from unittest import mock

import numpy as np
import pytest

from recipes import wavenet as recipe
from tests.resume import check_resumes
from toolkit import data, models, training
from toolkit.data.audio import files

TINY = {
    "data": "embedded:0.5:2",
    "sample_rate": 4000,
    "window": 1000,
    "num_layers": 2,
    "filters": 8,
    "skip_filters": 8,
    "batch_size": 13,  # so that every batch of `short_speech` is full, and none is traced anew
    "epochs": 1,
    "judge_epochs": 1,
    "num_judged": 2,
    "max_seconds": 0.05,
    "max_measured": 2,
    "num_samples": 2,
    "seconds": 0.3,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "wavenet", load=recipe.load)


def later(run, **changed):
    run.close()
    return training.Run(dataclasses.replace(run.settings, **changed), "wavenet", load=recipe.load)


def heard(path):
    waveform, rate = files.decode(path)
    assert rate == 4000
    return waveform[:, 0]


def test_all_phases(tmp_path, short_speech, capsys, monkeypatch):
    speak = mock.Mock(wraps=recipe.generation.speaking.speak)
    monkeypatch.setattr(recipe.generation.speaking, "speak", speak)
    run = a_run(tmp_path, data=short_speech, temperature=0.9)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert 4 < found["bits_per_sample"] < 9
    np.testing.assert_allclose(found["nats_per_sample"], found["bits_per_sample"] * np.log(2))
    others = [found[f"bits_per_sample_of_{what}"] for what in ("another_speaker", "units_backwards")]
    assert len({found["bits_per_sample"], *others}) == 3
    # As training goes on the sound is as the network expects it, afterwards as it is asked for.
    assert [each.kwargs.get("temperature", 1.0) for each in speak.call_args_list] == [1.0, 0.9, 0.9]
    for what in ("speaker", "units"):
        assert {f"{what}_heard_in_real_percent", f"{what}_heard_in_written_percent"} < found.keys()
        assert 0 < found[f"{what}_chance_percent"] < 100
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"training/written.png", "written.png", "sample.png", "data/recordings.png"}
    real = next(run.data.examples("test"))
    np.testing.assert_allclose(heard(tmp_path / "sounds" / "test_0_real.wav"), real.waveform, atol=1e-4)
    assert len(heard(tmp_path / "sounds" / "test_0_written.wav")) == len(real.waveform)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"generate", "generate_from_noise", "step", "score", "read_units"}
    assert card["inventory"]["speakers"] == ["speaker 0", "speaker 1"]
    assert "sounds/sample_0.wav: speaker 0" in capsys.readouterr().out
    # The exported file says what is asked, and not what it cannot.
    run = later(run, units="m", speaker="speaker 1", seconds=0.04)
    with mock.patch.object(recipe.SpeechFile, "write", autospec=True, side_effect=recipe.SpeechFile.write) as write:
        recipe.write(run)
    assert write.call_args.kwargs["temperature"] == 0.9
    assert len(heard(tmp_path / "sounds" / "written_from_tflite_1.wav")) == 160
    with pytest.raises(ValueError, match="0.06 s: this model writes more than 0 and at most 0.05 s"):
        recipe.write(later(run, seconds=0.06))


def test_what_is_asked_for(tmp_path, monkeypatch):
    """Speakers, units and lengths as they reach the network."""
    asked = []

    def speak(generator, sounds, **how):
        asked.append((sounds, how))
        return [np.ones(len(each.units)) / 2 for each in sounds]

    monkeypatch.setattr(recipe.generation.speaking, "speak", speak)
    run = a_run(tmp_path, num_states=2, seconds=None)
    inventory = run.data.inventory
    network = recipe.network(run.settings, inventory)
    assert network.get_layer("unit_embedding").input_dim == 2 * len(inventory["units"])
    monkeypatch.setattr(type(run), "load", lambda *_, **__: network)
    real = next(run.data.examples("test", 1)).cut(2000)
    data_path = tmp_path / "prime.wav"
    import soundfile

    soundfile.write(data_path, real.waveform, 4000)
    how = {"units": "m a", "speaker": "speaker 1", "num_samples": 3, "temperature": 0.7, "sample_seed": 5}
    recipe.sample(later(run, **how, prime=str(data_path), prime_units="_ a"))
    ((sounds, how),) = asked
    assert (how["temperature"], how["seed"]) == (0.7, 5)
    expected = data.audio.tracks.track(["m", "a"], inventory)
    assert [each.speaker for each in sounds] == [1, 1, 1]
    for each in sounds:
        np.testing.assert_array_equal(each.units, expected)
    np.testing.assert_array_equal(how["primer_units"], data.audio.tracks.track(["_", "a"], inventory, 2000))
    written = heard(tmp_path / "sounds" / "sample_2.wav")
    assert len(written) == 2000 + len(expected) and (np.abs(written[2000:] - 0.5) < 1e-3).all()
    recipe.sample(later(run, seconds=0.1, units="a", speaker="", prime="", prime_units="", num_samples=3))
    assert [(each.speaker, len(each.units)) for each in asked[-1][0]] == [(0, 400), (1, 400), (0, 400)]
    # The judge knows whole units, and not the parts of them that the network is told.
    judge = mock.Mock(return_value={})
    monkeypatch.setattr(recipe.methods.speech_classification, "heard_beside_chance", judge)
    recipe.judged(run, network, run.data)
    assert judge.call_args.args[2] == 2
    for wrong, told in (
        ({"units": "mm"}, "--units: there is no 'mm'. Did you mean 'm'"),
        ({"units": "m", "speaker": "speaker"}, "--speaker: there is no 'speaker'. Did you mean 'speaker"),
        ({"units": ""}, "--units: what is to be said. There are: _ a e"),  # nothing was trained here, no data counts
    ):
        with pytest.raises(ValueError, match=told):
            recipe.sample(later(run, **wrong))


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"condition": "none", "precision": "mixed_float16"},
        {"condition": "speaker", "precision": "mixed_bfloat16", "ema_momentum": 0.9},
        {"condition": "units", "output": "logistic_mixture", "num_mixtures": 2, "kernel_size": 3, "num_states": 3},
    ],
    ids=lambda how: how["condition"],
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how, steps_per_epoch=3)
    recipe.train(run), recipe.evaluate(run), recipe.sample(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert np.isfinite(found["bits_per_sample"])
    told = {name.partition("_")[0] for name in found if "heard" in name}
    assert told == {"none": set(), "speaker": {"speaker"}, "units": {"units"}}[how["condition"]]


@pytest.mark.slow
def test_resumes_inside_the_second_epoch(tmp_path):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3, ema_momentum=0.9)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"condition": "speaker", "units": "a"}, "--units=a is nothing that a network of --condition=speaker reads"),
        ({"condition": "none", "speaker": "x"}, "--speaker=x is nothing that a network of --condition=none reads"),
        ({"prime": "x.wav"}, "--prime=FILE and --prime_units, what is said in it, go together"),
        ({"condition": "none", "prime_units": "a"}, "go together"),
        ({"num_layers": 5, "num_stacks": 2}, "--num_layers=5 must be --num_stacks=2 times 1 to 24 blocks"),
        ({"held_out": 0.5}, "--held_out=0.5: expected a share over 0 and under 0.5"),
    ],
)
def test_bad_settings(how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir="w", **how)
    assert recipe.Settings(workdir="w", condition="none", prime="x.wav").told == ()


def test_what_cannot_be_trained_is_said_before(tmp_path):
    from tests.data.audio.sounds import noise, write

    for number in range(9):
        write(tmp_path / "sounds" / f"{number}.wav", noise(900), 8000)
    with pytest.raises(ValueError, match="has no units: --condition=speaker or none"):
        recipe.load(recipe.Settings(workdir="w", data=f"folder:{tmp_path / 'sounds'}"))
    with pytest.raises(ValueError, match="--window=1000 samples: expected more than the 1023 before"):
        recipe.load(recipe.Settings(workdir="w", window=1000))
    assert models.wavenet.receptive_field(recipe.Settings(workdir="w").dilations) == 1024
