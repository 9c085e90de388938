"""From the command line to a recipe's phases."""

import contextlib
import ctypes
import faulthandler
import os
import pathlib
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from toolkit.files import limits
from toolkit.files.writing import write_text
from toolkit.keras_settings import import_keras
from toolkit.settings.fields import help_text
from toolkit.settings.running import Devices, Export, Training
from toolkit.silence import silenced
from toolkit.terminal import outlast
from toolkit.training import engines, signals
from toolkit.training.flags import define_flags, given, settings_from_flags
from toolkit.training.timing import show_latencies


def main(
    settings_class: type,
    load: Callable | None,
    *phases: Callable,
    trains: int = 1,
    apart: tuple[Callable, ...] = (),
    untrained: tuple[Callable, ...] = (),
) -> None:
    """Runs a recipe from the command line.

    What every recipe can do is there too, where its settings have the group: --mode=benchmark (Training) times a few
    steps of what trains, --mode=serve_data (Devices) reads for trainings elsewhere, --mode=ship (Export) makes the
    run's model the one that comes with the code.

    Args:
        settings_class: The recipe's settings; each field is a flag of `absl.flags.FLAGS`.
        load: Gives the data for the settings, `run.data`; None for a recipe without data.
        *phases: Functions of a `Run`, in the order that `--mode=all` runs them; their names are the choices of --mode.
        trains: How many of them, from the first on, train. The others use what was trained: here, or else the model
            that comes with the code.
        apart: Phases that run where --mode names them and never with the others; they use what was trained.
        untrained: The like, which need nothing trained, such as a look at the data.
    """
    from absl import flags

    outlast()
    faulthandler.enable()
    engines.follow()
    recipe = Recipe(settings_class, load, phases, trains, apart, untrained)
    if {"--help", "-help", "-h", "-?"} & set(sys.argv[1:]):
        print(sys.modules["__main__"].__doc__ or "", help_text(settings_class, recipe.modes), sep="")
        sys.exit(0)
    define_flags(settings_class, recipe.modes, flags.FLAGS)
    try:
        with signals.ending():
            status = _run(recipe, sys.argv[1:], flags.FLAGS)
    except KeyboardInterrupt as stop:
        print("\nStopped; the same command goes on from what was written whole.", file=sys.stderr)
        status = 143 if isinstance(stop, signals.Terminated) else 130
    sys.exit(status)


class Recipe:
    """A recipe's phases, its own and those that every recipe has.

    Args:
        settings_class, load, phases, trains, apart, untrained: As `main` takes them.

    Attributes:
        name: That of its file.
        modes: What --mode can be.
    """

    def __init__(
        self,
        settings_class: type,
        load: Callable | None,
        phases: tuple[Callable, ...],
        trains: int = 1,
        apart: tuple[Callable, ...] = (),
        untrained: tuple[Callable, ...] = (),
    ) -> None:
        self.settings_class, self.load = settings_class, load
        self.name = pathlib.Path(sys.argv[0]).stem
        self._in_order = {phase.__name__: phase for phase in phases}
        self._training = list(self._in_order)[:trains]
        self._by_name = {**self._in_order, **{phase.__name__: phase for phase in (*apart, *untrained)}}
        built_in = {"benchmark": (Training, self._benchmark), "ship": (Export, _ship)}
        if load is not None:
            built_in["serve_data"] = (Devices, _serve_data)
        for name, (needed, phase) in built_in.items():
            if issubclass(settings_class, needed):
                self._by_name[name] = phase
        self.modes = ("all", *self._by_name)
        self._without_model = {"all", *self._training, *(phase.__name__ for phase in untrained), "serve_data", "ship"}
        self._without_model |= {"benchmark"}

    def uses_a_model(self, mode: str) -> bool:
        """Says whether a phase uses what was trained, without training.

        Args:
            mode: What --mode is.
        """
        return mode not in self._without_model

    def chosen(self, mode: str, is_chief: bool) -> dict[str, Callable]:
        """Gives the phases to run, by name.

        Args:
            mode: What --mode is.
            is_chief: Whether this process writes; the others only train with it.
        """
        names = list(self._in_order) if mode == "all" else [mode]
        return {name: self._by_name[name] for name in names if is_chief or name in self._training}

    def _benchmark(self, run):
        """Times the steps of what trains, and says what the export's signatures take."""
        run.timing = True
        for name in self._training:
            self._in_order[name](run)
        with contextlib.suppress(ValueError):  # nothing is exported
            show_latencies(run.exported)


def _serve_data(run):
    """Reads for trainings with the same --data_service, until it is stopped."""
    from toolkit.data.service import Server

    found = run.data.values() if isinstance(run.data, Mapping) else [run.data]
    splits = [getattr(each, "splits", each) for each in found]
    parts = [getattr(each, name, None) for each in splits for name in ("train", "validation", "test")]
    if not any(parts):
        raise ValueError("--mode=serve_data: `load` gives no train, validation and test (or several such by name).")
    address = run.settings.data_service
    print(
        "  Warning: whoever reaches the ports of this service, at any address of this machine, can run code and read "
        "and write files as you.",
        flush=True,
    )
    server = Server(address, [part for part in parts if part is not None])
    role = "one more reader of" if server.joined else "serving data at"
    print(f"  {role} {address}; Ctrl-C ends it", flush=True)
    server.wait()


def _ship(run):
    """Makes this run's model the one that comes with the code."""
    from toolkit.training.shipping import ship

    print("  written:", ship(run))


def _run(recipe, words, flag_values):
    run, verbose, began = None, False, time.time()
    try:
        _check_current_folder()
        named = given(recipe.settings_class, recipe.modes, words, flag_values)
        verbose, mode = named.get("verbose", False), named.get("mode", "all")
        uses = recipe.uses_a_model(mode)
        settings = settings_from_flags(recipe.settings_class, named, recipe.name, uses)
        limits.allow(settings.max_gigabytes)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if verbose else "3")
        if getattr(settings, "engine", "here") != "here":
            os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # it is for the workers too
        keep_freed_memory()

        from toolkit.training import cluster, distribution

        if getattr(settings, "strategy", "") == "multi_worker":
            cluster.task()  # what TF_CONFIG says, before anything is waited for
        with contextlib.nullcontext() if verbose else silenced():
            import_keras()
            import tensorflow as tf  # its start prints past any setting
        if not verbose:
            tf.get_logger().setLevel("ERROR")

        from toolkit.training.run import Run
        from toolkit.training.shipping import shipped
        from toolkit.training.stage import Interrupted

        stand_in = shipped(recipe.name) if uses and "workdir" not in named else None
        run = Run(settings, recipe.name, load=recipe.load, stand_in=stand_in)
        try:
            for name, phase in recipe.chosen(settings.mode, run.is_chief).items():
                print(f"\n== {recipe.name}: {name}", flush=True)
                phase(run)
        except Interrupted as stop:
            print(f"\n{stop.message}", file=sys.stderr)
            return stop.code
        except distribution.WorkerLost as loss:
            print(f"\n{loss}", file=sys.stderr, flush=True)
            os.execv(sys.executable, sys.orig_argv)
        finally:
            run.close()
        if not run.is_chief:
            return 0
        print(f"\nWritten to {run.workdir}:")
        for made, what in _FOLDERS.items():
            paths = [run.workdir / made, *(run.workdir / made).rglob("*")]
            if any(path.exists() and path.stat().st_mtime >= began for path in paths):
                print(f"  {made:<15} {what.format(workdir=run.workdir)}")
        return 0
    except Exception as error:
        known = ValueError, OSError, RuntimeError, MemoryError
        if not isinstance(error, known) and not (run and isinstance(error, tf.errors.OpError)):
            raise
        print(f"\n{recipe.name}: {told(error)}", file=sys.stderr)
        if verbose:
            traceback.print_exc()
        elif run is not None and run.is_chief:
            with contextlib.suppress(OSError):  # the disk may be full
                write_text(run.workdir / "error.txt", traceback.format_exc())
                print(f"(where it happened: {run.workdir / 'error.txt'})", file=sys.stderr)
        return 1


def _check_current_folder():
    try:
        os.getcwd()
    except OSError as error:
        raise ValueError("the current folder is gone: it was removed or moved. Change to another (cd).") from error


def told(error: Exception) -> str:
    """Says what an error is, for a person who has not read the code.

    Args:
        error: Of one that went through TensorFlow's threads, what Python code raised there is told.

    Example:

    >>> told(FileNotFoundError(2, "No such file or directory", "words.txt"))
    'words.txt: No such file or directory.'
    """
    text, kind = str(error), type(error).__name__
    if kind == "ResourceExhaustedError" or isinstance(error, MemoryError):
        found = re.search(r"OOM when allocating tensor with shape\[([\d,]+)\]", text)
        what = f" for a tensor of {found[1].replace(',', ' x ')}" if found else ""
        return (
            f"there is not enough memory{what}. Lower --batch_size, or what else decides how much is computed at once."
        )
    if isinstance(error, RecursionError):
        return "something is nested too deeply, in the data or in a file of the run."
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        files = " -> ".join(str(file) for file in (error.filename, error.filename2) if file is not None)
        return f"{files}: {error.strerror}." if files else f"{error.strerror} ({kind})."
    if "tensorflow" in type(error).__module__:
        inner = re.findall(r"^(?:ValueError|OSError|FileNotFoundError|RuntimeError): (.+)$", text, re.MULTILINE)
        text = inner[-1] if inner else text
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ...") or kind


_LONGEST = 4000  # characters of what is told


def keep_freed_memory() -> None:
    """Has glibc keep large blocks for the next step, in one place for all threads.

    TensorFlow frees a step's tensors as it goes; paging them in anew cost a fifth of a training step on two cores. Each
    thread would keep its own, which no other could use: a quarter more memory. Threads that run already keep what they
    have, so this comes before TensorFlow's.
    """
    with contextlib.suppress(OSError, AttributeError):  # another libc
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        for option, value in _KEEPING:
            mallopt(option, value)


_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8  # of malloc.h
_KEEPING = (_M_ARENA_MAX, 1), (_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**28)

_FOLDERS = {
    "metrics.json": "the numbers above",
    "benchmarks.json": "the times above",
    "data_check.json": "what was found in the data",
    "pictures": "PNG, SVG and GIF",
    "masks": "PNG of the classes' numbers, with a palette",
    "sounds": "WAV",
    "tables": "CSV",
    "export": "saved_model/, model.tflite and smaller ones, card.md",
    "checkpoints": "the same command goes on from here",
    "logs": "tensorboard --logdir={workdir}/logs",
}
