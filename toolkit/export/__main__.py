"""Prints what a `.tflite` file offers: `python -m toolkit.export FILE.tflite`; TensorFlow is not needed."""

import argparse
import json
import math
import pathlib
import sys

import numpy as np

from toolkit.export import card as cards
from toolkit.export.inspection import read_verified
from toolkit.export.interpreter import NUM_THREADS, run_tflite_apart
from toolkit.export.tflite_file import check_apart
from toolkit.files import limits

_MOST_SECONDS = 120


def main(arguments: list[str] | None = None) -> int:
    """Inspects a file and prints what it found.

    Args:
        arguments: The command line, without the program's name.

    Returns:
        0, or 1 where the file is missing or no whole TFLite file.
    """
    parser = argparse.ArgumentParser(prog="python -m toolkit.export", description="What a .tflite file offers.")
    parser.add_argument("file", type=pathlib.Path, help="the .tflite file; units come from the card.json beside it")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        found = describe_tflite(options.file)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2) if options.json else _render(found))
    return 0


def describe_tflite(path: pathlib.Path) -> dict:
    """Reads a file, after it was opened in a process of its own, which a damaged file may crash; and runs it in one.

    Args:
        path: The file.

    Returns:
        What `inspect_tflite` returns, with a `unit` for each tensor, `builtin_ops_only`, `num_threads` and
        `latency_ms`, signature name to milliseconds, or `does_not_run`, the reason.

    Raises:
        FileNotFoundError: Where there is no such file.
        ValueError: Where it is no whole TFLite file, crashes the interpreter, or is not the one that the card beside it
            describes, or the card is damaged.
    """
    check_apart(path, _MOST_SECONDS)
    found = {"file": str(path), **read_verified(path)}
    found["builtin_ops_only"] = not found["custom_ops"]
    beside = path.with_name("card.json")
    described = cards.read_card(beside)["signatures"] if beside.exists() else {}
    feeds = {}
    for key, signature in found["signatures"].items():
        for kind, tensors in signature.items():
            for name, tensor in tensors.items():
                tensor["unit"] = described.get(key, {}).get(kind, {}).get(name, {}).get("unit", "")
        feeds[key] = {name: _zeros(tensor, f"{path}, {key}, {name},") for name, tensor in signature["inputs"].items()}
    try:
        found["num_threads"] = NUM_THREADS
        found["latency_ms"] = run_tflite_apart({"file": path}, feeds, NUM_THREADS, _MOST_SECONDS)["file"][1]
    except RuntimeError as error:
        found["does_not_run"] = str(error)
    return found


def _zeros(tensor, where):
    try:
        dtype, shape = np.dtype(tensor["dtype"]), [max(size, 1) for size in tensor["shape"]]
    except TypeError as error:
        raise ValueError(
            f"{where} is of {tensor['dtype']}, a dtype that NumPy does not have: it cannot be run on zeros."
        ) from error
    limits.check(math.prod(shape) * dtype.itemsize, where, limits.GIB)
    return np.zeros(shape, dtype)


def _render(found):
    builtin = "all ops builtin" if found["builtin_ops_only"] else f"NOT BUILTIN: {', '.join(found['custom_ops'])}"
    lines = [f"{found['file']}: {found['bytes']:,} bytes; {builtin}", f"ops: {', '.join(found['ops'])}"]
    if "does_not_run" in found:
        lines.append(f"does not run here: {found['does_not_run']}")
    for key, signature in found["signatures"].items():
        latency = (
            f": {found['latency_ms'][key]:.3g} ms on {found['num_threads']} thread" if "latency_ms" in found else ""
        )
        lines.append(f"{key}{latency}")
        for kind, tensors in signature.items():
            for name, tensor in tensors.items():
                shape = "×".join(map(str, tensor["shape"])) or "scalar"
                lines.append(f"  {kind[:-1]:<6}  {name}  {shape}  {tensor['dtype']}  {tensor['unit']}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
