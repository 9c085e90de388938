"""Runs `.tflite` files as a phone would: by signature name, with no TensorFlow in the process.

A file that needs TensorFlow's own kernels runs where TensorFlow was imported and fails elsewhere, so an export is run
by `run_tflite_apart`, in a process that never imports it.
"""

import functools
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping

import numpy as np

from toolkit.export import tflite_file
from toolkit.export._apart import read_feeds, run_apart, write_feeds
from toolkit.silence import silenced

# What files are timed with.
NUM_THREADS = 1
_MAX_RUNS = 30
_MAX_SECONDS = 1.0


def run_tflite(
    path: str | os.PathLike, feeds: Mapping[str, Mapping[str, np.ndarray]], num_threads: int = 1
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, float]]:
    """Runs signatures of a TFLite file in this process.

    Args:
        path: The file.
        feeds: Signature name to its inputs, by name.
        num_threads: Threads of the interpreter.

    Returns:
        Signature name to its outputs by name, of the first run; and signature name to the median time of a further run,
        in milliseconds.

    Raises:
        ValueError: Where the file is none, is damaged, has no such signature or input, or an op of it cannot run.
        OSError: Where it is not there, or the system refuses.
    """
    return _run_files({"file": path}, feeds, num_threads)["file"]


def tflite_caller(path: str | os.PathLike, num_threads: int = 1) -> Callable[..., dict[str, np.ndarray]]:
    """Loads a TFLite file to call its signatures as functions.

    Args:
        path: The file.
        num_threads: Threads of the interpreter.

    Returns:
        A function of a signature's name and, as keyword arguments, its inputs; it returns the outputs by name, and
        raises a ValueError where there is no such signature or input, or an op cannot run.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where the file is none, is damaged, or not the one that the card beside it describes.
        OSError: Where the system refuses.
    """
    runner = functools.cache(tflite_file.opened(path, num_threads).get_signature_runner)

    def call(key, /, **inputs):
        try:
            return runner(key)(**inputs)
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{path}: its signature {key!r} does not run: {tflite_file.told(error)}.") from error

    return call


def run_tflite_apart(
    paths: Mapping[str, str | os.PathLike],
    feeds: Mapping[str, Mapping[str, np.ndarray]],
    num_threads: int = 1,
    seconds: float | None = None,
) -> dict[str, tuple[dict[str, dict[str, np.ndarray]], dict[str, float]]]:
    """Runs signatures of TFLite files in a process without TensorFlow.

    Args:
        paths: A name for each file to the file.
        feeds: Signature name to its inputs, by name.
        num_threads: Threads of the interpreter.
        seconds: After which it is given up; None: never.

    Returns:
        A file's name to what `run_tflite` returns.

    Raises:
        RuntimeError: Where a file cannot be run there, ends that process, or is not done in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        request = {
            "paths": {name: os.fspath(path) for name, path in paths.items()},
            "signatures": list(feeds),
            "num_threads": num_threads,
        }
        (folder / "request.json").write_text(json.dumps(request))
        write_feeds(folder / "inputs.npz", feeds)
        (folder / "outputs").mkdir()
        run_apart("toolkit.export.interpreter", folder, seconds)
        milliseconds = json.loads((folder / "milliseconds.json").read_text())
        return {name: (read_feeds(folder / "outputs" / f"{name}.npz", feeds), milliseconds[name]) for name in paths}


def _run_files(paths, feeds, num_threads):
    """As `run_tflite`, for several files by name."""
    with silenced():
        callers = {name: tflite_caller(path, num_threads) for name, path in paths.items()}
        outputs, milliseconds = ({name: {} for name in paths} for _ in range(2))
        for key, inputs in feeds.items():
            for name, call in callers.items():
                outputs[name][key] = call(key, **inputs)
            seconds = {name: [] for name in paths}
            while all(len(each) < _MAX_RUNS and sum(each) < _MAX_SECONDS for each in seconds.values()):
                # In turns: what else the machine does then falls on all files alike.
                for name, call in callers.items():
                    start = time.perf_counter()
                    call(key, **inputs)
                    seconds[name].append(time.perf_counter() - start)
            for name, each in seconds.items():
                milliseconds[name][key] = 1000 * statistics.median(each)
    return {name: (outputs[name], milliseconds[name]) for name in paths}


def _main(folder):
    request = json.loads((folder / "request.json").read_text())
    feeds = read_feeds(folder / "inputs.npz", request["signatures"])
    milliseconds = {}
    for name, (outputs, times) in _run_files(request["paths"], feeds, request["num_threads"]).items():
        write_feeds(folder / "outputs" / f"{name}.npz", outputs)
        milliseconds[name] = times
    (folder / "milliseconds.json").write_text(json.dumps(milliseconds))


if __name__ == "__main__":
    _main(pathlib.Path(sys.argv[1]))
