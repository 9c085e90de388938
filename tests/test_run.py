"""The script `run`: only what needs no installation; the installation itself is what CI begins with."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import types

import pytest

RUN = pathlib.Path(__file__).resolve().parents[1] / "run"


def call(*arguments, **environment):
    environment = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    return subprocess.run([RUN, *arguments], env=environment, capture_output=True, text=True, timeout=60)


def interpreter(folder: pathlib.Path, name: str, program: str) -> pathlib.Path:
    """A folder to be first on PATH, with a stand-in for Python."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{program}\n")
    (folder / name).chmod(0o755)
    return folder


LOCKS = ("requirements-tf2.16.lock", "requirements-tf2.21.lock")
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3", "python")


def test_is_a_valid_posix_script():
    assert subprocess.run(["sh", "-n", RUN], capture_output=True, text=True).stderr == ""


def test_help_names_every_command():
    answer = call("help")
    assert answer.returncode == 0
    for command in ("demo", "test", "lint", "doctor", "benchmarks", "docs", "python", "lock"):
        assert f"\n  {command} " in answer.stdout


@pytest.mark.parametrize("arguments", [(), ("tests",)])
def test_unknown_command_is_a_usage_error(arguments):
    answer = call(*arguments)
    assert answer.returncode == 2
    assert "usage: ./run COMMAND" in answer.stderr and answer.stdout == ""


@pytest.mark.parametrize("lock", ["requirements-tf2.20.lock", "../requirements-tf2.21.lock", "2.16"])
def test_an_unknown_lock_is_refused_with_those_there_are(lock, tmp_path):
    answer = call("python", TOOLKIT_LOCK=lock, TOOLKIT_VENV=tmp_path / "environment")
    assert answer.returncode == 1
    assert f"TOOLKIT_LOCK={lock}" in answer.stderr and all(name in answer.stderr for name in LOCKS)


@pytest.mark.parametrize("lock", LOCKS)
def test_each_lock_pins_its_tensorflow_and_what_goes_with_it(lock):
    pins = dict(re.findall(r"^([\w.-]+)==(.+)$", (RUN.parent / lock).read_text(encoding="utf-8"), re.MULTILINE))
    minor = re.search(r"tf(.+)\.lock", lock)[1]
    for name in ("tensorflow", "tf_keras", "tensorboard"):
        assert pins[name].startswith(f"{minor}.")
    assert pins["keras"].startswith("3.") and pins["tensorflow-io"] == "0.37.1"
    assert pins["tensorflow-probability"].startswith("0.24." if minor == "2.16" else "0.25.")


@pytest.mark.parametrize(
    ("lock", "newest", "folder"), [(LOCKS[0], "(3, 12)", ".venv-tf2.16"), (LOCKS[1], "(3, 13)", ".venv")]
)
def test_each_lock_has_its_own_folder_and_newest_python(lock, newest, folder, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    for name in ("run", "setup.py", *LOCKS):
        shutil.copy(RUN.parent / name, project)
    # Suits where it is asked for that newest version; stops where the environment is to be made.
    program = f"""case "$*" in *"<= {newest}"*) echo "$0" ;; *"-m venv"*) echo "makes $3" >&2 && exit 1 ;; esac"""
    for name in PYTHONS:
        stand_ins = interpreter(tmp_path / "bin", name, program)
    environment = {**os.environ, "PATH": f"{stand_ins}:{os.environ['PATH']}", "TOOLKIT_LOCK": lock}
    environment.pop("TOOLKIT_VENV", None)
    answer = subprocess.run([project / "run", "python"], env=environment, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert f"makes {project / folder}\n" in answer.stderr


def test_a_python_that_is_too_old_is_not_taken(tmp_path):
    for name in PYTHONS:
        folder = interpreter(tmp_path / "bin", name, "exit 0")  # prints no path: the version does not suit
    path = f"{folder}:{os.environ['PATH']}"
    answer = call("python", PATH=path, TOOLKIT_VENV=tmp_path / "environment", TOOLKIT_LOCK="requirements-tf2.21.lock")
    assert answer.returncode == 1
    assert "no 64-bit Python 3.11, 3.12 or 3.13" in answer.stderr and "apt-get install" in answer.stderr
    assert not (tmp_path / "environment").exists()


def test_missing_ensurepip_is_named_with_the_command_that_installs_it(tmp_path):
    real, version = sys.executable, "python{}.{}".format(*sys.version_info[:2])
    # As on Debian without python3-venv, for somebody who is not root.
    program = f"""case "$*" in *ensurepip*) exit 1 ;; *realpath*) echo "$0" ;; *) exec "{real}" "$@" ;; esac"""
    for name in PYTHONS:
        folder = interpreter(tmp_path / "bin", name, program)
    interpreter(folder, "id", "echo 1000")
    answer = call("python", PATH=f"{folder}:{os.environ['PATH']}", TOOLKIT_VENV=tmp_path / "environment")
    assert answer.returncode == 1
    assert f"sudo apt-get update && sudo apt-get install -y {version}-venv" in answer.stderr


def test_a_folder_that_it_did_not_make_is_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    answer = call("python", TOOLKIT_VENV=tmp_path)
    assert answer.returncode == 1
    assert "was not made by ./run" in answer.stderr
    assert (tmp_path / "letters.txt").read_text() == "dear"


@pytest.mark.parametrize(
    "port", ["99999", "65536", "0", "-1", "x", "8e3", " ", "\N{SUPERSCRIPT TWO}", "$(touch x)", "9" * 999]
)
def test_a_port_that_is_none(port):
    answer = call("web", port)
    assert answer.returncode == 1 and answer.stdout == ""
    assert answer.stderr == f"run: web {port}: expected a port, a number from 1 to 65535\n"


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer = call("web", str(listener.getsockname()[1]))
    assert answer.returncode == 1 and answer.stderr.startswith("run: port ") and "is in use" in answer.stderr


@pytest.mark.parametrize(
    "words", [("lint", "toolkit"), ("docs", "x"), ("lock", "x"), ("help", "me"), ("web", "8000", "x")]
)
def test_words_that_a_command_does_not_take_are_not_dropped(words):
    answer = call(*words)
    assert answer.returncode == 1 and answer.stderr.startswith(f"run: {words[0]} takes ") and answer.stdout == ""


def test_an_environment_that_cannot_be(tmp_path):
    (tmp_path / "file").touch()
    answer = call("python", TOOLKIT_VENV=tmp_path / "file")
    assert (answer.returncode, answer.stderr) == (1, f"run: TOOLKIT_VENV={tmp_path / 'file'} is no folder\n")
    answer = call("python", TOOLKIT_VENV=tmp_path / "a:b")
    assert answer.returncode == 1 and "a colon would part it on PATH" in answer.stderr
    assert not (tmp_path / "a:b").exists()


def test_long_tests_end_with_the_time_and_take_turns(pytestconfig):
    """--minutes and --turn of conftest.py, by which `.ci/run` ends in time."""
    file = RUN.parent / "tests" / "conftest.py"
    (conftest,) = (
        plugin for plugin in pytestconfig.pluginmanager.get_plugins() if getattr(plugin, "__file__", "") == str(file)
    )

    def config(**options):
        option = types.SimpleNamespace(**{"markexpr": "slow", "turn": None, "minutes": None} | options)
        parameters = types.SimpleNamespace(dir=RUN.parent)
        return types.SimpleNamespace(option=option, args=[], invocation_params=parameters)

    def order(**options):
        items = [types.SimpleNamespace(path=pathlib.Path(f"tests/{name}")) for name in "aabbcddde"]
        conftest.pytest_collection_modifyitems(config(**options), items)
        return "".join(item.path.name for item in items)

    assert order() == "aabbcddde" and order(turn="1") == order(turn="1")
    orders = [order(turn=str(number)) for number in range(9)]
    assert len(set(orders)) > 5 and all(sorted(found) == list("aabbcddde") for found in orders)
    assert all(word in found for found in orders for word in ("aa", "bb", "ddd"))  # a file stays together
    conftest.pytest_runtest_setup(types.SimpleNamespace(config=config(minutes=1e6)))
    with pytest.raises(pytest.skip.Exception, match="not begun within --minutes=0"):
        conftest.pytest_runtest_setup(types.SimpleNamespace(config=config(minutes=0)))
