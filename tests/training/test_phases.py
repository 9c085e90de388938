import dataclasses
import os
import subprocess
import sys

import pytest
from absl import flags

from toolkit.training import Settings, setting
from toolkit.training.phases import settings_from_flags
from toolkit.training.run import Run
from toolkit.training.settings import define_flags


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example(Settings):
    units: int = setting(4, "cells", minimum=1)
    text: str = setting("abc", "what to write", changeable=True)


def settings(*arguments):
    values = flags.FlagValues()
    define_flags(Example, ("all", "train", "sample"), values, "recipe")
    values(["recipe", *arguments])
    return settings_from_flags(Example, values, "example")


def test_what_is_left_out_comes_from_the_workdir(tmp_path):
    where = f"--workdir={tmp_path}"
    Run(settings(where, "--units=7", "--text=x", "--epochs=40"), recipe="example").close()
    assert settings(where).units == 4, "nothing is trained yet"
    checkpoint = tmp_path / "checkpoints" / "model" / "latest.npz"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    again = settings(where, "--mode=sample")
    assert (again.units, again.text, again.mode, again.epochs) == (7, "abc", "sample", 40)
    assert settings(where, "--epochs=50").epochs == 50
    with pytest.raises(ValueError, match="made with --units=7, not 8"):
        Run(settings(where, "--units=8"), recipe="example")


def test_default_workdir():
    assert settings().workdir == os.path.join("runs", "example")


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


RECIPE = '''
"""A recipe."""
import dataclasses
from toolkit import training

@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(training.Settings):
    units: int = training.setting(4, "cells")

def train(run):
    print("training", run.settings.units)

def evaluate(run):
    run.report({"error_mm": 2.0})

def sample(run):
    raise ValueError("--units is no good")

def benchmark(run):
    print("benchmark")

if __name__ == "__main__":
    training.main(Settings, train, evaluate, sample, benchmark)
'''


def call(tmp_path, *arguments):
    (tmp_path / "example.py").write_text(RECIPE)
    return subprocess.run(
        [sys.executable, str(tmp_path / "example.py"), *arguments],
        capture_output=True,
        text=True,
        cwd=os.getcwd(),
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )


def test_modes_errors_and_silence(tmp_path):
    where = f"--workdir={tmp_path / 'run'}"
    done = call(tmp_path, where, "--mode=train", "--units=5")
    assert done.returncode == 0 and "training 5" in done.stdout
    assert done.stderr == "", "no chatter"
    done = call(tmp_path, where)
    assert done.returncode == 1
    assert "training 4" in done.stdout and "error_mm" in done.stdout and "benchmark" not in done.stdout
    assert "example: --units is no good" in done.stderr and "Traceback" not in done.stderr
    assert "Traceback" in (tmp_path / "run" / "error.txt").read_text()
    done = call(tmp_path, where, "--unit=5")
    assert done.returncode != 0 and "Did you mean" in done.stderr and "units" in done.stderr
