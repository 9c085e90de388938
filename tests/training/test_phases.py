"""A recipe from the command line: its phases, those that every recipe has, its help, its errors."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from toolkit import settings
from toolkit.training.phases import Recipe, told


def train(run): ...
def second(run): ...
def sample(run): ...
def read(run): ...
def look(run): ...


def recipe(settings_class, load=len, trains=1):
    return Recipe(settings_class, load, (train, second, sample), trains, apart=(read,), untrained=(look,))


def test_a_recipe_offers_what_it_can_do():
    class All(settings.Devices, settings.Export):
        """Everything."""

    own = ("all", "train", "second", "sample", "read", "look")
    assert recipe(settings.Run).modes == own
    assert recipe(settings.Training).modes == (*own, "benchmark")
    assert recipe(settings.Devices, load=None).modes == (*own, "benchmark")
    assert set(recipe(All).modes) == {*own, "benchmark", "ship", "serve_data"}


def test_which_phases_run_and_which_use_a_trained_model():
    two = recipe(settings.Devices, trains=2)
    assert list(two.chosen("all", True)) == ["train", "second", "sample"]
    assert list(two.chosen("all", False)) == ["train", "second"], "other workers only train"
    assert list(two.chosen("read", True)) == ["read"] and not two.chosen("read", False)
    uses = {mode for mode in two.modes if two.uses_a_model(mode)}
    assert uses == {"sample", "read"}


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.txt"), "a.txt: No such file or directory."),
        (OSError(28, "No space left on device"), "No space left on device (OSError)."),
        (OSError(18, "Invalid link", "a", None, "b"), "a -> b: Invalid link."),
        (MemoryError(), "there is not enough memory. Lower --batch_size"),
        (RecursionError("maximum recursion depth exceeded"), "something is nested too deeply"),
        (RuntimeError(), "RuntimeError"),
        (ValueError("x" * 9000), "x" * 4000 + " ..."),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[32,99] and type float"),
            "there is not enough memory for a tensor of 32 x 99. Lower --batch_size",
        ),
        (
            tf.errors.InvalidArgumentError(None, None, "In a thread:\nValueError: a.png is damaged\n\t at node"),
            "a.png is damaged",
        ),
    ],
)
def test_what_is_told_of_an_error(error, answer):
    assert told(error).startswith(answer) and "Errno" not in told(error)


def test_freed_memory_is_kept_for_the_next_step():
    """Page faults of freeing and taking a large block again and again, with and without."""
    code = (
        "import resource\n"
        "import numpy as np\n"
        "from toolkit.training.phases import keep_freed_memory\n"
        "{call}\n"
        "for _ in range(20): np.ones(50_000_000, 'uint8')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
    )
    faults = []
    for call in ("keep_freed_memory()", "pass"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(call=call)], capture_output=True, text=True, check=True
        )
        faults.append(int(done.stdout))
    assert faults[0] + 2_000 < faults[1] or not sys.platform.startswith("linux")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_what_one_thread_freed_another_takes():
    """Memory of a process whose six threads have a block of 30 MB, one after the other, all alive to the end."""
    code = (
        "import resource, threading\n"
        "import numpy as np\n"
        "from toolkit.training.phases import keep_freed_memory\n"
        "keep_freed_memory()\n"
        "def pages(): return int(open('/proc/self/statm').read().split()[1])\n"
        "def work(turn): turn.wait(); np.ones(30_000_000, 'uint8'); had.set(); end.wait()\n"
        "had, end, turns = threading.Event(), threading.Event(), [threading.Event() for _ in range(6)]\n"
        "for turn in turns: threading.Thread(target=work, args=(turn,)).start()\n"
        "before = pages()\n"
        "for turn in turns: turn.set(), had.wait(), had.clear()\n"
        "print((pages() - before) * resource.getpagesize() / 1e6)\n"
        "end.set()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 20 < float(done.stdout) < 60


RECIPE = '''
"""A recipe.

  python -m recipes.example
"""
from toolkit import settings, training
from toolkit.settings import setting

@settings.recipe
class Settings(settings.Training):
    units: int = setting(4, "cells")

def load(s):
    print("loading", s.units)
    return [1, 2, 3]

def train(run):
    import keras
    print("training", run.settings.units, sum(run.data), sum(run.data), keras.config.image_data_format())

def evaluate(run):
    run.report({"error_mm": 2.0})

def sample(run):
    raise ValueError("--units is no good")

def read_written(run):
    print("apart")

if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, apart=(read_written,))
'''


@pytest.fixture(name="call")
def caller(tmp_path):
    def call(*arguments):
        (tmp_path / "example.py").write_text(RECIPE)
        # What another program of the user's may need.
        (tmp_path / "keras.json").write_text('{"backend": "torch", "image_data_format": "channels_first"}')
        return subprocess.run(
            [sys.executable, str(tmp_path / "example.py"), *arguments],
            capture_output=True,
            text=True,
            cwd=os.getcwd(),
            env={**os.environ, "PYTHONPATH": os.getcwd(), "KERAS_HOME": str(tmp_path)},
        )

    return call


def test_modes_errors_and_silence(tmp_path, call):
    where = f"--workdir={tmp_path / 'run'}"
    done = call(where, "--mode=train", "--units=5")
    assert done.returncode == 0 and "training 5 6 6 channels_last" in done.stdout and done.stdout.count("loading") == 1
    assert done.stderr == "", "no chatter"
    kept = tmp_path / "kept"
    kept.write_text("of another")
    (tmp_path / "run" / "error.txt").symlink_to(kept)
    done = call(where)
    assert done.returncode == 1 and kept.read_text() == "of another"
    assert "training 4" in done.stdout and "error_mm" in done.stdout and "apart" not in done.stdout
    assert "example: --units is no good" in done.stderr and "Traceback" not in done.stderr
    assert "Traceback" in (tmp_path / "run" / "error.txt").read_text()
    done = call(where, "--unit=5")
    assert done.returncode != 0 and "Did you mean" in done.stderr and "units" in done.stderr
    assert "--help lists every flag" in done.stderr and "helpfull" not in done.stderr
    commands = json.loads((tmp_path / "run" / "settings.json").read_text())["commands"]
    assert len(commands) == 2


def test_help_begins_with_the_recipes_own(call):
    done = call("--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("A recipe.\n")
    assert (
        done.stdout.index("This recipe:") < done.stdout.index("--units: cells [4]") < done.stdout.index("--mode: <all|")
    )
    assert "--strategy" not in done.stdout and "read_written|benchmark" in done.stdout
