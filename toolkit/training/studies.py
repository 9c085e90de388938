"""Many trainings compared: the cells of a grid, each resumable, shared out between processes by their folders."""

import dataclasses
import itertools
import os
import pathlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.files.text import numbers, read_json
from toolkit.files.writing import write_json
from toolkit.training import engines
from toolkit.training.workdir import InUse, folder_of, kept

_POLL_SECONDS = 1.0


def study(run: Any, name: str, grid: Mapping[str, Sequence] | Sequence[Mapping], one: Callable) -> list[dict[str, Any]]:
    """Runs one training for each cell of a grid; see `Run.study`.

    A cell is claimed by the lock on its folder, which the system frees however a process ends: another one goes on with
    it from its last checkpoint. Between machines this needs a file system whose locks all of them see.

    Args:
        run: The `Run` that asks; its settings are each cell's, but for the axes that name one.
        name, grid, one: As there.

    Returns:
        A row for each cell: its axes and its metrics.

    Raises:
        ValueError: Where an axis is empty, cells have unlike axes, or a cell's folder was made with other settings.
        RuntimeError: Where a worker fails again and again.
    """
    cells = _cells(name, grid)
    if len(set(map(label, cells))) < len(cells):
        raise ValueError(f"study {name!r}: two cells would share a folder; give values that have names of their own.")
    root = folder_of(run.asked("study_folder") or run.workdir / "studies") / name
    settings = [_settings(run, root / label(cell), cell) for cell in cells]
    rows: dict[int, dict] = {}

    def left():
        """Reads what is finished by now; the numbers of the cells that are not."""
        for number in [number for number in range(len(cells)) if number not in rows]:
            found = _result(run.recipe, settings[number])
            rows.update({} if found is None else {number: {**cells[number], **found}})
        return [number for number in range(len(cells)) if number not in rows]

    engines.work(run, name, root, len(cells), lambda: [label(cells[number]) for number in left()])
    told = None
    while waiting := left():
        for number in waiting:
            found = _cell(run, settings[number], cells[number], one, f"{number + 1} of {len(cells)}")
            rows.update({} if found is None else {number: {**cells[number], **found}})
        if waiting == left():
            if waiting != told:
                of = f"{len(waiting)} of {len(cells)} cells"
                print(f"  {name}: {of} are with other processes; waiting", flush=True)
            told = waiting
            time.sleep(_POLL_SECONDS)
    engines.leave(name)
    return [rows[number] for number in range(len(cells))]


def _cells(name, grid):
    """The cells of a grid, each its axes' values by name."""
    if not isinstance(grid, Mapping):
        cells = [dict(cell) for cell in grid]
        if not cells or not cells[0] or any(cell.keys() != cells[0].keys() for cell in cells):
            raise ValueError(f"study {name!r}: expected cells that have the same axes; got {cells[:3]}.")
        return [{axis: cell[axis] for axis in cells[0]} for cell in cells]
    axes = {axis: list(values) for axis, values in grid.items()}
    if not axes or not all(axes.values()):
        raise ValueError(f"study {name!r}: expected values for each axis of the grid; got {axes}.")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def label(cell: Mapping[str, Any]) -> str:
    """Names a cell's folder.

    Args:
        cell: Its axes.

    Example:

    >>> label({"decoder": "per pixel", "seed": 3})
    'decoder=per_pixel,seed=3'
    """
    return ",".join(f"{axis}={re.sub(r'[^A-Za-z0-9.+-]+', '_', str(value))}" for axis, value in cell.items())


def _settings(run, folder, cell):
    """A cell's settings."""
    fields = {field.name for field in dataclasses.fields(run.settings)}
    own = {axis: value for axis, value in cell.items() if axis in fields}
    return dataclasses.replace(run.settings, workdir=str(folder), **own)


def _cell(run, settings, cell, one, which):
    """A cell's metrics, which are kept or found now; None where another process is at it."""
    found = _result(run.recipe, settings)
    if found is not None:
        return found
    try:
        inner = type(run)(settings, run.recipe, load=run._load)
    except InUse:
        return None
    inner.timing = run.timing
    try:
        found = _result(run.recipe, settings)  # another process may just have finished it
        if found is None:
            print(f"\n  {label(cell)} ({which})", flush=True)
            engines.tell(label(cell))
            found = {key: float(value) for key, value in one(inner, **cell).items()}
            if not run.timing:
                made = {"recipe": run.recipe, "settings": _binding(settings), "metrics": found}
                write_json(inner.workdir / "result.json", made)
        return found
    finally:
        inner.close()


def _binding(settings):
    """Those of a cell's settings that its result depends on."""
    fields = [field for field in dataclasses.fields(settings) if field.metadata["remembered"]]
    values = kept(settings)
    return {field.name: values[field.name] for field in fields}


def _result(recipe, settings):
    """A finished cell's metrics; None where it is not finished, or is to be trained on."""
    folder = pathlib.Path(settings.workdir)
    path, expected, remedy = folder / "result.json", "a cell's result", "Remove it; the cell is then run again."
    if not os.path.lexists(path):
        return None
    made = read_json(path, expected, fields={"metrics": dict, "recipe": str, "settings": dict}, remedy=remedy)
    try:
        found = numbers(made["metrics"], f"{path}, metrics,", expected)
    except ValueError as error:
        raise ValueError(f"{error} {remedy}") from error
    before = {"recipe": made["recipe"], **made["settings"]}
    now = {"recipe": recipe, **_binding(settings)}
    changed = {name for name in now if before.get(name, now[name]) != now[name]}
    binds = {field.name for field in dataclasses.fields(settings) if not field.metadata["changeable"]} | {"recipe"}
    for name in sorted(changed & binds):
        raise ValueError(
            f"{folder} was made with {name}={before[name]}, not {now[name]}. Give the study another name or folder."
        )
    return None if changed else found
