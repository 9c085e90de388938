"""A stage's state on disk: all variables and how far it is, in one file that is written whole or not at all."""

import json
import pathlib
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from toolkit.files import limits, text
from toolkit.files.arrays import Arrays
from toolkit.files.writing import write_whole

_PROGRESS = "progress"


def save(path: pathlib.Path, holders: Mapping[str, Any], progress: Mapping[str, Any]) -> None:
    """Writes the variables of models, optimisers or anything else that has `variables`.

    Args:
        path: The .npz file; its folder is there.
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
    write_whole(path, lambda file: _write_arrays(file, arrays))


def _write_arrays(file, arrays):
    """As `np.savez`, which on NumPy 1.26 leaves its archive open where the disk is full."""
    with zipfile.ZipFile(file, "w") as archive:
        for key, array in arrays.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as part:
                np.lib.format.write_array(part, np.asanyarray(array), allow_pickle=False)


def opened(path: pathlib.Path) -> Arrays:
    """Opens what `save` wrote, for reading; each array is read when it is asked for.

    Args:
        path: The .npz file.

    Returns:
        Its arrays, the progress among them.

    Raises:
        ValueError: Where the file is damaged.
    """
    # It is stored as it is: what it holds takes no more than the file does, where no one packed it since.
    bound = max(limits.GIB, path.stat().st_size) if path.is_file() else limits.GIB
    return Arrays(path, "a checkpoint", bound=bound, remedy="Remove it to start this stage anew.")


def read(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Reads what `save` wrote.

    Args:
        path: The .npz file.

    Returns:
        Its arrays by name, and the progress.

    Raises:
        ValueError: Where the file is damaged.
    """
    with opened(path) as file:
        return file.read_all([name for name in file.names if name != _PROGRESS]), _progress(file)


def progress_of(path: pathlib.Path, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Reads how far a checkpoint's training was, and none of its arrays.

    Args:
        path: The .npz file.
        fields: What it must say, by name, with its types.

    Raises:
        ValueError: Where the file is damaged, or does not say that.
    """
    with opened(path) as file:
        return _progress(file, fields or {})


def _progress(file, fields=None):
    def damaged(error):
        return ValueError(f"{file.path} is damaged: {error} Remove it to start this stage anew.")

    try:
        progress = json.loads(file.read(_PROGRESS).tobytes())
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise damaged("how far it is cannot be read.") from error
    try:
        return text.checked(progress, "what it says of itself", "a stage's progress", fields or {})
    except ValueError as error:
        raise damaged(error) from error


def restore(path: pathlib.Path, holders: Mapping[str, Any], fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Reads what `save` wrote into the same variables; other holders in the file are left alone.

    Args:
        path: The .npz file.
        holders: The objects by name; or plain lists of variables.
        fields: What the progress must say, by name, with its types.

    Returns:
        The progress.

    Raises:
        ValueError: Where the file is damaged, has other variables, shapes or dtypes, or holds what is not finite; then
            nothing is changed.
    """
    wanted = dict(variables(holders))
    with opened(path) as file:
        progress = _progress(file, fields)
        stored = {key for key in file.names if key.rpartition("/")[0] in holders}
        if stored != wanted.keys():
            raise ValueError(
                f"{path} was written for another model: it holds {len(stored)} variables, this model has {len(wanted)}."
            )
        arrays = {}
        for key, variable in wanted.items():
            arrays[key] = read_for(file, key, variable)
    for key, variable in wanted.items():
        assign(variable, arrays[key])
    return progress


def read_for(file: Arrays, key: str, variable: Any) -> np.ndarray:
    """Reads an array that a variable is to be.

    Args:
        file: The checkpoint.
        key: The array's name.
        variable: A variable, or a NumPy array, which may hold what it likes.

    Returns:
        The array.

    Raises:
        ValueError: Where it is of another shape or dtype, or a variable would hold what is not finite.
    """
    here, name = np.asarray(variable), _name(key, variable)
    shape, dtype = file.header(key)
    if shape != here.shape:
        raise ValueError(f"{file.path} was written for another size: {name} is {shape} there and {here.shape} here.")
    if dtype != here.dtype:
        raise ValueError(f"{file.path} is damaged: {name} is {dtype} there and {here.dtype} here.")
    array = file.read(key)
    if here is not variable and array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{file.path} is damaged: it holds values that are not finite, in {name}. Remove it.")
    return array


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
