"""A trained network of another run, and how that run was made."""

import os
from typing import Any

from toolkit.training import networks
from toolkit.training.workdir import folder_of, stored_settings


def borrowed(workdir: str | os.PathLike, flag: str, stage: str = "model") -> tuple[Any, dict[str, Any]]:
    """Loads what a stage of another workdir has kept, without opening that workdir.

    Args:
        workdir: Of the other run, of any recipe.
        flag: What names it, for the error, such as "--model".
        stage: The stage.

    Returns:
        (network, stored): the Keras model with its best weights, or several by name; and what `stored_settings` gives:
        "recipe", "settings" and so on.

    Raises:
        ValueError: Where nothing is trained there, or a file of it is damaged.
        OSError: Where it cannot be read.
    """
    stored, folder = stored_settings(workdir), folder_of(workdir) / "checkpoints" / stage
    path = networks.checkpoint(folder)
    if stored is None or path is None or not (folder / networks.FILE).exists():
        raise ValueError(f"{flag}={workdir} holds no trained network {stage!r}: name the --workdir of a training.")
    found = networks.load(folder, path)
    return next(iter(found.values())) if len(found) == 1 else found, stored
