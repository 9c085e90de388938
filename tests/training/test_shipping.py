import json

import keras
import numpy as np
import pytest

from recipes import handwriting_synthesis as recipe
from toolkit import training
from toolkit.training import phases, shipping

TINY = {"data": "embedded:60", "units": 8, "num_layers": 2, "num_mixtures": 3, "num_gaussians": 2, "epochs": 1}
TINY |= {"batch_size": 16, "max_points": 260, "text": "as", "num_samples": 2}


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A tiny run, shipped; the folder of all shipped models."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("saved_models")
    patch.setattr(shipping, "FOLDER", folder)
    (folder / "handwriting_synthesis" / "demo").mkdir(parents=True)
    (folder / "handwriting_synthesis" / "demo" / "index.html").touch()
    settings = recipe.Settings(workdir=str(tmp_path_factory.mktemp("run")), **TINY)
    run = training.Run(settings, recipe="handwriting_synthesis")
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.write, recipe.ship):
        phase(run)
    yield run, folder / "handwriting_synthesis"
    run.close()
    patch.undo()


def test_whole_and_beside_what_was_there(shipped):
    run, folder = shipped
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.keras", "model.tflite", "saved_model", "card.json", "card.md", "pictures", "demo"}
    assert (folder / "demo" / "index.html").exists()
    card = json.loads((folder / "card.json").read_text())
    assert card["settings"]["units"] == 8 and card["metrics"] == json.loads((run.workdir / "metrics.json").read_text())
    for line in (folder / "card.md").read_text().splitlines():
        if line.startswith("!["):
            assert (folder / line.split("(")[1].rstrip(")")).exists()
    assert (folder / "pictures" / "training.png").exists()
    assert str(run.workdir) not in json.dumps(card["settings"])
    assert [path.name for path in folder.parent.iterdir()] == ["handwriting_synthesis"]


def test_stands_in_where_nothing_was_trained(shipped, tmp_path):
    trained, folder = shipped
    run = training.Run(recipe.Settings(workdir=str(tmp_path), **TINY), "handwriting_synthesis", stand_in=folder)
    one, other = recipe.trained(trained), recipe.trained(run)
    for left, right in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(left, right)
    assert run.exported == folder
    whole = keras.saving.load_model(folder / "model.keras")
    np.testing.assert_array_equal(whole.weights[-1], one.weights[-1])
    alone = training.Run(recipe.Settings(workdir=str(tmp_path / "alone"), **TINY), "handwriting_synthesis")
    with pytest.raises(ValueError, match="holds no trained"):
        recipe.trained(alone)
    with pytest.raises(ValueError, match="holds no export"):
        _ = alone.exported


def flags(tmp_path, monkeypatch, **given):
    from absl import flags

    monkeypatch.chdir(tmp_path)
    values = flags.FlagValues()
    training.settings.define_flags(recipe.Settings, ("all", "train", "sample"), values, "recipe")
    values(["recipe", *(f"--{name}={value}" for name, value in given.items())])
    return phases.settings_from_flags(recipe.Settings, values, "handwriting_synthesis")


def test_flags_are_those_of_the_shipped_model(shipped, tmp_path, monkeypatch):
    settings = flags(tmp_path, monkeypatch, mode="sample", text="abc")
    assert (settings.units, settings.data, settings.text) == (8, "embedded:60", "abc")
    assert flags(tmp_path, monkeypatch, mode="train").units == recipe.Settings(workdir="x").units
    assert flags(tmp_path, monkeypatch, mode="sample", workdir="own").units == recipe.Settings(workdir="x").units
    with pytest.raises(ValueError, match="was made with --units=8, not 9"):
        flags(tmp_path, monkeypatch, mode="sample", units=9)


def test_the_command_is_the_last_that_trained(tmp_path):
    class Run:
        workdir = tmp_path

    commands = [
        ["", "python -m recipes.x --mode=train --workdir=/a/b --epochs=18"],
        ["", "python -m recipes.x --workdir=/a/b --epochs=14"],
        ["", "python -m recipes.x --workdir=/a/b --mode=sample"],
    ]
    (tmp_path / "settings.json").write_text(json.dumps({"commands": commands}))
    assert shipping._trained_by(Run) == "python -m recipes.x --epochs=14"


def test_without_pictures_nothing_is_shipped(shipped, tmp_path):
    run, folder = shipped
    before = (folder / "card.json").read_bytes()
    with pytest.raises(ValueError, match=r"nothing\.png missing"):
        training.ship(run, recipe.trained(run), ["nothing"], curve="loss")
    assert (folder / "card.json").read_bytes() == before
