"""Every file that a run keeps and reads again, damaged in every way: it is named, or the end is as without damage."""

import json
import shutil

import numpy as np
import pytest

from tests.faults.hostile import DAMAGES, table, tried
from tests.training.shapes import Example, batches, one_model, weights
from toolkit.data.pipelines import Splits
from toolkit.training import Run, building, shipping, timing
from toolkit.training.workdir import stored_settings

RECIPE = "example"


def splits(settings):
    return Splits(batches(), batches(), batches())


def opened(workdir, **settings):
    return Run(Example(workdir=str(workdir), **settings), RECIPE, load=splits)


def trains_on(workdir):
    """Two more epochs; the weights that come of it."""
    run = opened(workdir, epochs=3)
    try:
        return weights(one_model(run, data=run.data.train))
    finally:
        run.close()


def loads(workdir):
    run = opened(workdir)
    try:
        return run.load().get_weights()
    finally:
        run.close()


def measures(workdir):
    run = opened(workdir)
    try:
        run.report({"error_mm": 2.0})
        return [run.metrics()["error_mm"]]
    finally:
        run.close()


def times(workdir):
    run = opened(workdir)
    try:
        run.keep_benchmark("step", 1.0, "step")
    finally:
        run.close()


def cell(run, units):
    return {"error_mm": float(units)}


def studies(workdir):
    run = opened(workdir)
    try:
        return [row["error_mm"] for row in run.study("sizes", {"units": [4]}, cell)]
    finally:
        run.close()


def builds(workdir):
    return building.load_file(workdir / "model.keras").get_weights()


def settings_of(workdir):
    stored = stored_settings(workdir, Example)
    return [4] if stored is None else [stored["settings"]["units"]]  # missing: a folder that is no run's


def latencies(workdir):
    timing.show_latencies(workdir)


def shipped(workdir):
    before, shipping.FOLDER = shipping.FOLDER, workdir.parent
    try:
        shipping.shipped_settings(workdir.name)
    finally:
        shipping.FOLDER = before


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A workdir with everything in it, after two of three epochs; and what each reading gives of it."""
    workdir = tmp_path_factory.mktemp("whole") / "run"
    run = opened(workdir, epochs=2)
    (model,) = one_model(run, data=run.data.train)
    run.report({"error_mm": 1.5})
    run.keep_benchmark("step", 1.0, "step")
    run.study("sizes", {"units": [4]}, cell)
    run.close()
    (workdir / ".lock").write_text("as it is")  # so that it can be damaged
    model.save(workdir / "model.keras")
    card = {"settings": {"units": 4}, "files": {"model.tflite": {"latency_ms": {"call": 1.5}}}}
    (workdir / "card.json").write_text(json.dumps(card))
    expected = {}
    for read in READS.values():
        for function in read:
            shutil.copytree(workdir, workdir.parent / "copy")
            expected[function] = function(workdir.parent / "copy")
            shutil.rmtree(workdir.parent / "copy")
    return workdir, expected


READS = {
    "settings.json": [settings_of, loads],
    "trained_on.json": [trains_on],
    "checkpoints/model/latest.npz": [trains_on],
    "checkpoints/model/best.npz": [loads],
    "checkpoints/model/networks.json": [trains_on, loads],
    "metrics.json": [measures],
    "benchmarks.json": [times],
    "studies/sizes/units=4/result.json": [studies],
    "model.keras": [builds],
    "card.json": [latencies, shipped],
    ".lock": [loads],
}


def damaged():
    for name, functions in READS.items():
        for function in functions:
            for damage in DAMAGES:
                yield f"{name}, {function.__name__}: {damage}", name, function, damage


def check(workdir, whole, function, name, expected=""):
    """Tries a row: what is right where it works, else its name told; and no file there that was not."""
    before = {path for path in workdir.rglob("*")}
    found = []
    error = tried(lambda: found.append(function(workdir)), [name, name.rpartition("/")[2]], expected)
    if error is None and expected != "works":
        left, right = (np.array(each, dtype=object) for each in (found[0], whole[1][function]))
        assert (found[0] is None) == (whole[1][function] is None)
        for one, other in zip(left if found[0] is not None else [], right if found[0] is not None else [], strict=True):
            np.testing.assert_array_equal(one, other)
    elif error is not None:
        new = {str(path.relative_to(workdir)) for path in workdir.rglob("*")} - {
            str(path.relative_to(workdir)) for path in before
        }
        assert not [path for path in new if not path.startswith("logs")], new


@pytest.mark.parametrize("name, function, damage", table(damaged()))
def test_damaged(name, function, damage, whole, tmp_path, monkeypatch):
    workdir = tmp_path / "run"
    shutil.copytree(whole[0], workdir)
    monkeypatch.chdir(tmp_path)
    DAMAGES[damage](workdir / name)
    check(workdir, whole, function, name)
