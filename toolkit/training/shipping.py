"""Trained models that come with the code: saved_models/RECIPE, written by a recipe and read by it."""

import os
import pathlib
import re
import shutil
from typing import Any

from toolkit.export.card import render_card
from toolkit.files.text import read_json
from toolkit.files.writing import write_json
from toolkit.training import networks
from toolkit.training.learning_curves import learning_curves
from toolkit.training.workdir import stored_settings
from toolkit.visualize import charts

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "saved_models"


def shipped(recipe: str) -> pathlib.Path | None:
    """Finds the model that comes with the code.

    Args:
        recipe: The recipe's name.

    Returns:
        Its folder; None where there is none.
    """
    folder = FOLDER / recipe
    return folder if any(folder.glob("*.keras")) and (folder / "card.json").is_file() else None


def shipped_settings(recipe: str) -> dict:
    """Reads how the shipped model was made.

    Args:
        recipe: The recipe's name.

    Returns:
        Setting to value.
    """
    return _card(FOLDER / recipe, "Put back the file that came with the code.")["settings"]


def ship(run: Any) -> pathlib.Path:
    """Puts a run's export, the networks of its stages, a training curve and its pictures into saved_models/RECIPE.

    The SavedModel is left out: an export makes it of the networks, and each copy of the weights is megabytes. What is
    there is replaced file by file, so that other things in the folder, such as a demo, stay.

    Args:
        run: The `Run`; its export/ is there. What its setting `note` says stands on the card.

    Returns:
        The folder.

    Raises:
        ValueError: Where there is no export, or no network.
    """
    export = run.workdir / "export"
    stages = sorted(path.parent for path in (run.workdir / "checkpoints").rglob(networks.FILE))
    stages = [stage for stage in stages if networks.checkpoint(stage)]
    if not (export / "card.json").exists() or not stages:
        raise ValueError(f"{run.workdir} has nothing to ship. First: --mode=all.")
    new, folder = FOLDER / f".{run.recipe}.{os.getpid()}.tmp", FOLDER / run.recipe
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(export, new, ignore=shutil.ignore_patterns("saved_model"))
    for stage in stages:
        for name, network in networks.load(stage, networks.checkpoint(stage)).items():
            named = networks.shipped_name(str(stage.relative_to(run.workdir / "checkpoints")), name)
            network.save(new / f"{named}.keras")
    (new / "pictures").mkdir()
    for path in sorted((run.workdir / "pictures").glob("*.png")):
        shutil.copy(path, new / "pictures" / path.name)
    curves = learning_curves(run.workdir)
    if curves:
        charts.curves(curves, "step", "loss").savefig(new / "pictures" / "training.png", dpi=100)
    card = _card(new, "Export again.")
    trained_by = stored_settings(run.workdir)["trained_by"]
    card["command"] = re.sub(r" --(workdir|mode)[= ]\S+", "", trained_by)  # what trains the same again
    card["settings"] = {**card["settings"], "workdir": None, "mode": "all"}
    card["metrics"] = run.metrics()
    if run.asked("note"):
        card["Training"] = run.asked("note")
    write_json(new / "card.json", card)
    shown = [f"![{path.stem}](pictures/{path.name})" for path in sorted((new / "pictures").glob("*.png"))]
    (new / "card.md").write_text("\n".join([render_card(card), "## Pictures", "", *shown, ""]), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.keras"), *folder.glob("*.tflite")):
        if not (new / old.name).exists():
            old.unlink()  # of a model that is replaced
    for part in new.iterdir():
        if (folder / part.name).is_dir():
            shutil.rmtree(folder / part.name)
        os.replace(part, folder / part.name)
    new.rmdir()
    return folder


def _card(folder, remedy):
    return read_json(folder / "card.json", "the card of a model", fields={"settings": dict}, remedy=remedy)
