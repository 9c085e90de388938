import dataclasses
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from recipes import handwriting_synthesis as recipe
from tests.resume import check_same_checkpoints
from toolkit import training

TINY = {
    "data": "embedded:60",
    "units": 8,
    "num_layers": 2,
    "num_mixtures": 3,
    "num_gaussians": 2,
    "epochs": 2,
    "batch_size": 16,
    "max_points": 260,
    "text": "as",
    "num_samples": 2,
}


def settings(workdir, **how):
    return recipe.Settings(workdir=str(workdir), **(TINY | how))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = training.Run(settings(tmp_path_factory.mktemp("run")), "handwriting_synthesis", load=recipe.load)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.write):
        phase(run)
    return run


def test_numbers_and_pictures(run):
    metrics = json.loads((run.workdir / "metrics.json").read_text())
    scale = np.asarray(run.load().get_layer("standardize").scale)
    assert set(metrics) == {
        "log_loss_nats_per_point",
        "log_loss_nats_per_sequence",
        "log_loss_nats_per_point_pen_units",
        "squared_error_per_point",
        "squared_error_per_point_pen_units",
        "lines_that_ended_percent",
    }
    np.testing.assert_allclose(
        metrics["log_loss_nats_per_point_pen_units"] - metrics["log_loss_nats_per_point"],
        np.log(scale[:2]).sum(),
        rtol=1e-5,
    )
    low, high = sorted(scale[:2] ** 2)
    ratio = metrics["squared_error_per_point_pen_units"] / metrics["squared_error_per_point"]
    assert low <= ratio <= high
    pictures = {path.name for path in (run.workdir / "pictures").rglob("*.png")}
    assert pictures == {
        "lines.png",
        "window_on_a_real_line.png",
        "line.png",
        "line_from_tflite.png",
        "window.png",
        "biases.png",
        "primed.png",
        "density.png",
        "mixture_weights.png",
    }
    assert (run.workdir / "pictures" / "line.svg").read_text().startswith("<?xml")


def test_log_loss_is_the_models(run):
    """The printed nats a point, against the network run by hand over the test lines."""
    model, test = run.load(), recipe.load(run.settings).test
    mean, scale = (np.asarray(weight) for weight in model.get_layer("standardize").weights)
    nats, points, sequences = 0.0, 0, 0
    for line in test.dataset(num_epochs=1).as_numpy_iterator():
        params = model((line["offsets"], line["text"]))
        log_prob = model.get_layer("density").distribution.log_prob(params, (line["offsets"] - mean) / scale)
        nats -= np.asarray(log_prob)[line["mask"]].sum()
        points, sequences = points + line["mask"].sum(), sequences + len(line["mask"])
    metrics = json.loads((run.workdir / "metrics.json").read_text())
    np.testing.assert_allclose(metrics["log_loss_nats_per_point"], nats / points, rtol=1e-4)
    np.testing.assert_allclose(metrics["log_loss_nats_per_sequence"], nats / sequences, rtol=1e-4)


def test_exported_whole(run):
    card = json.loads((run.workdir / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"generate", "generate_from_noise", "step", "score"}
    metrics = json.loads((run.workdir / "metrics.json").read_text())
    for name in ("saved_model", "model.tflite"):
        measured = card["measured"][name]["log_loss_nats_per_point"]
        np.testing.assert_allclose(measured, metrics["log_loss_nats_per_point"], rtol=1e-4)
    shapes = {key: value["shape"] for key, value in card["signatures"]["generate"]["inputs"].items()}
    assert shapes == {"text": [1, 64], "bias": [1]}
    assert card["signatures"]["generate"]["outputs"]["strokes"]["shape"] == [1, 700, 3]


def test_priming(tmp_path, run):
    """By a writer of the data, and by strokes in a file as the recipe itself writes."""
    assert len(json.loads((run.workdir / "pictures" / "line.json").read_text())["lines"]) == TINY["num_samples"]
    test = recipe.data.strokes.read("embedded:60", seed=0, text=True)[2]
    line = tmp_path / "line.json"  # a network of so little training may write what is no pen's
    recipe.data.strokes.write_file(line, test[:1])
    assert recipe.primer(settings(run.workdir, style=test[0].writer))[1] in {one.text for one in test}
    with pytest.raises(ValueError, match=r"--style=nobody: expected a writer of embedded:60: .*writer"):
        recipe.primer(settings(run.workdir, style="nobody"))
    offsets, text = recipe.primer(settings(run.workdir, prime_strokes=str(line), prime_text="as"))
    assert text == "as" and offsets.shape[1] == 3
    with pytest.raises(ValueError, match="--text must have at most 1,000 characters"):
        settings(run.workdir, text="a" * 1001)
    with pytest.raises(ValueError, match="go together"):
        settings(run.workdir, prime_strokes=str(line))
    with pytest.raises(ValueError, match="exclude each other"):
        settings(run.workdir, prime_strokes=str(line), prime_text="as", style="writer 1")


@pytest.mark.slow
def test_goes_on_from_a_trained_network(tmp_path, run):
    """Its weights, at first, but for what is measured on the new data; and only on data such as it has learned."""
    recorded = tmp_path / "recordings.json"
    strokes = [[[0, 0], [3, -9], [6, -20]], [[9, 0], [14, -8]]]
    recorded.write_text(json.dumps({"lines": [{"text": "as", "strokes": strokes}] * 4}))

    def start(name, **how):
        how = {"data": f"json:{recorded}", "start_from": str(run.workdir), "points_per_character": 10.0} | how
        return training.Run(settings(tmp_path / name, **how), "handwriting_synthesis", load=recipe.load)

    begun = start("begun", epochs=1, learning_rate=1e-12)
    recipe.train(begun)
    before, after = ({w.path: np.asarray(w) for w in each.load().weights} for each in (run, begun))
    for path, weight in before.items():
        if path != "standardize/scale" and path != "standardize/mean":
            np.testing.assert_allclose(after[path], weight, atol=1e-9, err_msg=path)
    assert not np.allclose(after["standardize/scale"], before["standardize/scale"])
    measured = next(iter(begun.data.train.dataset(num_epochs=1)))["offsets"][0, :, :2]
    np.testing.assert_allclose(after["standardize/scale"][:2], np.std(measured, axis=0), rtol=1e-5)
    for how, message in (
        (
            {"points_per_character": 20.0},
            "has learned characters of .* those of --data have 20.*--points_per_character=",
        ),
        ({"units": 9}, "--start_from=.* holds a network of other sizes"),
        ({"alphabet": recipe.ALPHABET.replace("z", "é")}, "--start_from=.* knows other characters. Give --alphabet="),
        ({"start_from": str(tmp_path / "none")}, "none"),
    ):
        with pytest.raises(ValueError, match=message):
            recipe.train(start(f"wrong{len(message)}", **how))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [{"weight_noise": 0.075}, {"adaptive_weight_noise": True}])
def test_the_papers_training(tmp_path, noise):
    how = {"optimizer": "rmsprop", "peepholes": True, "learning_rate": 0.003, "epochs": 1}
    run = training.Run(settings(tmp_path, **how, **noise), "handwriting_synthesis", load=recipe.load)
    recipe.train(run)
    recipe.evaluate(run)
    assert np.abs(run.load().get_layer("window").cell.peephole_kernel).max() > 0
    assert json.loads((tmp_path / "metrics.json").read_text())["log_loss_nats_per_point"] < 4.0
    if "weight_noise" in noise:
        recipe.export(run)
        assert (tmp_path / "export" / "model.tflite").exists()
    with pytest.raises(ValueError, match="exclude each other"):
        settings(tmp_path, weight_noise=0.1, adaptive_weight_noise=True)


@pytest.mark.slow
def test_sigkill_then_the_same_command_ends_bit_for_bit_the_same(tmp_path):
    """Killed at the first checkpoint of a process, and again some steps later."""
    sizes = TINY | {"epochs": 4, "checkpoint_minutes": 0.0}
    whole = training.Run(settings(tmp_path / "whole", **sizes), "handwriting_synthesis", load=recipe.load)
    recipe.train(whole)
    flags = [f"--{name}={value}" for name, value in sizes.items()]
    command = [sys.executable, "-m", "recipes.handwriting_synthesis", f"--workdir={tmp_path / 'cut'}", "--mode=train"]
    latest = tmp_path / "cut" / "checkpoints" / "model" / "latest.npz"
    for attempt in range(3):
        before = latest.stat().st_mtime_ns if latest.exists() else 0
        process = subprocess.Popen([*command, *flags], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        if attempt < 2:
            while process.poll() is None and (not latest.exists() or latest.stat().st_mtime_ns == before):
                time.sleep(0.01)
            time.sleep(0.2 * attempt)
            process.send_signal(signal.SIGKILL)
        errors = process.communicate()[1].decode()
        assert process.returncode == (-signal.SIGKILL if attempt < 2 else 0), errors
    assert "goes on at step" in errors
    check_same_checkpoints(tmp_path / "whole", tmp_path / "cut")


def test_check_data(tmp_path, capsys):
    checked = training.Run(settings(tmp_path, mode="check_data"), "handwriting_synthesis", load=recipe.load)
    recipe.check_data(checked)
    assert "Ready: " in capsys.readouterr().out
    found = json.loads((tmp_path / "data_check.json").read_text())
    splits = recipe.load(checked.settings)
    assert found["lines"]["kept"]["train"] == splits.train.num_examples
    assert {"first_of_train.png", "points.png"} <= {path.name for path in (tmp_path / "pictures" / "data").iterdir()}
    checked.close()
    none = training.Run(settings(tmp_path, mode="check_data", max_points=20), "handwriting_synthesis", load=recipe.load)
    with pytest.raises(ValueError, match="none has at most --max_points=20"):
        recipe.check_data(none)
    assert "NOT READY" in capsys.readouterr().out


def test_bad_input(tmp_path, run):
    for how, message in (
        ({"text": "naïve"}, "characters outside the model's alphabet: 'ï'"),
        ({"text": ""}, "The text is empty"),
    ):
        asked = dataclasses.replace(run.settings, **how)
        other = training.Run.__new__(training.Run)
        other.__dict__.update({**run.__dict__, "settings": asked})
        with pytest.raises(ValueError, match=message):
            recipe.sample(other)
        with pytest.raises(ValueError, match=message):
            recipe.train(other)
        with pytest.raises(ValueError, match=message):
            recipe.write(other)
    asked = dataclasses.replace(run.settings, text="a" * 64)
    other.__dict__["settings"] = asked
    with pytest.raises(ValueError, match="64 characters; this model takes at most 63"):
        recipe.write(other)
    other.__dict__["workdir"] = tmp_path
    with pytest.raises(ValueError, match="holds no export. Train first: --mode=all"):
        recipe.write(other)
    with pytest.raises(ValueError, match="characters outside --alphabet"):
        recipe.load(settings(tmp_path, alphabet="abc"))
