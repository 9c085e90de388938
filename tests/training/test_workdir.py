"""The folder of a run: what it refuses, and what it keeps."""

import sys

import pytest

from toolkit import settings
from toolkit.settings.fields import setting
from toolkit.training import Run
from toolkit.training.workdir import command


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
