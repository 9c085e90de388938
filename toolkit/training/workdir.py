"""The folder of a run: whose it is, with which settings, and that one process at a time writes to it."""

import dataclasses
import datetime
import fcntl
import json
import os
import pathlib
import re
import shlex
import sys
import weakref
from typing import Any

from toolkit.files.writing import write_json
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.settings.running import Devices, Export, Study

# What a recipe that does not take from these groups cannot be asked for.
_ABSENT = {field.name: field.default for group in (Devices, Export, Study) for field in dataclasses.fields(group)}


class InUse(ValueError):
    """Another process is at this workdir."""


class Workdir:
    """A folder that belongs to one recipe and, once something is trained in it, to one set of sizes.

    Args:
        settings: The recipe's settings.
        recipe: The recipe's name, kept in settings.json.

    Attributes:
        workdir: The folder.

    Raises:
        ValueError: Where no folder is named.
    """

    def __init__(self, settings: Any, recipe: str = "") -> None:
        if not settings.workdir:
            raise ValueError("--workdir is needed: a folder for everything the run writes.")
        self.settings = settings
        self.recipe = recipe
        self.workdir = pathlib.Path(settings.workdir).absolute()
        self._lock = None

    def asked(self, name: str) -> Any:
        """What a setting is, or its default where the recipe has no such.

        Args:
            name: Of a field of the groups in toolkit.settings.
        """
        return getattr(self.settings, name, _ABSENT[name])

    def open(self) -> None:
        """Makes or opens the folder, locks it, and keeps the settings in it.

        Raises:
            ValueError: Where it belongs to another recipe, to other settings, or to another running process.
            OSError: Where it cannot be written.
        """
        if self.workdir.is_dir() and stored_settings(self.workdir) is None:
            others = [path.name for path in self.workdir.iterdir() if not path.name.startswith(".")]
            if others:
                raise ValueError(
                    f"--workdir={self.workdir} holds other files ({', '.join(sorted(others)[:3])}) and no "
                    "settings.json: it is not a run's folder. Choose a new or empty one."
                )
        try:
            self.workdir.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.workdir / ".lock", os.O_CREAT | os.O_WRONLY)
        except OSError as error:
            raise OSError(f"--workdir={self.workdir} cannot be written: {error.strerror}.") from error
        self._lock = weakref.finalize(self, os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(
                f"--workdir={self.workdir} is in use by another run. Wait for it, or choose another folder."
            ) from error
        stored = stored_settings(self.workdir)
        if stored is None:
            stored = {"recipe": self.recipe, "commands": []}
        elif stored["recipe"] != self.recipe:
            raise ValueError(
                f"--workdir={self.workdir} belongs to the recipe {stored['recipe']!r}, not to {self.recipe!r}. "
                "Choose another folder."
            )
        for field in dataclasses.fields(self.settings):
            now = getattr(self.settings, field.name)
            before = stored.get("settings", {}).get(field.name, now)
            if stored.get("trained") and before != now and not field.metadata["changeable"]:
                raise ValueError(
                    f"--workdir={self.workdir} was made with --{field.name}={before}, not {now}. "
                    "Choose another folder, or leave the flag out."
                )
        for left in self.workdir.rglob(".*.tmp"):
            inside = [
                folder for folder in left.parents if folder.is_relative_to(self.workdir) and folder != self.workdir
            ]
            if re.fullmatch(r"\..+\.\d+\.tmp", left.name) and not any((folder / ".lock").exists() for folder in inside):
                left.unlink(missing_ok=True)  # a process was killed while it wrote; what has a lock is another's
        stored.pop("trained", None)
        stored["settings"] = dataclasses.asdict(self.settings)
        stored["versions"] = versions()
        stored["commands"].append([datetime.datetime.now().isoformat(timespec="seconds"), command()])
        write_json(self.workdir / "settings.json", stored)

    def trains(self) -> None:
        """Keeps this command as the one that trained last."""
        path = self.workdir / "settings.json"
        if path.exists():
            write_json(path, {**json.loads(path.read_text()), "trained_by": command()})

    def close(self) -> None:
        """Lets another run have the workdir."""
        if self._lock is not None:
            self._lock()

    def path(self, *names: str) -> pathlib.Path:
        """A path in the workdir, its folder made.

        Args:
            *names: Its parts, such as "pictures", "line.png".
        """
        path = self.workdir.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def stored_settings(workdir: str | os.PathLike) -> dict[str, Any] | None:
    """What settings.json of a workdir says.

    Args:
        workdir: The folder.

    Returns:
        Its content, "trained_by": the command that trained last, and "trained": whether there is a checkpoint that
        binds the settings; None where there is no such file.

    Raises:
        ValueError: Where the file is not a run's.
    """
    path = pathlib.Path(workdir) / "settings.json"
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text())
        trained = any(path.parent.glob("checkpoints/**/*.npz"))
        kept = {key: stored[key] for key in ("recipe", "settings", "commands")}
        return {**kept, "trained_by": stored.get("trained_by", ""), "trained": trained}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not the settings of a run. Choose another --workdir.") from error


def versions() -> dict[str, str]:
    """Of Python and of what the computation depends on most."""
    return {"python": sys.version.split()[0], "tensorflow": tf.__version__, "keras": keras.__version__}


def command() -> str:
    """This process' command line, as a person would type it again."""
    # Not sys.argv: `-m` and the command `toolkit` leave nothing of themselves there.
    words = sys.orig_argv[1:]
    if words and pathlib.Path(words[0]).name == "toolkit":
        return shlex.join(["toolkit", *words[1:]])
    return shlex.join(["python", *words])
