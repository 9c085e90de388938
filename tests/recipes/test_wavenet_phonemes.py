import csv
import dataclasses
import json
from unittest import mock

import numpy as np
import pytest

from recipes import wavenet_phonemes as recipe
from tests.data.audio.sounds import noise, takes, write
from tests.resume import check_resumes
from toolkit import data, training

TINY = {
    "data": "embedded:0.5:2",
    "window": 1000,
    "num_layers": 3,
    "filters": 8,
    "skip_filters": 8,
    "num_frame_layers": 1,
    "frame_filters": 8,
    "epochs": 1,
    "linear_epochs": 1,
    "max_seconds": 0.5,
    "max_measured": 2,
}


def a_run(workdir, **how):
    settings = recipe.Settings(workdir=str(workdir), **(TINY | how))
    return training.Run(settings, "wavenet_phonemes", load=recipe.load)


def later(run, **changed):
    run.close()
    return training.Run(dataclasses.replace(run.settings, **changed), "wavenet_phonemes", load=recipe.load)


def frames(row):
    return round((float(row["end_seconds"]) - float(row["start_seconds"])) / 0.01)


def test_all_phases(tmp_path, capsys, monkeypatch):
    compiled = mock.Mock(wraps=recipe.methods.unit_recognition.compiled)
    monkeypatch.setattr(recipe.methods.unit_recognition, "compiled", compiled)
    whole, measured = recipe.serving.wavenet_recognizer.wavenet_recognizer, []

    def offered(model, **how):
        measured.extend(how.pop("measured"))
        return whole(model, measured=measured, **how)

    monkeypatch.setattr(recipe.serving.wavenet_recognizer, "wavenet_recognizer", offered)
    run = a_run(tmp_path, sample_loss_weight=0.3, steps_per_epoch=20)  # all of them full
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    for start in ("linear_", ""):
        assert 0 < found[f"{start}frame_accuracy_percent"] < 100 and found[f"{start}unit_error_rate_percent"] > 0
    assert 4 < found["bits_per_sample"] < 9
    assert compiled.call_args_list[0].args[2:] == (0.3,)
    linear, tests = run.load("linear"), list(run.data.examples("test"))
    assert "convolution_1" not in {layer.name for layer in linear.layers}
    said = [each.units[40::80][: len(each.units) // 80] for each in tests]
    right = [linear(each.waveform[None])["units"][0, : len(its)] for each, its in zip(tests, said, strict=True)]
    right = np.concatenate([np.argmax(each, axis=-1) for each in right]) == np.concatenate(said)
    assert found["linear_frame_accuracy_percent"] == pytest.approx(100 * right.mean())
    most = np.bincount(np.concatenate([each.units for each in run.data.examples("train")])).argmax()
    assert found["frame_chance_percent"] == pytest.approx(100 * np.mean(np.concatenate(said) == most))
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {
        "training/heard.png",
        "confusion.png",
        "heard.png",
        "sample.png",
        "data/recordings.png",
        "data/seconds.png",
    }
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"classify"} and card["samples_per_frame"] == 80
    assert card["inventory"]["speakers"] == ["speaker 0", "speaker 1"] and card["units"] == card["inventory"]["units"]
    assert 0 <= card["measured"]["model.tflite"]["frame_accuracy"] <= 1
    for its, each in zip(measured, run.data.examples("test", 2), strict=True):
        np.testing.assert_array_equal(
            its["units"][: len(each.units) // 80], each.units[40::80][: len(each.units) // 80]
        )
    # Files of one's own, at another rate and of several channels, from where they begin to where they end.
    paths = [write(tmp_path / f"{name}.wav", np.repeat(noise(9000), 2), 16000) for name in ("one", "two, three")]
    run = later(run, recordings=", ".join(map(str, paths)))
    recipe.sample(run)
    heard = run.load()(data.audio.read(paths[0], 8000)[None])["units"][0]
    with open(tmp_path / "tables" / "sample.csv", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["recording"] == str(paths[0])]
    names = np.repeat([row["unit"] for row in table], [frames(row) for row in table])
    assert names.tolist() == [card["units"][unit] for unit in np.asarray(heard).argmax(axis=-1)]
    assert "two, three.wav" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="--recordings: .*none.wav"):
        recipe.sample(later(run, recordings=str(tmp_path / "none.wav")))
    short = write(tmp_path / "short.wav", noise(79))
    with pytest.raises(ValueError, match="short.wav has 79 samples: less than a frame, --hop=80"):
        recipe.sample(later(run, recordings=str(short)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [{"precision": "mixed_float16"}, {"precision": "mixed_bfloat16", "kernel_size": 3, "num_frame_layers": 0}],
    ids=lambda how: how["precision"],
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how, steps_per_epoch=3)
    recipe.train(run), recipe.evaluate(run)
    assert np.isfinite(list(json.loads((tmp_path / "metrics.json").read_text()).values())).all()


@pytest.mark.slow
def test_resumes_inside_the_second_epoch(tmp_path):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3, linear_epochs=1)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


def test_what_cannot_be_trained_is_said_before(tmp_path):
    with pytest.raises(ValueError, match="--window=70 holds no frame of --hop=80 samples"):
        recipe.load(recipe.Settings(workdir="w", window=70))
    for number in range(9):
        write(tmp_path / "sounds" / f"{number}.wav", noise(900), 8000)
    with pytest.raises(ValueError, match="does not say which unit is spoken when"):
        recipe.load(recipe.Settings(workdir="w", **(TINY | {"data": f"folder:{tmp_path / 'sounds'}"})))
    takes(tmp_path / "digits")
    write(tmp_path / "digits" / "x_a_9.wav", noise(50))
    with pytest.raises(ValueError, match="x_a_9.wav has 50 samples: less than a frame, --hop=80"):
        recipe.load(recipe.Settings(workdir="w", **(TINY | {"data": f"fsdd:{tmp_path / 'digits'}"})))
