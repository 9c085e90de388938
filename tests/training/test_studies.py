"""The cells of a grid: each once, whoever runs it, and a killed one goes on."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.training.shapes import Example, batches, network
from toolkit.training import Run
from toolkit.training.studies import label

GRID = {"units": [2, 3], "rate": ["low rate", "high"]}


def one(run, units, rate):
    assert run.settings.units == units
    run.picture("dot", np.zeros((2, 2, 3), "uint8"))
    return {"score": units * (1 if rate == "high" else 10)}


def test_a_row_for_each_cell_in_order_and_nothing_twice(tmp_path):
    run, calls = Run(Example(workdir=str(tmp_path)), "example"), []

    def counted(run, **cell):
        calls.append(cell)
        return one(run, **cell)

    rows = run.study("sizes", GRID, counted)
    assert [(row["units"], row["rate"], row["score"]) for row in rows] == [
        *((2, "low rate", 20), (2, "high", 2)),
        *((3, "low rate", 30), (3, "high", 3)),
    ]
    assert run.study("sizes", GRID, counted) == rows and len(calls) == 4
    cell = tmp_path / "studies" / "sizes" / "units=2,rate=low_rate"
    assert (cell / "pictures" / "dot.png").exists()
    assert json.loads((cell / "settings.json").read_text())["settings"]["units"] == 2
    run.close()
    other = Run(Example(workdir=str(tmp_path), batch_size=4), "example")
    with pytest.raises(ValueError, match="was made with batch_size=8, not 4. Give the study another name"):
        other.study("sizes", GRID, counted)
    other.close()
    longer = Run(Example(workdir=str(tmp_path), epochs=9), "example")
    assert longer.study("sizes", GRID, counted) == rows and len(calls) == 8, "cells are trained on"
    with pytest.raises(ValueError, match="two cells would share a folder"):
        longer.study("signs", {"rate": ["<", ">"]}, counted)
    longer.close()
    run = Run(Example(workdir=str(tmp_path), epochs=9), "example")
    (cell / "result.json").write_text("{")
    with pytest.raises(ValueError, match=r"result.json, line 1, is not a cell's result.*Remove it"):
        run.study("sizes", GRID, counted)
    with pytest.raises(ValueError, match="expected values for each axis"):
        run.study("sizes", {"units": []}, counted)
    run.close()


def test_cells_of_ones_own(tmp_path):
    run = Run(Example(workdir=str(tmp_path)), "example")
    cells = [{"units": 2, "rate": "high"}, {"rate": "low", "units": 3}]
    rows = run.study("pairs", cells, one)
    assert rows == [{"units": 2, "rate": "high", "score": 2}, {"units": 3, "rate": "low", "score": 30}]
    assert list(rows[1]) == list(rows[0]), "rows of one table"
    assert {path.name for path in (tmp_path / "studies" / "pairs").iterdir()} == {
        *("units=2,rate=high", "units=3,rate=low")
    }
    for wrong in ([], [{}], [{"units": 2}, {"units": 3, "rate": "low"}]):
        with pytest.raises(ValueError, match="expected cells that have the same axes; got"):
            run.study("pairs", wrong, one)
    run.close()


def test_an_interrupted_cell_goes_on(tmp_path):
    def trained(run, units):
        with run.scope():
            model = network(run.settings)
        run.fit(model, batches(), batches())
        if not (tmp_path / "second").exists():
            (tmp_path / "second").touch()
            raise RuntimeError("power cut")
        return {"loss": model.evaluate(*next(iter(batches().dataset())), verbose=0)}

    run = Run(Example(workdir=str(tmp_path / "run")))
    with pytest.raises(RuntimeError, match="power cut"):
        run.study("sizes", {"units": [2]}, trained)
    (row,) = run.study("sizes", {"units": [2]}, trained)
    whole = Run(Example(workdir=str(tmp_path / "whole"), units=2))
    assert row["loss"] == trained(whole, 2)["loss"]


PROCESS = """
import sys, time
sys.path.insert(0, "tests/training")
from shapes import Example
from toolkit.training import Run
def one(run, units):
    with open(sys.argv[2] + "/calls", "a") as file:
        file.write(f"{units}\\n")
    time.sleep(0.5)
    return {"score": units}
run = Run(Example(workdir=sys.argv[1], study_folder=sys.argv[2]), "example")
print([row["score"] for row in run.study("sizes", {"units": [1, 2, 3, 4]}, one)])
"""


@pytest.mark.slow
def test_two_processes_share_the_cells(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    (tmp_path / "shared").mkdir()
    both = []
    for name in "ab":
        command = [sys.executable, "-c", PROCESS, str(tmp_path / name), str(tmp_path / "shared")]
        both.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
        time.sleep(0.2)
    for process in both:
        assert process.communicate(timeout=120)[0].splitlines()[-1] == "[1.0, 2.0, 3.0, 4.0]"
    assert sorted((tmp_path / "shared" / "calls").read_text().split()) == ["1", "2", "3", "4"]


def test_labels():
    assert label({"decoder": "per pixel/σ", "seed": 3}) == "decoder=per_pixel_,seed=3"
