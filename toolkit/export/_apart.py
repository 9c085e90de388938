"""Runs LiteRT's interpreter in a process of its own, which a file may crash, with arrays in a file between the two."""

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping

import numpy as np


def run_apart(module: str, path: str | os.PathLike, seconds: float | None = None) -> None:
    """Runs `python -m module path` on the CPU; raises RuntimeError with the end of its output where it fails."""
    root = pathlib.Path(__file__).resolve().parents[2]
    places = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": places, "CUDA_VISIBLE_DEVICES": "-1"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, os.fspath(path)],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"it was not done within {seconds:g} seconds") from error
    if done.returncode < 0:
        raise RuntimeError(f"it crashed the interpreter: {signal.strsignal(-done.returncode)}")
    if done.returncode:
        raise RuntimeError(done.stderr.strip().split("\n")[-1])


def write_feeds(path: pathlib.Path, feeds: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Writes arrays that are named by signature and tensor to an `.npz`."""
    # As JSON: in a file of other people's making a name may hold any character, so that none can stand between two.
    named = {json.dumps([key, name]): array for key, arrays in feeds.items() for name, array in arrays.items()}
    np.savez(path, **named)


def read_feeds(path: pathlib.Path, keys: Iterable[str]) -> dict[str, dict[str, np.ndarray]]:
    """Reads what `write_feeds` wrote for these signatures."""
    feeds = {key: {} for key in keys}
    with np.load(path, allow_pickle=False) as arrays:
        for full_name in arrays.files:
            key, name = json.loads(full_name)
            feeds[key][name] = arrays[full_name]
    return feeds
