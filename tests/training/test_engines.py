"""Workers of a study: each cell once and as undisturbed, whoever is killed; none is left behind."""

import contextlib
import csv
import dataclasses
import importlib.util
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from tests.resume import check_same_checkpoints
from tests.training.shapes import Example
from toolkit.training import Run, engines
from toolkit.training.flags import given

RECIPE = '''
"""A study of tiny trainings, one of which is killed in a step, once."""
import os, pathlib, signal, time
import keras
from shapes import Example, batches, network
from toolkit import training

FOLDER = pathlib.Path(os.environ["FOLDER"])

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(float(os.environ["SECONDS"]))
        killed, who = FOLDER / "killed", os.environ["KILL"]
        if who and self.model.layers[0].units == 3 and self.params["epoch"] and not killed.exists():
            killed.touch()
            os.kill(os.getppid() if who == "starter" else os.getpid(), signal.SIGKILL)
            time.sleep(5)  # a step that takes long

    def on_epoch_begin(self, epoch, logs=None):
        self.params["epoch"] = epoch

def one(run, units):
    with open(FOLDER / "calls", "a") as file:
        file.write(f"{units} {os.getpid()}\\n")
    with run.scope():
        model = network(run.settings)
    run.fit(model, batches(), batches(), callbacks=(Kill(),))
    return {"loss": model.evaluate(*next(iter(batches().dataset())), verbose=0)}

def train(run): ...

def study(run):
    run.table("study", run.study("sizes", {"units": [2, 3, 4, 5]}, one))

if __name__ == "__main__":
    training.main(Example, None, train, untrained=(study,))
'''


def start(folder, *flags, kill="", seconds=0.0):
    folder.mkdir()
    (folder / "example.py").write_text(RECIPE)
    command = [sys.executable, str(folder / "example.py"), "--mode=study", f"--workdir={folder / 'run'}", *flags]
    told = {"FOLDER": str(folder), "KILL": kill, "SECONDS": str(seconds)}
    told["PYTHONPATH"] = os.pathsep.join([os.getcwd(), os.path.dirname(__file__)])
    return subprocess.Popen(
        [*command, "--checkpoint_minutes=0"],
        **{"env": {**os.environ, **told}, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True},
    )


def calls(folder):
    """Which cells were begun, and by whom."""
    path = folder / "calls"
    return [tuple(map(int, line.split())) for line in path.read_text().splitlines()] if path.exists() else []


def rows(folder):
    with open(folder / "run" / "tables" / "study.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def runs(process):
    """Whether a process is there, and no corpse."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.1)


@pytest.fixture(scope="module", name="undisturbed")
def of_one_process(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "here"
    process = start(folder, "--engine=here")
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    assert len(rows(folder)) == 4
    assert len({who for _, who in calls(folder)}) == 1
    return folder


needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine, kill",
    [
        ("processes", "worker"),
        pytest.param("ray", "worker", marks=needs_ray),
        pytest.param("ray", "starter", marks=needs_ray),
    ],
)
def test_a_killed_worker_loses_nothing(engine, kill, tmp_path, undisturbed):
    folder = tmp_path / engine
    process = start(folder, f"--engine={engine}", "--num_processes=2", kill=kill)
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    assert rows(folder) == rows(undisturbed)
    begun = calls(folder)
    assert sorted(units for units, _ in begun) == [2, 3, 3, 4, 5], "each once; the killed one goes on"
    assert len({who for _, who in begun}) >= 2 and not any(runs(who) for _, who in begun)
    for units in (2, 3, 4, 5):
        cell = pathlib.Path("run", "studies", "sizes", f"units={units}")
        check_same_checkpoints(undisturbed / cell, folder / cell)
    assert "sizes: 4 of 4 cells by 2 workers" in output and "sizes: 4 of 4 cells\n" in output
    if kill == "worker":
        assert "ended with signal 9 at units=3; it is started again" in output
    logs = list((folder / "run" / "studies" / "sizes" / ".workers").glob("*.log"))
    assert len(logs) == 2 and any("units=3 (2 of 4)" in log.read_text() for log in logs)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_the_study(how, tmp_path):
    folder = tmp_path / "study"
    process = start(folder, "--engine=processes", "--num_processes=2", seconds=0.5)
    until(lambda: len(calls(folder)) == 2)
    workers = [who for _, who in calls(folder)]
    assert all(map(runs, workers))
    time.sleep(2)  # some steps
    process.send_signal(how)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL), output
    until(lambda: not any(map(runs, workers)), 20)
    kept = [folder / "run/studies/sizes" / f"units={units}/checkpoints/model/latest.npz" for units, _ in calls(folder)]
    assert all(path.exists() for path in kept)
    if how == signal.SIGINT:
        assert "the same command goes on" in output


class Workers:
    """An engine whose workers end as the test says; each is at units=3."""

    num_cores = 8
    script: list = []  # what is found of one worker after the other
    last = None

    def __init__(self, address):
        self.started, self.codes, self.stopped = [], list(self.script), None
        Workers.last = self

    def start(self, words, environment, name, count):
        pathlib.Path(environment["TOOLKIT_STUDY_CELL"]).write_text("units=3")
        pathlib.Path(f"{name}.log").write_text("".join(f"line {number}\n" for number in range(50)) + "no memory\r")
        self.started.append((words, environment, name))
        return len(self.started) - 1

    def status(self, worker):
        return self.codes.pop(0) if self.codes else None

    def stop(self, workers, patience):
        self.stopped = workers, patience


@pytest.fixture(name="run")
def run_of_a_command(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "_program", lambda run: ["-m", "example"])
    monkeypatch.setattr(engines, "_POLL_SECONDS", 0.0)
    monkeypatch.setitem(engines._ENGINES, "processes", Workers)
    monkeypatch.setattr(Workers, "last", None)
    run = Run(Example(workdir=str(tmp_path / "run"), num_processes=2, mode="study", epochs=5), "example")
    yield run
    run.close()


def test_workers_are_the_same_command_in_a_role_of_their_own(run, tmp_path, capsys):
    states = [["units=2", "units=3", "units=4"], ["units=3", "units=4"], ["units=4"], []]
    engines.work(run, "sizes", tmp_path / "shared" / "sizes", 9, lambda: states.pop(0))
    (first, environment, name), (second, _, other) = Workers.last.started
    assert first == second and first[:2] == ["-m", "example"] and name != other
    found = Example(**given(Example, ("all", "study"), first[2:]))
    assert (found.engine, found.num_processes, found.mode, found.epochs) == ("here", None, "study", 5)
    assert found.study_folder == str(tmp_path / "shared") and found.workdir is None
    assert pathlib.Path(name).parent == tmp_path / "shared" / "sizes" / ".workers"
    assert environment["TF_NUM_INTRAOP_THREADS"] == environment["OMP_NUM_THREADS"] == "4", "half of the cores"
    assert Workers.last.stopped == ([0, 1], 10.0)
    output = capsys.readouterr().out
    assert "sizes: 3 of 9 cells by 2 workers" in output
    assert "sizes: 7 of 9 cells, 00:00 left; now units=3" in output and "8 of 9 cells, 00:00 left\n" in output
    assert output.splitlines()[-1] == "  sizes: 9 of 9 cells"


def test_a_worker_that_fails_is_started_again_and_the_third_time_ends_the_study(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Workers, "script", [-9, None, None, -9, 1, None])
    with pytest.raises(RuntimeError) as error:
        engines.work(run, "sizes", tmp_path / "sizes", 2, lambda: ["units=2", "units=3"])
    assert "workers failed 3 times at units=3, at last with exit status 1" in str(error.value)
    assert ".log ends:\nline 41\n" in str(error.value) and str(error.value).endswith("line 49\nno memory")
    assert Workers.last.stopped == ([2, 3], 0.0)
    assert capsys.readouterr().out.count("ended with signal 9 at units=3; it is started again") == 2


def test_who_leaves_because_nothing_is_left_has_not_failed(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Workers, "script", [0, None])
    states = [["units=2", "units=3"], []]
    engines.work(run, "sizes", tmp_path / "sizes", 2, lambda: states.pop(0))
    assert len(Workers.last.started) == 2


def test_here_where_this_process_is_no_command_or_does_more(run, tmp_path, monkeypatch):
    settings = run.settings
    for change in ({"engine": "here", "num_processes": None}, {"num_processes": 1}, {"strategy": "mirrored"}):
        run.settings = dataclasses.replace(settings, **change)
        engines.work(run, "sizes", tmp_path / "sizes", 1, lambda: ["a"])
    run.settings = settings
    engines.work(run, "sizes", tmp_path / "sizes", 1, lambda: [])
    monkeypatch.setattr(engines, "_program", PROGRAM)
    engines.work(run, "sizes", tmp_path / "sizes", 1, lambda: ["a"])  # pytest is no recipe
    assert Workers.last is None
    run.settings = dataclasses.replace(settings, engine="ray")
    with pytest.raises(ValueError, match="--engine=ray has workers run the recipe's own command"):
        engines.work(run, "sizes", tmp_path / "sizes", 1, lambda: ["a"])


PROGRAM = engines._program


def test_the_command_of_a_module_and_of_a_file(run, monkeypatch):
    main = type(sys)("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert PROGRAM(run) is None
    main.__file__ = "folder/example.py"
    assert PROGRAM(run) == [os.path.abspath("folder/example.py")]
    main.__spec__ = importlib.util.spec_from_loader("recipes.example", loader=None)
    assert PROGRAM(run) == ["-m", "recipes.example"]
    main.__spec__ = importlib.util.spec_from_loader("recipes.other", loader=None)
    assert PROGRAM(run) is None
    main.__spec__, run.settings = None, dataclasses.replace(run.settings, mode="all")
    assert PROGRAM(run) is None, "workers would do the other phases too"


def test_a_worker_ends_with_who_started_it(tmp_path):
    """A process starts a worker and is killed; the worker is told to end by SIGTERM."""
    worker = "import time; from toolkit.training import engines; engines.follow(); print('follows', flush=True); "
    worker += "time.sleep(60)"
    starter = (
        "import sys, time; from toolkit.training import engines; "
        "print(engines._started(['-c', sys.argv[1]], {}, sys.argv[2], '.').pid, flush=True); time.sleep(60)"
    )
    log = tmp_path / "1.log"
    command = [sys.executable, "-c", starter, worker, str(tmp_path / "1")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        until(lambda: log.exists() and log.read_text() == "follows\n", 30)
        assert runs(pid)
        process.kill()
    until(lambda: not runs(pid), 10)


def test_run_worker_gives_the_status_and_adds_to_the_log(tmp_path):
    log = tmp_path / "1.log"
    words = ["-c", "import os, sys; print(os.environ['WHO'], *sys.argv[1:], flush=True); os.kill(os.getpid(), 9)"]
    for _ in range(2):
        assert engines.run_worker(words, {"WHO": "me"}, str(tmp_path / "1"), str(tmp_path)) == -9
    first, second = log.read_text().splitlines()
    assert first.startswith(f"me --workdir={tmp_path}/1-{os.getpid()}-")
    assert first != second, "what is left of the one before may be at its workdir"


def test_ray_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match="--engine=ray needs Ray, which is not installed. Type: .*pip install"):
        engines._Ray("")


def test_addresses_at_which_there_is_no_ray():
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        with pytest.raises(ValueError, match=f"--address=127.0.0.1:{port}: nothing is there; expected the head of"):
            engines._check_ray(f"127.0.0.1:{port}")
        listening.listen()

        def answer():
            connection, _ = listening.accept()
            with contextlib.closing(connection):
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(ValueError, match="something that says 'HTTP/1.1 400 Bad.* there; expected the head"):
            engines._check_ray(f"ray://127.0.0.1:{port}")
    with pytest.raises(ValueError, match="--address=head: expected HOST:PORT, such as 10.0.0.1:5050"):
        engines._check_ray("head")
