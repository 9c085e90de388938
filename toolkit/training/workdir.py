"""The folder of a run: whose it is, with which settings, and that one process at a time writes to it."""

import dataclasses
import datetime
import fcntl
import os
import pathlib
import re
import shlex
import stat
import sys
import weakref
from typing import Any

from toolkit.data import sources
from toolkit.files import binary
from toolkit.files.text import read_json
from toolkit.files.writing import write_json
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.settings.fields import check
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
        trained_data: What --data was when something was trained here; None where nothing is.

    Raises:
        ValueError: Where no folder is named, or that of a user who is none.
    """

    def __init__(self, settings: Any, recipe: str = "") -> None:
        if not settings.workdir:
            raise ValueError("--workdir is needed: a folder for everything the run writes.")
        self.settings = settings
        self.recipe = recipe
        self.workdir = folder_of(settings.workdir)
        self.trained_data: str | None = None
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
        stored = stored_settings(self.workdir, type(self.settings))
        if self.workdir.is_dir() and stored is None:
            others = [path.name for path in self.workdir.iterdir() if not path.name.startswith(".")]
            if others:
                raise ValueError(
                    f"--workdir={self.workdir} holds other files ({', '.join(sorted(others)[:3])}) and no "
                    "settings.json: it is not a run's folder. Choose a new or empty one."
                )
        try:
            self.workdir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            file = os.path.lexists(self.workdir) and not self.workdir.is_dir()
            why = "it is a file, or a link to nothing" if file else error.strerror
            raise OSError(f"--workdir={self.workdir} cannot be written: {why}.") from error
        lock = _opened_lock(self.workdir / ".lock")
        self._lock = weakref.finalize(self, os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(
                f"--workdir={self.workdir} is in use by another run. Wait for it, or choose another folder."
            ) from error
        stored = stored_settings(self.workdir, type(self.settings))  # again: now nobody else writes it
        now = kept(self.settings)
        if stored is None:
            stored = {"recipe": self.recipe, "commands": []}
        elif stored["recipe"] != self.recipe:
            raise ValueError(
                f"--workdir={self.workdir} belongs to the recipe {stored['recipe']!r}, not to {self.recipe!r}. "
                "Choose another folder."
            )
        if stored.get("trained"):
            for field in dataclasses.fields(self.settings):
                before = stored["settings"].get(field.name, now[field.name])
                before = sources.absolute(before) if field.metadata["path"] and before else before
                if field.name == "data":  # it may have been moved: what it holds says whether it is the same
                    now["data"] = self.trained_data = before
                elif before != now[field.name] and not field.metadata["changeable"]:
                    raise ValueError(self.made_with(field.name, before, getattr(self.settings, field.name)))
        for left in self.workdir.rglob(".*.tmp"):
            inside = [
                folder for folder in left.parents if folder.is_relative_to(self.workdir) and folder != self.workdir
            ]
            ours = re.fullmatch(r"\..+\.\d+\.tmp", left.name) and (left.is_file() or left.is_symlink())
            if ours and not any((folder / ".lock").exists() for folder in inside):
                left.unlink(missing_ok=True)  # a process was killed while it wrote; what has a lock is another's
        stored.pop("trained", None)
        stored["settings"] = now
        stored["versions"] = versions()
        stored["commands"].append([datetime.datetime.now().isoformat(timespec="seconds"), command()])
        write_json(self.workdir / "settings.json", stored)

    def made_with(self, name: str, before: Any, now: Any) -> str:
        """Says that a setting cannot be changed here any more.

        Args:
            name: The setting's.
            before: What it was.
            now: What it is to be.
        """
        return (
            f"--workdir={self.workdir} was made with --{name}={before}, not {now}. Choose another folder, or leave the "
            "flag out."
        )

    def trains(self) -> None:
        """Keeps this command as the one that trained last."""
        path = self.workdir / "settings.json"
        if path.exists():
            write_json(path, {**_read(path), "trained_by": command()})

    def data_is_at(self, source: str) -> None:
        """Keeps where the data is now that this was trained on, for commands that leave --data out.

        Args:
            source: What --data is.
        """
        self.trained_data, path = sources.absolute(source), self.workdir / "settings.json"
        stored = _read(path)
        write_json(path, {**stored, "settings": {**stored["settings"], "data": self.trained_data}})

    def close(self) -> None:
        """Lets another run have the workdir."""
        if self._lock is not None:
            self._lock()

    def path(self, *names: str) -> pathlib.Path:
        """A path in the workdir, its folder made.

        Args:
            *names: Its parts, such as "pictures", "line.png".

        Raises:
            OSError: Where the workdir is gone, which is not made anew, or the path's folder cannot be made.
        """
        path = self.workdir.joinpath(*names)
        if not self.workdir.is_dir():
            raise OSError(f"--workdir={self.workdir} is gone. Was it removed or moved?")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(f"{path.parent} cannot be made: {error.strerror}.") from error
        return path


def _opened_lock(path):
    try:
        # Neither a link, which could be to a file of someone else's, nor a pipe, which would be waited for.
        lock = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
            raise OSError(f"{path} is no lock but a link, a folder or a pipe. Remove it.") from error
        raise OSError(f"--workdir={path.parent} cannot be written: {error.strerror}.") from error
    if not stat.S_ISREG(os.fstat(lock).st_mode):
        os.close(lock)
        raise OSError(f"{path} is no lock but a pipe or a device. Remove it.")
    return lock


def folder_of(workdir: str | os.PathLike) -> pathlib.Path:
    """Makes what --workdir names a path that holds from any folder.

    Args:
        workdir: The folder; a `~` at its start is the user's home.

    Raises:
        ValueError: Where it is that of a user who is none, or no path.
        OSError: Where the system refuses such a path.
    """
    path = binary.expanded(workdir).absolute()
    try:
        if "\0" in str(path):
            raise ValueError(f"--workdir={str(workdir)!r} cannot be a path: it holds a zero byte.")
        path.is_dir()
    except OSError as error:  # too long
        raise OSError(f"--workdir={workdir} cannot be written: {error.strerror}.") from error
    return path


def kept(settings: Any) -> dict[str, Any]:
    """Gives settings as settings.json keeps them: their paths hold from any folder.

    Args:
        settings: A recipe's.
    """
    found = dataclasses.asdict(settings)
    paths = [field.name for field in dataclasses.fields(settings) if field.metadata["path"]]
    return {**found, **{name: sources.absolute(found[name]) for name in paths if found[name]}}


def _read(path):
    fields = {"recipe": str, "settings": dict, "commands": list}
    return read_json(path, "the settings of a run", fields=fields, remedy="Choose another --workdir.")


def stored_settings(workdir: str | os.PathLike, settings_class: type | None = None) -> dict[str, Any] | None:
    """What settings.json of a workdir says.

    Args:
        workdir: The folder.
        settings_class: The recipe's settings, to see that what is kept is of their types; what they do not know, as of
            another version, is passed over.

    Returns:
        Its content, "trained_by": the command that trained last, and "trained": whether there is a checkpoint that
        binds the settings; None where there is no such file.

    Raises:
        ValueError: Where the file is not a run's, or a setting in it is of another type.
    """
    path = folder_of(workdir) / "settings.json"
    if not os.path.lexists(path):
        return None
    stored = _read(path)
    for field in dataclasses.fields(settings_class) if settings_class else ():
        if field.name in stored["settings"]:
            try:
                check(field, stored["settings"][field.name])
            except ValueError as error:
                raise ValueError(
                    f"{path} was changed: {error} Put it right there, or choose another --workdir."
                ) from error
    found = {key: stored[key] for key in ("recipe", "settings", "commands")}
    return {**found, "trained_by": str(stored.get("trained_by", "")), "trained": is_trained(path.parent)}


def is_trained(workdir: pathlib.Path) -> bool:
    """Says whether a workdir has a checkpoint.

    Args:
        workdir: The folder.
    """
    return any(workdir.glob("checkpoints/**/*.npz"))


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
