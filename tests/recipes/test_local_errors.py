import csv
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from recipes import local_errors as recipe
from tests.resume import check_resumes
from toolkit import methods, models, training
from toolkit.export.interpreter import tflite_caller

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = {
    "data": "embedded:200",
    "width": 4,
    "units": 8,
    "decoder_size": 64,
    "projection_size": 16,
    "epochs": 1,
    "batch_size": 16,
    "max_measured": 20,
    "export_size": "",
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "local_errors", load=recipe.load)


def test_all_phases(tmp_path, capsys):
    run = a_run(tmp_path, quantize="int8", cutout=4)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["error_percent"] == pytest.approx(100 - found["top_1_accuracy_percent"])
    assert {f"block_{number}_accuracy_percent" for number in range(1, 8)} <= set(found)
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures == {"blocks.png", "similarities.png", "by_block.png", "data/classes.png"}
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["measured"]) == {"saved_model", "model.tflite", "model_int8.tflite"}
    # The file says what Keras says, and holds nothing of the blocks' own errors.
    classifier = models.image_classifier.classifier(run.load())
    images, _ = next(run.data.blocks("test", 10))
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    answers = np.concatenate([call("classify", image=image[None])["probabilities"] for image in images])
    np.testing.assert_allclose(answers, methods.classification.probabilities(classifier, images), atol=1e-5)
    num_weights = sum(int(np.prod(weight.shape)) for weight in classifier.trainable_variables)
    assert (tmp_path / "export" / "model.tflite").stat().st_size < 4 * num_weights + 40_000
    Image.fromarray(np.full((40, 30, 3), 200, "uint8")).save(tmp_path / "mine.png")
    capsys.readouterr()
    run.close()
    recipe.sample(a_run(tmp_path, quantize="int8", cutout=4, images=str(tmp_path / "mine.png")))
    assert "mine.png: " in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"loss": "global", "precision": "mixed_float16"},
        {"loss": "predsim", "precision": "mixed_float16"},
        {"loss": "predsim-bpf", "precision": "mixed_bfloat16", "architecture": "vgg11b"},
        {"loss": "sim-bpf", "one_pass": True},
        {"loss": "pred", "architecture": "mlp", "image_size": 8},
        {"loss": "sim", "data": "embedded:shapes:100", "image_size": 20, "flip": True},
    ],
    ids=lambda how: " ".join(map(str, how.values())),
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how)
    for phase in (recipe.train, recipe.evaluate, recipe.sample):
        phase(run)
    assert 0 <= run.metrics()["error_percent"] <= 100
    run.close()


@pytest.mark.slow
def test_two_devices_train(tmp_path):
    """In a process of its own, in which TensorFlow has not counted its devices yet."""
    flags = [f"--{name}={value}" for name, value in TINY.items()]
    flags += ["--loss=pred-bpf", "--strategy=mirrored", "--num_replicas=2", "--mode=train", f"--workdir={tmp_path}"]
    subprocess.run([sys.executable, "-m", "recipes.local_errors", *flags, "--steps_per_epoch=2"], cwd=ROOT, check=True)
    assert (tmp_path / "checkpoints" / "model" / "best.npz").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("one_pass", [False, True])
def test_resumes_inside_the_second_epoch(tmp_path, one_pass):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3, one_pass=one_pass, cutout=4)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


@pytest.mark.slow
def test_compare_is_a_table_of_losses_and_seeds(tmp_path):
    how = {"architecture": "mlp", "image_size": 8, "num_seeds": 2, "steps_per_epoch": 2, "engine": "here"}
    run = a_run(tmp_path, losses="global,sim", **how)
    recipe.compare(run)
    with open(tmp_path / "tables" / "losses.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["loss"], row["seed"]) for row in rows] == [(a, b) for a in ("global", "sim") for b in "01"]
    with open(tmp_path / "tables" / "intervals.csv", encoding="utf-8") as file:
        found = {row["loss"]: row for row in csv.DictReader(file)}
    of_global = [float(row["error_percent"]) for row in rows[:2]]
    assert set(found) == {"global", "sim"}
    assert float(found["global"]["error_percent"]) == pytest.approx(np.mean(of_global))
    assert (tmp_path / "pictures" / "losses.png").is_file()
    run.close()


def test_memory_is_a_table_by_depth(tmp_path, monkeypatch):
    def peak(way, depth, filters, image_size, batch_size):
        assert (filters, image_size, batch_size) == (4, 16, 16)
        return 10.0 * depth if way == "back-propagation" else 20.0

    monkeypatch.setattr(methods.training_memory, "peak_memory", peak)
    recipe.memory(a_run(tmp_path))
    with open(tmp_path / "tables" / "memory.csv", encoding="utf-8") as file:
        rows = {row["way"]: row for row in csv.DictReader(file)}
    assert [float(rows["back-propagation"][depth]) for depth in ("2", "4", "8", "16")] == [20, 40, 80, 160]
    assert (tmp_path / "pictures" / "memory.png").is_file()


def test_the_published_steps():
    rates = recipe.step_sizes(recipe.Settings(learning_rate=0.4), 400)
    found = [round(float(rates(step)), 5) for step in (0, 200, 201, 300, 301, 356, 357, 376, 377, 399)]
    assert found == [0.4, 0.4, 0.1, 0.1, 0.025, 0.025, 0.00625, 0.00625, 0.00156, 0.00156]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"image_size": 8}, "--image_size=8: vgg8b halves its maps four times; expected at least 16"),
        ({"cutout": 17}, "--cutout=17: expected at most --image_size=16"),
        ({"batch_size": 1}, "--batch_size=1: what images of a batch have in common needs two"),
        ({"loss": "best"}, "--loss must be one of global, pred, sim, .*best"),
        ({"losses": ""}, "--losses: '' is none of global"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path, how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir=str(tmp_path), **(TINY | how))
