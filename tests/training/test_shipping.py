"""Shipping a run: whole, beside what was there, and standing in where nothing was trained."""

import json

import numpy as np
import pytest

from tests.training import shapes
from toolkit.export import signature
from toolkit.serving.served import Served
from toolkit.training import Run, shipping


def train(run):
    shapes.two_stages(run)
    shapes.two_optimizers(run)


def export(run):
    model = run.load("first")
    call = signature(lambda x: {"y": model(x)}, x=((1, 3), "float32", "metres"))
    run.export(Served(signatures={"run": call}, trackables=(model,)), description="One of two.")


@pytest.fixture(scope="module", name="shipped")
def shipped_run(tmp_path_factory):
    """A tiny run, shipped, and its folder among the shipped models."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("saved_models")
    patch.setattr(shipping, "FOLDER", folder)
    (folder / "example" / "demo").mkdir(parents=True)
    (folder / "example" / "demo" / "index.html").touch()
    settings = shapes.Example(workdir=str(tmp_path_factory.mktemp("run")), units=5, note="On a Thursday.")
    run = Run(settings, recipe="example")
    train(run)
    run.report({"error_mm": 1.0})
    run.picture("grid", np.zeros((4, 5, 3), "uint8"))
    run.picture("training/grid", np.zeros((4, 5, 3), "uint8"))
    with pytest.raises(ValueError, match="has nothing to ship. First: --mode=all"):
        shipping.ship(run)
    export(run)
    yield run, shipping.ship(run)
    run.close()
    patch.undo()


def test_whole_and_beside_what_was_there(shipped):
    run, folder = shipped
    names = {path.name for path in folder.iterdir()}
    networks = {"first.keras", "second.keras", "model__maker.keras", "model__judge.keras"}
    assert names == {*networks, "model.tflite", "card.json", "card.md", "pictures", "demo"}
    assert (folder / "demo" / "index.html").exists()
    card = json.loads((folder / "card.json").read_text())
    assert card["settings"]["units"] == 5 and card["metrics"] == {"error_mm": 1.0}
    assert card["Training"] == "On a Thursday." and "--mode" not in card["command"]
    shown = [
        line.split("(")[1].rstrip(")") for line in (folder / "card.md").read_text().splitlines() if line[:2] == "!["
    ]
    assert shown == ["pictures/grid.png", "pictures/training.png"]
    assert all((folder / path).exists() for path in shown)
    assert str(run.workdir) not in json.dumps(card["settings"])
    assert [path.name for path in folder.parent.iterdir()] == ["example"]


def test_stands_in_where_nothing_was_trained(shipped, tmp_path):
    trained, folder = shipped
    run = Run(shapes.Example(workdir=str(tmp_path)), "example", stand_in=folder)
    for stage, name in (("first", None), ("second", None), ("model", "judge")):
        one, other = trained.load(stage, name=name), run.load(stage, name=name)
        for left, right in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(left, right)
    assert set(run.load()) == {"maker", "judge"} and run.exported == folder
    with pytest.raises(ValueError, match="has no network .* of the stage 'third'"):
        run.load("third")
    # Another recipe takes it by its folder.
    other = run.load("second", workdir=folder)
    np.testing.assert_array_equal(other.weights[0], trained.load("second").weights[0])
    alone = Run(shapes.Example(workdir=str(tmp_path / "alone")), "example")
    with pytest.raises(ValueError, match="holds no trained 'first'"):
        alone.load("first")
    with pytest.raises(ValueError, match="holds no export"):
        _ = alone.exported


def test_the_command_is_the_one_that_trained(shipped):
    run, _ = shipped
    stored = json.loads((run.workdir / "settings.json").read_text())
    assert stored["trained_by"] == stored["commands"][-1][1]
