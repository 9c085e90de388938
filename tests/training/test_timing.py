"""`--mode=benchmark`: steps are timed and nothing is kept of them."""

import json

from tests.training import shapes
from toolkit.training import Run


def test_fit_and_loop_are_timed_instead_of_trained(tmp_path, capsys):
    run = Run(shapes.Example(workdir=str(tmp_path)))
    run.timing = True
    shapes.two_stages(run)
    shapes.own_loop(run)
    shapes.rounds(run)
    assert run.study("sizes", {"units": [2]}, lambda run, units: {"score": 1.0}) == [{"units": 2, "score": 1.0}]
    left = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.name not in ("settings.json", ".lock")}
    assert left == {"benchmarks.json"} | {name for name in left if name.startswith("events.")}
    found = json.loads((tmp_path / "benchmarks.json").read_text())
    found = {name: each for name, each in found.items() if "round" not in name}
    assert list(found)[:5] == [
        *("training step, first", "reading, first", "training step, second", "reading, second"),
        "step, turns",
    ]
    assert all(each["milliseconds"] > 0 for each in found.values())
    assert "examples a second in training" in capsys.readouterr().out
