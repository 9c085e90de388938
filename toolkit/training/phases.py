"""From the command line to a recipe's phases."""

import contextlib
import ctypes
import functools
import os
import pathlib
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from toolkit.files import limits
from toolkit.settings.fields import help_text
from toolkit.settings.running import Devices, Export, Training
from toolkit.silence import silenced
from toolkit.training.flags import define_flags, settings_from_flags
from toolkit.training.timing import show_latencies


def main(
    settings_class: type,
    load: Callable | None,
    *phases: Callable,
    trains: int = 1,
    apart: tuple[Callable, ...] = (),
    checks: tuple[Callable, ...] = (),
) -> None:
    """Runs a recipe from the command line.

    What every recipe can do is there too, where its settings have the group: --mode=benchmark (Training) times a few
    steps of what trains, --mode=serve_data (Devices) reads for trainings elsewhere, --mode=ship (Export) makes the
    run's model the one that comes with the code.

    Args:
        settings_class: The recipe's settings; each field is a flag.
        load: Gives the data for the settings, `run.data`; None for a recipe without data.
        *phases: Functions of a `Run`, in the order that `--mode=all` runs them; their names are the choices of --mode.
        trains: How many of them, from the first on, train. The others use what was trained: here, or else the model
            that comes with the code.
        apart: Phases that run by themselves only, and use what was trained.
        checks: Phases that run by themselves only, and need nothing trained.
    """
    from absl import app, flags

    recipe = Recipe(settings_class, load, phases, trains, apart, checks)
    if {"--help", "-help", "-h", "-?"} & set(sys.argv[1:]):
        print(sys.modules["__main__"].__doc__ or "", help_text(settings_class, recipe.modes), sep="")
        sys.exit(0)
    define_flags(settings_class, recipe.modes, flags.FLAGS, sys.argv[0])
    app.run(lambda _: sys.exit(_run(recipe, flags.FLAGS)), flags_parser=functools.partial(_parsed, flags))


def _parsed(flags, words):
    """Takes the command line apart; absl's own error would send to a help that knows no groups."""
    try:
        return flags.FLAGS(words)
    except flags.Error as error:
        print(f"{error}\n--help lists every flag.", file=sys.stderr)
        sys.exit(1)


class Recipe:
    """A recipe's phases, its own and those that every recipe has.

    Args:
        settings_class, load, phases, trains, apart, checks: As `main` takes them.

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
        checks: tuple[Callable, ...] = (),
    ) -> None:
        self.settings_class, self.load = settings_class, load
        self.name = pathlib.Path(sys.argv[0]).stem
        self._in_order = {phase.__name__: phase for phase in phases}
        self._training = list(self._in_order)[:trains]
        self._by_name = {**self._in_order, **{phase.__name__: phase for phase in (*apart, *checks)}}
        built_in = {"benchmark": (Training, self._benchmark), "ship": (Export, _ship)}
        if load is not None:
            built_in["serve_data"] = (Devices, _serve_data)
        for name, (needed, phase) in built_in.items():
            if issubclass(settings_class, needed):
                self._by_name[name] = phase
        self.modes = ("all", *self._by_name)
        self._without_model = {"all", *self._training, *(phase.__name__ for phase in checks), "serve_data", "ship"}
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
    server = Server(run.settings.data_service, [part for part in parts if part is not None])
    role = "one more reader of" if server.joined else "serving data at"
    print(f"  {role} {run.settings.data_service}; Ctrl-C ends it", flush=True)
    server.wait()


def _ship(run):
    """Makes this run's model the one that comes with the code."""
    from toolkit.training.shipping import ship

    print("  written:", ship(run))


def _run(recipe, flag_values):
    verbose, mode, began = flag_values["verbose"].value, flag_values["mode"].value, time.time()
    run = None
    # Until TensorFlow's own start is over, Ctrl-C just ends the process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        uses = recipe.uses_a_model(mode)
        settings = settings_from_flags(recipe.settings_class, flag_values, recipe.name, uses)
        limits.allow(settings.max_gigabytes)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if verbose else "3")
        keep_freed_memory()
        with contextlib.nullcontext() if verbose else silenced():
            import tensorflow as tf  # its start prints past any setting
        if not verbose:
            tf.get_logger().setLevel("ERROR")

        from toolkit.training.distribution import WorkerLost
        from toolkit.training.run import Run
        from toolkit.training.shipping import shipped
        from toolkit.training.stage import Interrupted

        stand_in = shipped(recipe.name) if uses and not flag_values["workdir"].value else None
        run = Run(settings, recipe.name, load=recipe.load, stand_in=stand_in)
        try:
            for name, phase in recipe.chosen(settings.mode, run.is_chief).items():
                print(f"\n== {recipe.name}: {name}", flush=True)
                phase(run)
        except Interrupted as stop:
            print(f"\n{stop.message}", file=sys.stderr)
            return stop.code
        except WorkerLost as loss:
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
    except KeyboardInterrupt as stop:
        print("\nStopped; the same command goes on from what was written whole.", file=sys.stderr)
        return 143 if isinstance(stop, _Terminated) else 130
    except Exception as error:
        known = ValueError, OSError, RuntimeError
        if not isinstance(error, known) and not (run and isinstance(error, tf.errors.OpError)):
            raise
        print(f"\n{recipe.name}: {_told(error)}", file=sys.stderr)
        if verbose:
            traceback.print_exc()
        elif run is not None and run.is_chief:
            with contextlib.suppress(OSError):  # the disk may be full
                (run.workdir / "error.txt").write_text(traceback.format_exc())
                print(f"(where it happened: {run.workdir / 'error.txt'})", file=sys.stderr)
        return 1


def _told(error):
    """An error's text; of one that went through TensorFlow's threads, the one that Python code raised there."""
    inner = re.findall(r"^(?:ValueError|OSError|FileNotFoundError|RuntimeError): (.+)$", str(error), re.MULTILINE)
    return inner[-1] if inner and "tensorflow" in type(error).__module__ else str(error)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came where there is nothing to be saved."""


def _terminate(number, frame):
    raise _Terminated


def keep_freed_memory() -> None:
    """Has glibc keep large blocks for the next step instead of handing each back to the system.

    TensorFlow frees a step's tensors as it goes; paging them in anew cost a fifth of a training step on two cores.
    """
    with contextlib.suppress(OSError, AttributeError):  # another libc
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        for option, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**28)):
            mallopt(option, value)


_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # of malloc.h

_FOLDERS = {
    "metrics.json": "the numbers above",
    "benchmarks.json": "the times above",
    "data_check.json": "what was found in the data",
    "pictures": "PNG, SVG and GIF",
    "sounds": "WAV",
    "tables": "CSV",
    "export": "saved_model/, model.tflite and smaller ones, card.md",
    "checkpoints": "the same command goes on from here",
    "logs": "tensorboard --logdir={workdir}/logs",
}
