"""From the command line to a recipe's phases."""

import contextlib
import ctypes
import dataclasses
import os
import pathlib
import re
import signal
import sys
import traceback
from collections.abc import Callable

from toolkit.silence import silenced
from toolkit.training.settings import Settings, define_flags


def main(settings_class: type[Settings], *phases: Callable) -> None:
    """Runs a recipe from the command line.

    Args:
        settings_class: The recipe's settings; each field is a flag.
        *phases: Functions of a `Run`, in the order they run; their names are the choices of --mode. `--mode=all` runs
            all but those named in `APART`.
    """
    from absl import app, flags

    recipe = pathlib.Path(sys.argv[0]).stem
    by_name = {phase.__name__: phase for phase in phases}
    define_flags(settings_class, ("all", *by_name), flags.FLAGS, sys.argv[0])
    app.run(lambda _: sys.exit(_run(settings_class, by_name, recipe, flags.FLAGS)))


def settings_from_flags(settings_class: type[Settings], flag_values, recipe: str) -> Settings:
    """Settings from parsed flags; where the workdir holds a training, what is left out is as it was trained.

    Without a workdir and a training in its default, a phase that trains nothing takes the shipped model.

    Args:
        settings_class: The recipe's settings.
        flag_values: Parsed flags.
        recipe: The recipe's name, for the default workdir.

    Returns:
        The settings.
    """
    from toolkit.training.shipping import shipped, shipped_settings
    from toolkit.training.workdir import stored_settings

    values = {field.name: flag_values[field.name].value for field in dataclasses.fields(settings_class)}
    values["workdir"] = values["workdir"] or os.path.join("runs", recipe)
    stored, before, where = stored_settings(values["workdir"]), {}, ""
    if stored is not None and stored["recipe"] == recipe and stored["trained"]:
        before = stored["settings"]
    elif not flag_values["workdir"].value and values["mode"] not in TRAINING and shipped(recipe):
        before, where = shipped_settings(recipe), shipped(recipe)
    for field in dataclasses.fields(settings_class):
        if field.name in before and field.metadata["remembered"]:
            if not flag_values[field.name].present:
                values[field.name] = before[field.name]
            elif where and not field.metadata["changeable"] and values[field.name] != before[field.name]:
                raise ValueError(
                    f"{where} was made with --{field.name}={before[field.name]}, not {values[field.name]}. Leave the "
                    "flag out, or name the --workdir of a training of your own."
                )
    return settings_class(**values)


def _run(settings_class, by_name, recipe, flag_values):
    verbose = flag_values["verbose"].value
    run = None
    # Until TensorFlow's own start is over, Ctrl-C just ends the process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        settings = settings_from_flags(settings_class, flag_values, recipe)
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

        run = Run(settings, recipe, stand_in=None if flag_values["workdir"].value else shipped(recipe))
        names = [name for name in by_name if name not in APART] if settings.mode == "all" else [settings.mode]
        if not run.is_chief:
            names = [name for name in names if name == "train"]  # the rest is the chief's
        try:
            for name in names:
                print(f"\n== {recipe}: {name}", flush=True)
                by_name[name](run)
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
            if (run.workdir / made).exists():
                print(f"  {made:<15} {what.format(workdir=run.workdir)}")
        return 0
    except KeyboardInterrupt as stop:
        print("\nStopped; the same command goes on from what was written whole.", file=sys.stderr)
        return 143 if isinstance(stop, _Terminated) else 130
    except Exception as error:
        known = ValueError, OSError, RuntimeError
        if not isinstance(error, known) and not (run and isinstance(error, tf.errors.OpError)):
            raise
        print(f"\n{recipe}: {_told(error)}", file=sys.stderr)
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

# Phases that are run by themselves only, and those that the shipped model is not for.
APART = ("benchmark", "check_data", "serve_data", "ship", "read_written", "margin_losses")
TRAINING = ("all", "train", "check_data", "serve_data", "export", "ship", "margin_losses")

_FOLDERS = {
    "metrics.json": "the numbers above",
    "data_check.json": "what was found in the data",
    "pictures": "PNG, SVG and GIF",
    "sounds": "WAV",
    "tables": "CSV",
    "export": "saved_model/, model.tflite, card.md",
    "checkpoints": "the same command goes on from here",
    "logs": "tensorboard --logdir={workdir}/logs",
}
