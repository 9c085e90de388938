"""The command `toolkit`, started as the script that pip makes starts it."""

import json
import os
import pathlib
import runpy
import subprocess
import sys

import pytest

import toolkit

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.py"))


@pytest.fixture(name="call")
def script(tmp_path):
    """Runs the command, in a folder of its own."""
    path = tmp_path / "bin" / "toolkit"
    path.parent.mkdir()
    path.write_text("import sys\nfrom recipes._command import main\nsys.exit(main())\n")

    def call(*arguments, options=()):
        return subprocess.run(
            [sys.executable, *options, str(path), *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TOOLKIT_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return call


def test_setup_names_this_command_and_no_other(monkeypatch):
    setuptools = pytest.importorskip("setuptools")
    said = {}
    monkeypatch.setattr(setuptools, "setup", said.update)
    runpy.run_path(str(ROOT / "setup.py"))
    assert said["entry_points"] == {"console_scripts": ["toolkit = recipes._command:main"]}


def test_help_names_every_command(call):
    done = call("--help")
    assert done.returncode == 0 and done.stdout.startswith(f"toolkit {toolkit.__version__}\n")
    for command in ("recipes", "run NAME", "inspect FILE.tflite", "doctor"):
        assert f"\ntoolkit {command} " in done.stdout


def test_the_list_says_how_to_run_one(call):
    done = call("recipes")
    assert done.returncode == 0 and "\ntoolkit run NAME --workdir=FOLDER" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()[: len(RECIPES)]] == RECIPES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a command. There are recipes, run,"),
        (("recipe",), "there is no command 'recipe'. Did you mean recipes?"),
        (("run",), f"name a recipe. There are {RECIPES[0]}, "),
        (("run", RECIPES[0][:-2]), f"no recipe '{RECIPES[0][:-2]}'. Did you mean {RECIPES[0]}?"),
        (("run", "zzz"), f"There are {RECIPES[0]}, "),
        (("run", "__main__"), "no recipe '__main__'"),
        (("run", "../run"), "no recipe '../run'"),
    ],
)
def test_what_there_is_not_is_a_usage_error(call, arguments, message):
    done = call(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert message in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_recipes_help_is_its_own_and_heavy_imports_wait(call):
    done = call("run", RECIPES[0], "--help", options=("-X", "importtime"))
    assert "--workdir:" in done.stdout and "--batch_size:" in done.stdout
    assert "toolkit.training.flags" in done.stderr and "tensorflow" not in done.stderr


def test_a_recipe_keeps_the_command_that_was_typed(call, tmp_path):
    done = call("run", "image_classification", "--mode=margin_losses", "--workdir=my run")
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "my run" / "settings.json").read_text())
    assert kept["recipe"] == "image_classification"
    expected = "toolkit run image_classification --mode=margin_losses '--workdir=my run'"
    assert kept["commands"][0][1] == expected


def test_inspect_and_doctor_are_called_with_their_arguments(call):
    done = call("inspect", "missing.tflite")
    assert done.returncode == 1 and "missing.tflite: no such file" in done.stderr
    done = call("doctor", "--help")
    assert done.returncode == 0 and "--json" in done.stdout
