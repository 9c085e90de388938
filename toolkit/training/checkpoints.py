"""A stage's state on disk: all variables and how far it is, in one file that is written whole or not at all."""

import json
import pathlib
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from toolkit.files.writing import write_whole

_PROGRESS = "progress"


def save(path: pathlib.Path, holders: Mapping[str, Any], progress: Mapping[str, Any]) -> None:
    """Writes the variables of models, optimisers or anything else that has `variables`.

    Args:
        path: The .npz file.
        holders: The objects by name; or a plain list of variables.
        progress: How far the training is; anything JSON can hold.

    Raises:
        FloatingPointError: Where a variable is not finite: such a state is never written over a good one.
    """
    arrays = {}
    for key, variable in variables(holders):
        arrays[key] = array = np.asarray(variable)
        # An array may hold what it likes; a variable that is not finite is a training that went wrong.
        if array is not variable and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FloatingPointError(f"{_name(key, variable)} is not finite any more")
    arrays[_PROGRESS] = np.frombuffer(json.dumps(progress).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda file: _write_arrays(file, arrays))


def _write_arrays(file, arrays):
    """As `np.savez`, which on NumPy 1.26 leaves its archive open where the disk is full."""
    with zipfile.ZipFile(file, "w") as archive:
        for key, array in arrays.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as part:
                np.lib.format.write_array(part, np.asanyarray(array), allow_pickle=False)


def read(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Reads what `save` wrote.

    Args:
        path: The .npz file.

    Returns:
        Its arrays by name, and the progress.

    Raises:
        ValueError: Where the file is damaged.
    """
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        return arrays, json.loads(arrays.pop(_PROGRESS).tobytes())
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is damaged ({error}). Remove it to start this stage anew.") from error


def progress_of(path: pathlib.Path) -> dict[str, Any]:
    """Reads how far a checkpoint's training was, and none of its arrays.

    Args:
        path: The .npz file.

    Raises:
        ValueError: Where the file is damaged.
    """
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            return json.loads(file[_PROGRESS].tobytes())
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is damaged ({error}). Remove it to start this stage anew.") from error


def restore(path: pathlib.Path, holders: Mapping[str, Any]) -> dict[str, Any]:
    """Reads what `save` wrote into the same variables; other holders in the file are left alone.

    Args:
        path: The .npz file.
        holders: The objects by name; or plain lists of variables.

    Returns:
        The progress.

    Raises:
        ValueError: Where the file is damaged, or has other variables or shapes.
    """
    arrays, progress = read(path)
    wanted = dict(variables(holders))
    stored = {key for key in arrays if key.rpartition("/")[0] in holders}
    if stored != wanted.keys():
        raise ValueError(
            f"{path} was written for another model: it holds {len(stored)} variables, this model has {len(wanted)}."
        )
    for key, variable in wanted.items():
        if arrays[key].shape != tuple(variable.shape):
            raise ValueError(
                f"{path} was written for another size: {_name(key, variable)} is {arrays[key].shape} there and "
                f"{tuple(variable.shape)} here."
            )
    for key, variable in wanted.items():
        assign(variable, arrays[key])
    return progress


def assign(variable: Any, value: np.ndarray) -> None:
    """Puts a value into a variable, or into a NumPy array in place.

    Args:
        variable: A variable or an array.
        value: Of its shape.
    """
    if isinstance(variable, np.ndarray):
        variable[...] = value
    else:
        variable.assign(value)


def variables(holders: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables of all holders, with the names under which they are kept.

    Args:
        holders: The objects by name: models, optimizers, `keras.random.SeedGenerator`s, variables, NumPy arrays,
            lists of them.
    """
    # By position: Keras numbers its names through a process, so the same variable has another name in the next.
    for name, holder in holders.items():
        if hasattr(holder, "variables"):
            held = holder.variables
        elif hasattr(holder, "state"):  # a keras.random.SeedGenerator
            held = [holder.state]
        else:
            held = [holder] if hasattr(holder, "assign") or isinstance(holder, np.ndarray) else holder
        for index, variable in enumerate(held):
            yield f"{name}/{index:04d}", variable


def _name(key, variable):
    return f"{key.rpartition('/')[0]}/{getattr(variable, 'path', getattr(variable, 'name', 'array'))}"
