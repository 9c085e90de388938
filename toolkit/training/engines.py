"""The cells of a study by several processes: workers here or on a Ray cluster, each of them the recipe's own command.

A worker is the command that was typed, with a workdir of its own, in the role that two variables of its environment
give it. It claims cell after cell by their locks, until none is left. What it prints goes to a file.
"""

import collections
import dataclasses
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from toolkit.files.granted import num_cores
from toolkit.files.writing import write_text
from toolkit.training.workdir import kept

# Of a worker: its study, the process that started it, and the file that says which cell it is at.
_STUDY, _PARENT, _CELL = "TOOLKIT_STUDY", "TOOLKIT_STUDY_PARENT", "TOOLKIT_STUDY_CELL"
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0  # that a worker has for its last checkpoint
_TRIES = 3


def work(run: Any, name: str, folder: pathlib.Path, total: int, left: Callable[[], Sequence[str]]) -> None:
    """Has workers run the cells of a study until none is left, where --engine asks for them; else does nothing.

    A worker that ends before is started again, and goes on from the cell's last checkpoint.

    Args:
        run: The `Run` that asks.
        name: The study's.
        folder: Of its cells.
        total: How many cells there are.
        left: Gives the names of those that are not finished.

    Raises:
        ValueError: Where there can be no workers as asked for.
        RuntimeError: Where one failed three times at the same cell.
    """
    waiting = left()
    engine = _engine(run) if waiting else None
    if engine is None:
        return
    count = min(run.asked("num_processes") or max(1, int(engine.num_cores)), len(waiting))
    place = folder / ".workers"
    place.mkdir(parents=True, exist_ok=True)
    paths = {number: place / f"{socket.gethostname()}-{os.getpid()}-{number}" for number in range(1, count + 1)}
    threads = str(max(1, int(engine.num_cores) // count))
    environment = {**dict.fromkeys(_THREADS, threads), "TF_FORCE_GPU_ALLOW_GROWTH": "true", _STUDY: name}
    alone = {"engine": "here", "num_processes": None, "address": "", "study_folder": str(folder.parent)}

    def start(number):
        words = [*_program(run), *_flags(run.settings, workdir=None, **alone)]
        return engine.start(words, {**environment, _CELL: f"{paths[number]}.cell"}, str(paths[number]), count)

    print(f"  {name}: {len(waiting)} of {total} cells by {count} workers; what they print: {place}", flush=True)
    shown = _Progress(name, total, len(waiting))
    failures, workers, patience = collections.Counter(), {}, 0.0
    try:
        for number in paths:
            workers[number] = start(number)
        while True:
            codes = {number: engine.status(worker) for number, worker in workers.items()}
            began = time.monotonic()
            waiting = left()  # after it was seen who ended: who leaves because nothing is left has not failed
            seconds = time.monotonic() - began
            at = {number: cell for number, path in paths.items() if (cell := _at(path)) in waiting}
            shown(len(waiting), at.values())
            if not waiting:
                break
            for number in [number for number, code in codes.items() if code is not None]:
                where, why = at.get(number, "its start"), _told(codes[number])
                failures[where] += 1
                if failures[where] == _TRIES:
                    end = _end_of(pathlib.Path(f"{paths[number]}.log"))
                    raise RuntimeError(
                        f"study {name!r}: workers failed {_TRIES} times at {where}, at last with {why}. "
                        f"{paths[number]}.log ends:\n{end}"
                    )
                print(f"  {name}: worker {number} ended with {why} at {where}; it is started again", flush=True)
                workers[number] = start(number)
            time.sleep(max(_POLL_SECONDS, 20 * seconds))  # of ten thousand cells, or on a slow disk
        patience = 10.0
    finally:
        engine.stop(list(workers.values()), patience)


def tell(cell: str) -> None:
    """Says, where this process is a worker, which cell it is at.

    Args:
        cell: The cell's name.
    """
    if _CELL in os.environ:
        write_text(pathlib.Path(os.environ[_CELL]), cell)


def leave(name: str) -> None:
    """Ends this process where it is a worker of a study that is finished: what follows in the phase is not its work.

    Args:
        name: The study's.
    """
    if os.environ.get(_STUDY) == name:
        sys.exit(0)


def follow() -> None:
    """Ends this process, where it is a worker, when the one that started it is gone, however that ended."""
    parent = int(os.environ.get(_PARENT, "0"))

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)  # it leaves a checkpoint
        time.sleep(_PATIENCE_SECONDS)
        os._exit(128 + signal.SIGTERM)

    if parent:
        threading.Thread(target=watch, daemon=True).start()


def run_worker(words: Sequence[str], environment: Mapping[str, str], name: str, folder: str) -> int:
    """Runs a worker and waits for it: what a Ray task does, on whatever machine.

    Args:
        words: The command line behind Python.
        environment: Variables that are added to this process'.
        name: What its workdir's path begins with; to NAME.log is added what it prints.
        folder: Where it runs.

    Returns:
        Its exit status; minus the signal's number where one ended it.
    """
    worker = _started(words, environment, name, folder)
    try:
        while worker.poll() is None:  # `wait` would not hear that the task is cancelled
            time.sleep(_POLL_SECONDS)
        return worker.returncode
    finally:
        _end([worker])


class _Processes:
    """Workers on this machine.

    Each is in a session of its own: Ctrl-C reaches this process alone, which tells them once.
    """

    def __init__(self, address: str) -> None:
        self.num_cores = num_cores()

    def start(self, words, environment, name, count):
        return _started(words, environment, name, os.getcwd())

    def status(self, worker):
        """The exit status; None while it runs."""
        return worker.poll()

    def stop(self, workers, patience):
        """Waits some seconds for them to end by themselves, and then ends them."""
        _wait(workers, patience)
        _end(workers)


class _Ray:
    """Workers that tasks of a Ray cluster start, each on whatever machine has room."""

    def __init__(self, address: str) -> None:
        # Ray tells its makers what is done with it, and what it starts listens at all addresses, unless told not to.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if not address:
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # which means: not only there
        try:
            import ray
        except ImportError as error:
            raise ValueError(
                f"--engine=ray needs Ray, which is not installed. Type: {sys.executable} -m pip install 'ray>=2.40,<3'"
            ) from error
        how = {"address": "local", "_node_ip_address": "127.0.0.1", "include_dashboard": False}
        how |= {"num_cpus": max(1, int(num_cores())), "object_store_memory": 10**8}
        if address:
            _check_ray(address)
            how = {"address": address}
        handler = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(**how, logging_level="ERROR", log_to_driver=False)
        except Exception as error:  # of many kinds, Ray's and gRPC's
            where = f"--address={address}" if address else "--engine=ray"
            raise ValueError(f"{where}: Ray cannot be used: {error}") from error
        finally:
            signal.signal(signal.SIGTERM, handler)  # Ray takes it
        self._ray = ray
        self.num_cores = ray.cluster_resources().get("CPU", 1.0)
        self._num_gpus = ray.cluster_resources().get("GPU", 0.0)

    def start(self, words, environment, name, count):
        share = self.num_cores / count
        task = self._ray.remote(
            max_retries=-1,  # where a machine or Ray's process is lost
            num_cpus=int(share) or share,
            num_gpus=min(1.0, self._num_gpus / count),
        )(run_worker)
        return task.remote(list(words), dict(environment), name, os.getcwd())

    def status(self, task):
        """The worker's exit status; None while it runs, or waits for room."""
        ended, _ = self._ray.wait([task], timeout=0)
        try:
            return self._ray.get(task) if ended else None
        except self._ray.exceptions.RayError as error:
            raise RuntimeError(f"--engine=ray: a worker could not be run: {error}") from error

    def stop(self, tasks, patience):
        """Waits some seconds for them to end by themselves, then ends them, and what was started for them."""
        for seconds in (patience, _PATIENCE_SECONDS):
            _, tasks = self._ray.wait(tasks, num_returns=len(tasks), timeout=seconds) if tasks else ([], [])
            for task in tasks:
                self._ray.cancel(task, force=seconds == _PATIENCE_SECONDS)
        self._ray.shutdown()


_ENGINES = {"processes": _Processes, "ray": _Ray}


def _engine(run):
    """What starts workers; None where this process runs the cells itself."""
    kind = run.asked("engine")
    if kind == "here":
        return None
    program = None if run.timing or run.asked("strategy") != "single" else _program(run)
    if program is None and kind == "ray":
        raise ValueError(
            "--engine=ray has workers run the recipe's own command again: it is for one phase (--mode=...) of a recipe "
            "that was started by its file or module, with --strategy=single."
        )
    alone = run.asked("num_processes") == 1 and kind == "processes"
    return None if program is None or alone else _ENGINES[kind](run.asked("address"))


def _program(run):
    """How Python is told to run this recipe; None where this process is not its command, or does all its phases."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if run.settings.mode == "all" or not (spec or file):
        return None
    own = spec.name.rpartition(".")[2] if spec else pathlib.Path(file).stem
    return (["-m", spec.name] if spec else [os.path.abspath(file)]) if own == run.recipe else None


def _flags(settings, **changed):
    """The command line of settings, some of them changed; what is as by default is left out."""
    values = kept(settings) | changed
    wanted = {field.name: values[field.name] for field in dataclasses.fields(settings)}
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    return [f"--{name}={value}" for name, value in wanted.items() if value not in (None, defaults[name])]


def _started(words, environment, name, folder):
    """A worker's process. Its workdir is new: that of the one before it may be locked by what is left of that."""
    with open(f"{name}.log", "ab") as file:
        return subprocess.Popen(
            [sys.executable, *words, f"--workdir={name}-{os.getpid()}-{time.time_ns()}"],
            cwd=folder,
            env={**os.environ, **environment, _PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait(workers, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(worker.poll() is None for worker in workers):
        time.sleep(0.05)


def _end(workers):
    """Ends processes, which leave a checkpoint."""
    for worker in workers:
        worker.terminate()
    _wait(workers, _PATIENCE_SECONDS)
    for worker in workers:
        worker.kill()
        worker.wait()


def _check_ray(address):
    """Says in seconds what Ray would say in a minute: that there is no Ray."""
    from toolkit.data import service

    host, port = service.check_address(address.removeprefix("ray://"), "--address")
    found = service.probe(host, port, "/ray.rpc.NodeInfoGcsService/CheckAlive")
    if found not in (service.ANSWER, service.OTHER):
        raise ValueError(
            f"--address={address}: {found or 'nothing is'} there; expected the head of a Ray cluster, as `ray start "
            "--head` says it, such as 10.0.0.1:6379."
        )


class _Progress:
    """Prints how far a study is, where that has changed."""

    def __init__(self, name, total, waiting):
        self._name, self._total, self._first = name, total, waiting
        self._began, self._shown = time.monotonic(), waiting

    def __call__(self, waiting: int, running: Collection[str]) -> None:
        from tqdm import tqdm

        if waiting == self._shown:
            return
        self._shown = waiting
        seconds = (time.monotonic() - self._began) / (self._first - waiting) * waiting
        cells = [*sorted(running)[:4], *(["..."] if len(running) > 4 else [])]
        left = f", {tqdm.format_interval(seconds)} left" if waiting else ""
        now = f"; now {'; '.join(cells)}" if waiting and cells else ""
        print(f"  {self._name}: {self._total - waiting} of {self._total} cells{left}{now}", flush=True)


def _at(path):
    """The cell that a worker took last; "" before the first."""
    try:
        return pathlib.Path(f"{path}.cell").read_text()
    except OSError:
        return ""


def _told(code):
    return f"exit status {code}" if code >= 0 else f"signal {-code}"


def _end_of(log):
    """The last lines of a file."""
    try:
        text = log.read_bytes()[-8192:].decode("utf-8", "replace")
    except OSError as error:
        return f"({error.strerror})"
    lines = [line[:300] for line in re.split(r"[\r\n]+", text) if line.strip()]
    return "\n".join(lines[-10:])
