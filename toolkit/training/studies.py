"""Many trainings compared: the cells of a grid, each resumable, shared out between processes by their folders."""

import dataclasses
import itertools
import json
import pathlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.training.checkpoints import write_json
from toolkit.training.workdir import InUse

_POLL_SECONDS = 2.0


def study(run: Any, name: str, grid: Mapping[str, Sequence], one: Callable) -> list[dict[str, Any]]:
    """Runs one training for each cell of a grid; see `Run.study`.

    A cell is claimed by the lock on its folder, which the system frees however a process ends: another one goes on with
    it from its last checkpoint. Between machines this needs a file system whose locks all of them see.

    Args:
        run: The `Run` that asks; its settings are each cell's, but for the axes that name one.
        name, grid, one: As there.

    Returns:
        A row for each cell: its axes and its metrics.

    Raises:
        ValueError: Where an axis is empty, or a cell's folder was made with other settings.
    """
    axes = {axis: list(values) for axis, values in grid.items()}
    if not axes or not all(axes.values()):
        raise ValueError(f"study {name!r}: expected values for each axis of the grid; got {axes}.")
    cells = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    root = pathlib.Path(run.asked("study_folder") or run.workdir / "studies") / name
    while True:
        waits = []
        for number, cell in enumerate(cells, 1):
            folder = root / label(cell)
            if not (folder / "result.json").exists() and not _run(run, folder, cell, one, f"{number} of {len(cells)}"):
                waits.append(cell)
        if not waits:
            return [{**cell, **_result(root / label(cell))} for cell in cells]
        print(f"  {name}: {len(waits)} of {len(cells)} cells are with other processes; waiting", flush=True)
        time.sleep(_POLL_SECONDS)


def label(cell: Mapping[str, Any]) -> str:
    """Names a cell's folder.

    Args:
        cell: Its axes.

    Example:

    >>> label({"decoder": "per pixel", "seed": 3})
    'decoder=per_pixel,seed=3'
    """
    return ",".join(f"{axis}={re.sub(r'[^A-Za-z0-9.+-]+', '_', str(value))}" for axis, value in cell.items())


def _run(run, folder, cell, one, which):
    """Runs a cell, or returns False where another process is at it."""
    fields = {field.name for field in dataclasses.fields(run.settings)}
    settings = {axis: value for axis, value in cell.items() if axis in fields}
    try:
        inner = type(run)(
            dataclasses.replace(run.settings, workdir=str(folder), **settings), run.recipe, load=run._load
        )
    except InUse:
        return False
    try:
        if not (folder / "result.json").exists():  # another process may just have finished it
            print(f"\n  {label(cell)} ({which})", flush=True)
            metrics = {key: float(value) for key, value in one(inner, **cell).items()}
            write_json(folder / "result.json", metrics)
    finally:
        inner.close()
    return True


def _result(folder):
    try:
        return json.loads((folder / "result.json").read_text("utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{folder / 'result.json'} is damaged: {error}. Remove it; the cell is then run again."
        ) from error
