"""The folder of a run: what it refuses, and what it keeps."""

import json
import sys

import pytest

from toolkit import settings
from toolkit.settings.fields import setting
from toolkit.training import Run
from toolkit.training.workdir import command, stored_settings


@settings.recipe
class Example(settings.Devices):
    units: int = setting(4, "cells", minimum=1)


def test_refuses_workdirs_that_are_not_its_own(tmp_path):
    with pytest.raises(ValueError, match="--workdir is needed"):
        Run(Example())
    run = Run(Example(workdir=str(tmp_path / "a")), recipe="one")
    with pytest.raises(ValueError, match="in use by another run"):
        Run(Example(workdir=str(tmp_path / "a")), recipe="one")
    run.close()
    Run(
        Example(workdir=str(tmp_path / "a"), units=3), recipe="one"
    ).close()  # nothing is trained yet that it would bind
    run = Run(Example(workdir=str(tmp_path / "a")), recipe="one")
    checkpoint = run.path("checkpoints", "model", "latest.npz")
    checkpoint.touch()
    run.close()
    with pytest.raises(ValueError, match="belongs to the recipe 'one', not to 'two'"):
        Run(Example(workdir=str(tmp_path / "a")), recipe="two")
    with pytest.raises(ValueError, match="made with --units=4, not 5"):
        Run(Example(workdir=str(tmp_path / "a"), units=5), recipe="one")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").write_text("")
    (tmp_path / "b" / ".thesis.1.tmp").write_text("")
    with pytest.raises(ValueError, match=r"holds other files \(thesis.tex\)"):
        Run(Example(workdir=str(tmp_path / "b")))
    assert {path.name for path in (tmp_path / "b").iterdir()} == {"thesis.tex", ".thesis.1.tmp"}
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "settings.json").write_text("[]")
    with pytest.raises(ValueError, match="not the settings of a run"):
        Run(Example(workdir=str(tmp_path / "c")))
    with pytest.raises(OSError, match="cannot be written"):
        Run(Example(workdir="/proc/none"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written"):
        Run(Example(workdir=str(tmp_path / "file")))


def test_a_workdir_that_is_gone_is_not_made_anew(tmp_path):
    run = Run(Example(workdir=str(tmp_path / "a")), recipe="one")
    assert run.path("pictures", "line.png").parent.is_dir()
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(OSError, match="a is gone. Was it removed or moved?"):
        run.path("pictures", "line.png")
    with pytest.raises(OSError, match="a is gone. Was it removed or moved?"):
        run.report({"error_mm": 1.0})
    assert not (tmp_path / "a").exists()
    run.close()


def test_a_lock_that_a_killed_process_left_locks_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".lock").write_text("of a process that is gone")
    Run(Example(workdir=str(tmp_path / "a"))).close()
    assert (tmp_path / "a" / ".lock").read_text() == "of a process that is gone"


def test_what_another_version_keeps_is_passed_over_and_other_types_are_named(tmp_path):
    Run(Example(workdir=str(tmp_path))).close()
    path = tmp_path / "settings.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"settings": {"units": 4, "later": [1]}, "more": 1}))
    assert stored_settings(tmp_path, Example)["settings"]["units"] == 4
    Run(Example(workdir=str(tmp_path))).close()
    path.write_text(json.dumps(stored | {"settings": {"units": "4"}}))
    with pytest.raises(ValueError, match=f"{path} was changed: --units must be int; got '4'."):
        stored_settings(tmp_path, Example)


@pytest.mark.parametrize(
    ("started", "typed"),
    [
        (["/usr/bin/python3", "-m", "recipes.one", "--text=a b"], "python -m recipes.one '--text=a b'"),
        (["/venv/bin/python", "/venv/bin/toolkit", "run", "one"], "toolkit run one"),
        (["python3", "recipes/one.py", "--units=4"], "python recipes/one.py --units=4"),
        (["python3"], "python"),
    ],
)
def test_the_command_is_kept_as_it_was_typed(monkeypatch, started, typed):
    monkeypatch.setattr(sys, "orig_argv", started)
    assert command() == typed
