"""`--mode=benchmark`: steps are timed and nothing is kept of them."""

import json

from tests.training import shapes
from toolkit.training import Run


def test_fit_and_loop_are_timed_instead_of_trained(tmp_path, capsys):
    run = Run(shapes.Example(workdir=str(tmp_path)))
    run.timing = True
    shapes.two_stages(run)
    shapes.own_loop(run)
    assert not (tmp_path / "checkpoints").exists()
    found = json.loads((tmp_path / "benchmarks.json").read_text())
    assert list(found) == [
        *("training step, first", "reading, first", "training step, second", "reading, second"),
        "step, turns",
    ]
    assert all(each["milliseconds"] > 0 for each in found.values())
    assert "examples a second in training" in capsys.readouterr().out
