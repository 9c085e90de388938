"""Trained models that come with the code: saved_models/RECIPE, written by a recipe and read by it."""

import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterable

from toolkit.export.card import render_card
from toolkit.lazy import tensorflow as tf
from toolkit.training.checkpoints import write_json
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
    return folder if (folder / "model.keras").is_file() and (folder / "card.json").is_file() else None


def shipped_settings(recipe: str) -> dict:
    """Reads how the shipped model was made.

    Args:
        recipe: The recipe's name.

    Returns:
        Setting to value.
    """
    return json.loads((FOLDER / recipe / "card.json").read_text("utf-8"))["settings"]


def ship(run, model, pictures: Iterable[str], *, curve: str, text: str = "") -> pathlib.Path:
    """Puts a run's export, its Keras model, training curve and pictures into saved_models/RECIPE.

    What is there is replaced file by file, so that other things in the folder, such as a demo, stay.

    Args:
        run: The `Run`; its export/ is there.
        model: The trained Keras model, without an optimizer.
        pictures: Names of the run's pictures to show on the card.
        curve: The scalar whose curve is the training's picture.
        text: What else the card says of the training.

    Returns:
        The folder.

    Raises:
        ValueError: Where there is no export, or no such picture.
    """
    export = run.workdir / "export"
    paths = [run.workdir / "pictures" / f"{name}.png" for name in pictures]
    missing = [str(path) for path in [export / "card.json", *paths] if not path.exists()]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing. First: --mode=export and --mode=sample.")
    new, folder = FOLDER / f".{run.recipe}.{os.getpid()}.tmp", FOLDER / run.recipe
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(export, new)
    model.save(new / "model.keras")
    (new / "pictures").mkdir()
    for path in paths:
        shutil.copy(path, new / "pictures" / path.name)
    figure = _curve(run.workdir / "logs", curve)
    if figure is not None:
        figure.savefig(new / "pictures" / "training.png", dpi=100)
    card = json.loads((new / "card.json").read_text("utf-8"))
    card["command"] = _trained_by(run)
    card["settings"] = {**card["settings"], "workdir": "", "mode": "all"}
    card["metrics"] = json.loads((run.workdir / "metrics.json").read_text("utf-8"))
    if text:
        card["Training"] = text
    write_json(new / "card.json", card)
    shown = [f"![{path.stem}](pictures/{path.name})" for path in sorted((new / "pictures").glob("*.png"))]
    (new / "card.md").write_text("\n".join([render_card(card), "## Pictures", "", *shown, ""]), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    for part in new.iterdir():
        if (folder / part.name).is_dir():
            shutil.rmtree(folder / part.name)
        os.replace(part, folder / part.name)
    new.rmdir()
    return folder


def _trained_by(run):
    """The last command that trained, its workdir and mode left out: the one that trains the same again."""
    commands = json.loads((run.workdir / "settings.json").read_text("utf-8"))["commands"]
    trained = [line for _, line in commands if "--mode" not in line or re.search(r"--mode[= ](train|all)\b", line)]
    return re.sub(r" --(workdir|mode)[= ]\S+", "", (trained or [commands[0][1]])[-1])


def _curve(logs, tag):
    """A metric over the steps, of the event files that the run wrote; None where it has no such."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for split in ("train", "validation"):
        steps = {}
        for path in sorted((logs / split).glob("events*")):
            events = EventAccumulator(str(path), size_guidance={"tensors": 0}).Reload()
            for name in events.Tags()["tensors"]:
                if name.endswith(tag):
                    steps |= {event.step: float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors(name)}
        if steps:
            found[split] = sorted(steps.items())
    return charts.curves(found, "step", tag.replace("_", " ")) if found else None
