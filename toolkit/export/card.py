"""The card of an exported model: its signatures, sizes, latencies, parity with the model, and what it was made from."""

import json
import math
import os
import pathlib
import platform
from collections.abc import Mapping
from importlib import metadata

import numpy as np

from toolkit.files import text

MEASURED = ("signatures", "files", "measured", "parity", "versions")
_TITLES = {"data": "Data", "licence": "Licence", "command": "Command"}


def check_card(given: Mapping) -> dict:
    """Checks what a program says about its model, and makes it plain JSON.

    Args:
        given: `name`, `description`, `metrics` (name to number), `data`, `licence`, `command`, and whatever else
            belongs on the card.

    Returns:
        A copy without NumPy types and paths; a NaN or infinity becomes its name.

    Raises:
        ValueError: Where an entry has a name that the export fills in itself, or a value is no JSON.

    Example:

    >>> check_card({"metrics": {"accuracy": np.float32(0.5)}})
    {'metrics': {'accuracy': 0.5}}
    """
    taken = sorted(set(given) & set(MEASURED))
    if taken:
        raise ValueError(f"card: {', '.join(taken)} is filled in by the export; choose another name.")
    return _plain(given, "card")


def versions() -> dict[str, str]:
    """Lists the versions of what made and ran the files.

    Returns:
        Package name to version.
    """
    packages = ("tensorflow", "keras", "ai-edge-litert", "ai-edge-quantizer", "numpy")
    return {"python": platform.python_version(), **{package: metadata.version(package) for package in packages}}


def write_card(folder: str | os.PathLike, card: Mapping) -> None:
    """Writes `card.json` and `card.md`.

    Args:
        folder: Where to.
        card: The card's entries.
    """
    folder = pathlib.Path(folder)
    (folder / "card.json").write_text(json.dumps(card, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(render_card(card), encoding="utf-8")


def read_card(path: str | os.PathLike) -> dict:
    """Reads a `card.json`.

    Args:
        path: The file.

    Returns:
        The card's entries, of which "signatures" and "files" are checked.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is no card of an exported model, or is damaged.
        OSError: Where the system refuses.
    """
    expected, remedy = "the card of an exported model", "Export it again."
    card = text.read_json(path, expected, fields={"signatures": dict, "files": dict}, remedy=remedy)
    for key, signature in card["signatures"].items():
        where = f"{path}, {key},"
        text.checked(signature, where, expected, {"inputs": dict, "outputs": dict})
        for tensor in (*signature["inputs"].values(), *signature["outputs"].values()):
            text.checked(tensor, where, expected, {"shape": list, "dtype": str, "unit": str})
    for name, file in card["files"].items():
        text.checked(file, f"{path}, {name},", expected, {"bytes": int})
    return card


def render_card(card: Mapping) -> str:
    """Renders a card for people.

    Args:
        card: What `card.json` holds.

    Returns:
        Markdown.
    """
    lines = [f"# {card.get('name', 'Model')}", ""]
    if "description" in card:
        lines += [str(card["description"]), ""]
    lines += [*_render_signatures(card), "", *_render_files(card), *_render_costs(card), "", *_render_parity(card)]
    if card.get("metrics"):
        lines += ["", "## Metrics", "", "| metric | value |", "| --- | --- |"]
        lines += [f"| {_cell(name)} | {_cell(_number(value))} |" for name, value in card["metrics"].items()]
    for key, value in card.items():
        if key not in ("name", "description", "metrics", *MEASURED):
            code = "`" if key == "command" else ""
            lines += ["", f"## {_TITLES.get(key, key)}", "", f"{code}{_text(value)}{code}"]
    lines += ["", "## Versions", "", ", ".join(f"{name} {version}" for name, version in card["versions"].items()), ""]
    return "\n".join(lines)


def _render_signatures(card):
    lines = ["## Signatures", "", "| signature | | tensor | shape | dtype | unit |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for key, signature in card["signatures"].items():
        noisy = " (draws noise)" if signature["random"] else ""
        for kind in ("inputs", "outputs"):
            for name, tensor in signature[kind].items():
                shape = " × ".join(map(str, tensor["shape"])) or "scalar"
                cells = (f"`{key}`{noisy}", kind[:-1], f"`{name}`", shape, tensor["dtype"], _cell(tensor["unit"]))
                lines.append(f"| {' | '.join(cells)} |")
    return lines


def _render_files(card):
    lines = ["## Files", "", "| file | bytes | builtin ops only | latency |", "| --- | --- | --- | --- |"]
    for name, file in card["files"].items():
        latency = ", ".join(f"`{key}` {value:.3g} ms" for key, value in file["latency_ms"].items())
        builtin = "yes" if file["builtin_ops_only"] else "no"
        lines.append(f"| `{name}` | {file['bytes']:,} | {builtin} | {latency} |")
    lines.append("")
    for name, file in card["files"].items():
        lines.append(
            f"- `{name}`: latency on {file['num_threads']} thread, {file['machine']}; ops {', '.join(file['ops'])}"
        )
    return lines


def _render_parity(card):
    lines = ["## Parity", "", "The largest absolute difference from the model on the same inputs.", ""]
    lines += ["| signature | output | largest difference |", "| --- | --- | --- |"]
    for key, parity in card["parity"].items():
        if "not_compared" in parity:
            lines.append(f"| `{key}` | all | not compared: {parity['not_compared']} |")
        for output, differences in parity.get("outputs", {}).items():
            row = ", ".join(f"{runtime} {value:.2g}" for runtime, value in differences.items())
            lines.append(f"| `{key}` | `{output}` | {row} |")
    return lines


def _render_costs(card):
    """What each file saves and loses against the one in full precision."""
    files, measured = card["files"], card.get("measured", {})
    if len(files) == 1 and not measured:
        return []
    full = next(iter(files.values()))
    # A signature that draws noise does other work at each call.
    keys = [key for key, signature in card["signatures"].items() if not signature["random"]]
    names = list(next(iter(measured.values()), {}))
    header = ["file", "bytes", *(f"`{key}`, ms" for key in keys), *map(_cell, names)]
    lines = ["", "## Cost of quantization", "", f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    for name in dict.fromkeys([*measured, *files]):
        cells = [f"`{name}`", *[""] * (1 + len(keys))]
        if name in files:
            pairs = [(files[name]["bytes"], full["bytes"], ",")]
            pairs += [(files[name]["latency_ms"][key], full["latency_ms"][key], ".3g") for key in keys]
            cells[1:] = [f"{value:{form}} ({value / most:.2f} ×)" for value, most, form in pairs]
        lines.append(f"| {' | '.join([*cells, *(_cell(_number(measured.get(name, {}).get(n, ''))) for n in names)])} |")
    for name, file in files.items():
        if "calibrated_with" in file:
            counts = ", ".join(f"{count} of `{key}`" for key, count in file["calibrated_with"].items())
            lines += ["", f"`{name}`: products and convolutions in int8; ranges from typical inputs: {counts}."]
    return lines


def _plain(value, where):
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, where) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist(), where)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"{where}: a {type(value).__name__} has no place in a card; give text, numbers, lists or dicts.")


def _cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def _number(value):
    return f"{value:.6g}" if isinstance(value, float) else value


def _text(value):
    return value if isinstance(value, str) else json.dumps(value)
