"""Every flag of every recipe with values that cannot be, command lines that are none, and what only a process shows."""

import dataclasses
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from recipes.__main__ import titles
from tests.faults.hostile import CANARY, answer, check_answer, clear, table
from toolkit import settings
from toolkit.settings.fields import field_kind
from toolkit.training import cluster
from toolkit.training.flags import given, settings_from_flags
from toolkit.training.workdir import Workdir

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODES = ("all", "train", "evaluate", "sample", "export", "benchmark", "serve_data", "ship")
SETTINGS = {name: importlib.import_module(f"recipes.{name}").Settings for name in titles(ROOT / "recipes")}

# No flag that is a number or a choice may be any of these; a text may.
NEVER = ["", " ", "x", "nan", "-nan", "inf", "-Infinity", "1e999", "-1", "-1e308", "1e308", str(10**18), "9" * 5000]
NEVER += [
    "0x10",
    "1e400",
    "\N{SUPERSCRIPT TWO}",
    "1,5",
    "1;2",
    "None",
    "true false",
    "[1]",
    "a" * 100_000,
    "1\0",
    "\udce9",
]
NEVER += [
    "1\n2 x",
    f"$(touch {CANARY})",
    f"`touch {CANARY}`",
    "/no/such/folder",
    "../../../etc/passwd",
    "~nosuchuser/x",
]
# A number or a choice may be these, where it is within its bounds.
PERHAPS = ["0", "1", "3", "0.5", "-0", "+2", "\N{ARABIC-INDIC DIGIT THREE}", "1_000", " 7 ", "1e-300", "True", "all"]


def made(recipe, *words):
    cls = SETTINGS[recipe]
    return settings_from_flags(cls, given(cls, MODES, words), recipe, stand_in=False)


def every_flag():
    for recipe, cls in SETTINGS.items():
        for field in dataclasses.fields(cls):
            yield f"{recipe} --{field.name}", recipe, field


@pytest.mark.parametrize("recipe, field", table(every_flag()))
def test_values_that_cannot_be(recipe, field, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kind = field_kind(field.type)
    names = [f"--{field.name}"]
    error = None

    def every():
        nonlocal error
        for value in NEVER + PERHAPS:
            try:
                found = getattr(made(recipe, f"--{field.name}={value}"), field.name)
            except Exception as raised:
                error = raised
                clear(error, names)
            else:
                assert isinstance(found, kind | int if kind is float else kind), value
                text = kind is str and not field.metadata["choices"] and field.name != "mode"
                assert text or value not in NEVER, f"{names[0]}={value[:40]!r} is taken for {found!r}"
                if kind in (int, float):
                    bounds = field.metadata["minimum"], field.metadata["maximum"]
                    assert None not in bounds, f"setting(..., minimum=, maximum=) for {field.name}"
                    assert bounds[0] <= found <= bounds[1]

    assert answer(every) is None
    assert error is not None and not list(tmp_path.iterdir())


LINES = [
    ("a value beside its flag", ["--skip_connections", "False"], "Did you mean --noskip_connections"),
    ("words without quotes", ["--prompt=Hello", "brave", "world"], '--prompt="Hello brave world"'),
    ("words with a newline", ["--prompt=Hello", "a\nb"], "'a\\nb' is no flag"),
    ("a long word", ["x" * 100_000], "is no flag"),
    ("a long flag", ["--" + "x" * 100_000], "there is no flag --xxx"),
    ("a thousand words", ["--prompt=a", *["word"] * 1000], "a value with spaces"),
    ("a file of flags", ["--flagfile=/dev/zero"], "there is no flag --flagfile"),
    ("a file of flags, apart", ["--flagfile", "/etc/passwd"], "there is no flag --flagfile"),
    ("unknown ones allowed", ["--undefok=x", "--x"], "there is no flag --undefok"),
    ("a debugger", ["--run_with_pdb"], "there is no flag --run_with_pdb"),
    ("twice", ["--units=3", "--units=4"], "--units is given twice: 3 and 4"),
    ("twice the same", ["--units=3", "--units=3"], "works"),
    ("once on and once off", ["--skip_connections", "--noskip_connections"], "--skip_connections is given twice"),
    ("dashes for underscores", ["--batch-size=3"], "Did you mean --batch_size=3"),
    ("a dash of a word processor", ["\N{EN DASH}units=3"], "Did you mean --units=3"),
    ("a typing error", ["--untis=3"], "Did you mean --units"),
    ("capitals", ["--Units=3"], "Did you mean --units"),
    ("a phase", ["sample"], "Did you mean --mode=sample"),
    ("without dashes", ["units=3"], "Did you mean --units=3"),
    ("spaces round the sign", ["--units", "=", "3"], "--units must be a whole number; got '='"),
    ("no value", ["--units"], "--units needs a value"),
    ("another flag for a value", ["--prompt", "--units=3"], "--prompt needs a value"),
    ("no word", [""], "'' is no flag"),
    ("dashes alone", ["--"], "'--' is no flag"),
    ("a sign alone", ["--=3"], "'--=3' is no flag"),
    ("not UTF-8", ["--\udce9=3"], "'--\\udce9=3' is no flag"),
    ("not UTF-8, a value", ["--data=text:\udce9"], "--data is not UTF-8"),
    ("zero bytes", ["--prompt=a\0b"], "--prompt holds a zero byte"),
    ("a text with lines", ["--prompt=def f():\n    "], "works"),
    ("one dash", ["-units=3", "-noskip_connections"], "works"),
    ("a value apart", ["--units", "3", "--prompt", "-x y"], "works"),
]


@pytest.mark.parametrize("words, expected", table(LINES, tenth=3))
def test_command_lines(words, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_answer(
        lambda: made("text_prediction", *words), ["--", *(repr(word) for word in words), "is no flag"], expected
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flag", ["--mode=serve_data", "--strategy=multi_worker"])
def test_no_port_is_opened_without_a_word_on_the_network(flag):
    wanted = given(settings.Devices, MODES, [flag, "--data_service=127.0.0.1:5050"])
    check_answer(lambda: settings.Devices(**wanted), [flag], "--trusted_network")
    assert settings.Devices(**wanted, trusted_network=True)


GOOD = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}


def changed(**changes):
    return json.dumps({**GOOD, **changes})


def with_task(**changes):
    return changed(task={**GOOD["task"], **changes})


def with_workers(*workers, **others):
    return changed(cluster={"worker": list(workers), **others})


CONFIGS = [
    ("good", json.dumps(GOOD), "works"),
    ("an index in quotes", with_task(index="1"), "works"),
    ("with a chief", with_workers("a:1", chief=["b:1"]), "works"),
    ("empty", "", "It is ''"),
    ("no JSON", "{", "no JSON"),
    ("brackets", "[" * 100_000, "characters)"),
    ("a list", "[]", ""),
    ("a number", "3", ""),
    ("null", "null", ""),
    ("nothing in it", "{}", "without 'cluster'"),
    ("no task", json.dumps({"cluster": GOOD["cluster"]}), "without 'task'"),
    ("a task of words", changed(task="worker"), ""),
    ("a cluster of words", changed(cluster="worker"), ""),
    ("a cluster that is a list", changed(cluster=["worker"]), ""),
    ("no index", changed(task={"type": "worker"}), "without 'index'"),
    ("a negative index", with_task(index=-1), "there is no worker -1"),
    ("an index beyond", with_task(index=2), "there is no worker 2"),
    ("a broken index", with_task(index=0.5), ""),
    ("an index that is true", with_task(index=True), ""),
    ("an index of words", with_task(index="x"), ""),
    ("an index of superscripts", with_task(index="\N{SUPERSCRIPT TWO}"), ""),
    ("a giant index", with_task(index=10**400), "there is no worker"),
    ("an index that is a list", with_task(index=[0]), ""),
    ("another type", with_task(type="boss"), "its tasks are workers and at most one chief"),
    ("a type that is a list", with_task(type=["worker"]), ""),
    ("a parameter server", with_workers("a:1", ps=["b:1"]), "its tasks are workers"),
    ("two chiefs", with_workers("a:1", chief=["b:1", "c:1"]), "at most one chief"),
    ("addresses of words", changed(cluster={"worker": "a:1"}), "expected HOST:PORT"),
    ("an address without a port", with_workers("a", "b:1"), "expected HOST:PORT"),
    ("an address that is a number", with_workers(1, "b:1"), ""),
    ("an address with a giant port", with_workers("a:99999", "b:1"), "expected HOST:PORT"),
    ("an address twice", with_workers("a:1", "a:1"), "an address is there twice"),
    ("no workers", with_workers(), "there is no worker 0"),
    ("huge", with_workers(*(f"host{number}:1" for number in range(10_000)), "host0:1"), "an address is there twice"),
    ("NaN", '{"cluster": NaN, "task": NaN}', ""),
]


@pytest.mark.parametrize("text, expected", table(CONFIGS))
def test_tf_config(text, expected, monkeypatch):
    monkeypatch.setattr(os, "environ", {**os.environ, "TF_CONFIG": text})  # a real one cannot be so long
    error = check_answer(cluster.task, ["TF_CONFIG"], expected)
    assert (error is None) == (expected == "works")


WORKDIRS = [
    ("below a file", "file/run", ""),
    ("a file", "file", ""),
    ("a device", "/dev/null", ""),
    ("below a device", "/dev/null/run", ""),
    ("of the kernel", "/proc/run", ""),
    ("a link to itself", "loop", ""),
    ("a link to nothing", "dangling", ""),
    ("of dots", "..", "holds other files"),
    ("a long name", "a" * 256, "longer than a path can be"),
    ("a long path", "/".join("a" * 100), "works"),
    ("a longer path", "a/" * 3000, "longer than a path can be"),
    ("characters beyond a name", "\N{SNOWMAN}" * 90, "longer than a path can be"),
    ("a newline", "a\nb", "works"),
    ("a space", " ", "works"),
    ("a dollar", f"$(touch {CANARY})", "works"),
    ("percents", "%s%n{}", "works"),
    ("no such user", "~nosuchuser/run", "there is no such user"),
    ("nothing", "", "--workdir= is empty"),
]


@pytest.mark.parametrize("name, expected", table(WORKDIRS))
def test_workdirs(name, expected, tmp_path, monkeypatch):
    folder = tmp_path / "here" / "inner"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    (folder / "file").write_text("a file")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nothing/at/all")

    def opened():
        workdir = Workdir(made("text_prediction", f"--workdir={name}"), "text_prediction")
        try:
            workdir.open()
        finally:
            workdir.close()

    error = check_answer(opened, ["--workdir"], expected)
    assert (error is None) == (expected == "works")


def test_numbers_of_every_recipe_have_bounds():
    without = [
        name
        for name, _, field in every_flag()
        if field_kind(field.type) in (int, float) and None in (field.metadata["minimum"], field.metadata["maximum"])
    ]
    assert not without, f"setting(..., minimum=, maximum=) for {', '.join(without)}"


# What only a process shows.

SMALL = ["--data=embedded:english:20000", "--units=4", "--batch_size=8", "--sequence_length=20", "--epochs=1"]


def command(*words):
    return [sys.executable, "-m", "recipes.text_prediction", *SMALL, *words]


def run(words, line='"$@"', **how):
    shell = ["sh", "-c", f'{{ {line}; echo "status $?" >&2; }} {how.pop("redirection", "")}', "sh", *words]
    return subprocess.run(shell, capture_output=True, text=True, timeout=200, check=False, **{"cwd": ROOT, **how})


@pytest.fixture(scope="module", name="trained")
def trained_without_a_reader(tmp_path_factory):
    """A training whose output nobody reads, on a terminal that shows little, without a home or a TMPDIR."""
    folder = tmp_path_factory.mktemp("run")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    environment |= {name: str(folder / "none") for name in ("HOME", "TMPDIR")}
    words = command("--steps_per_epoch=3", "--mode=train", f"--workdir={folder / chr(0x2603)}")
    return run(words, redirection="| true", env=environment), folder / chr(0x2603)


@pytest.mark.slow
def test_nobody_reads_what_a_training_prints(trained):
    done, workdir = trained
    assert "status 0" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert (workdir / "checkpoints" / "model" / "latest.npz").exists()


@pytest.mark.slow
def test_the_current_folder_is_gone(tmp_path):
    words = [sys.executable, "-m", "recipes.text_prediction"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = run(words, 'mkdir gone; cd gone; rmdir ../gone; "$@"', cwd=tmp_path, env=environment)
    assert done.stderr.strip().startswith("text_prediction: the current folder is gone") and "status 1" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number, status, mode", [(signal.SIGTERM, 143, "train"), (signal.SIGINT, 130, "evaluate")])
def test_a_signal_where_nothing_is_to_be_saved(number, status, mode, trained, tmp_path):
    """The first while TensorFlow is imported or the data read; the second in evaluation."""
    words = command(f"--mode={mode}", f"--workdir={trained[1] if mode == 'evaluate' else tmp_path}")
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while mode == "evaluate" and ": evaluate" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(1)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == status and "Stopped; the same command goes on" in told, told
