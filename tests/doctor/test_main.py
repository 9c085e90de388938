import importlib
import json
import os
import pathlib
import subprocess
import sys

import keras
import pytest
import tensorflow as tf

from toolkit.doctor.finding import MISSING, Finding

ROOT = pathlib.Path(__file__).resolve().parents[2]


def call(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "toolkit.doctor", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_this_machine():
    done = call("--json")
    assert done.stderr == "", "no chatter"
    answer = json.loads(done.stdout)
    found = {finding["name"]: finding["found"] for finding in answer["findings"]}
    assert (answer["ok"], done.returncode) == (True, 0), done.stdout
    assert found["tensorflow"] == tf.__version__ and found["keras"] == keras.__version__
    assert found["Python"].startswith("{}.{}.".format(*sys.version_info))
    assert "LSTM step" in found["precision"] and "matrix product" in found["precision"]
    assert {"processor", "GPU", "memory", "disk, cache", "XLA", "Bazel"} <= found.keys()


def test_a_broken_tensorflow_is_told_with_what_to_type(tmp_path):
    (tmp_path / "tensorflow.py").write_text("import os\nos.abort()")
    done = call(PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith("missing  tensorflow ")]
    assert "ended by SIGABRT" in lines[place] and "pip install" in lines[place + 1]
    assert lines[-1] == "The recipes cannot run: see tensorflow."


def test_exit_status_follows_the_findings(monkeypatch, capsys):
    main = importlib.import_module("toolkit.doctor.__main__")
    monkeypatch.setattr(main, "look", lambda time_limit: [Finding("memory", "note", f"{time_limit:g}")])
    assert main.main(["--time_limit=7"]) == 0
    assert capsys.readouterr().out == f"{Finding('memory', 'note', '7')}\n\nThe recipes can run here.\n"
    monkeypatch.setattr(main, "look", lambda time_limit: [Finding("keras", MISSING, "")])
    assert main.main(["--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "1e9", "x", ""])
def test_a_time_limit_is_a_number_of_seconds(seconds, capsys):
    with pytest.raises(SystemExit) as ended:
        importlib.import_module("toolkit.doctor.__main__").main([f"--time_limit={seconds}"])
    assert ended.value.code == 2 and "--time_limit: invalid" in capsys.readouterr().err


def test_a_current_folder_that_is_gone(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(SystemExit):
        importlib.import_module("toolkit.doctor.__main__").main([])
    assert "the current folder is gone" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
