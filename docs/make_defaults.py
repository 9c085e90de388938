"""Runs recipes as they are out of the box, one after the other, and writes time and peak memory into docs/running.md.

`./run python docs/make_defaults.py [RECIPE...]`, without names all of them, on a machine that does nothing else.
"""

import datetime
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "running.md"
HEAD = "| recipe | minutes | of processor | peak memory, MB | measured |"
# What has to be there before a recipe can run out of the box: the recipe that makes it.
AFTER = {"codes_prior": "vqvae_image"}


def main(names: list[str]) -> None:
    """Measures recipes and puts their rows into the table, each as soon as it is there.

    Args:
        names: Of recipes; none: all.

    Raises:
        SystemExit: If a recipe is unknown or fails.
    """
    known = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.py"))
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"no recipe {', '.join(unknown)}; expected of {', '.join(known)}")
    for name in names or known:
        with tempfile.TemporaryDirectory() as folder:
            if name in AFTER:
                measured(AFTER[name], folder)
            before, (minutes, processor, memory) = busy_minutes(), measured(name, folder)
        busy = (busy_minutes() - before - processor) / minutes / os.cpu_count() > 0.05
        where = machine() + busy * ", which did other things"
        row = f"| [{name}](recipes/{name}.md) | {minutes:.1f} | {processor:.1f} | {memory:,.0f} | {where} |"
        print(row, flush=True)
        text = TABLE.read_text(encoding="utf-8")
        TABLE.write_text(with_row(text, row), encoding="utf-8")


def measured(name: str, folder: str) -> tuple[float, float, float]:
    """Runs every phase of a recipe: minutes by the clock, minutes of the processor, and the most memory in MB.

    Args:
        name: The recipe's.
        folder: In which it runs, and leaves `runs/`.

    Raises:
        SystemExit: If it fails.
    """
    began = time.monotonic()
    with open(os.path.join(folder, f"{name}.txt"), "w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", f"recipes.{name}"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        if status:
            said.seek(0)
            raise SystemExit(f"{name} failed:\n{said.read()[-4000:]}")
    # In kilobytes on Linux, in bytes on macOS; of the process and the largest of those it waited for.
    memory = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return (time.monotonic() - began) / 60, (used.ru_utime + used.ru_stime) / 60, memory


def busy_minutes() -> float:
    """Minutes that all cores together have worked since the machine started; 0 where that cannot be read."""
    try:
        words = pathlib.Path("/proc/stat").read_text(encoding="utf-8").split()[1:9]
    except OSError:  # not Linux
        return 0.0
    user, nice, system, _, _, *others = map(int, words)
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK") / 60


def machine() -> str:
    """Today, and how many cores of what processor."""
    try:
        told = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not Linux
        told = ""
    found = re.search(r"model name\s*: (.*)", told)
    processor = re.sub(r"\((R|TM)\)| Processor", "", found.group(1)).strip() if found else platform.processor()
    return f"{datetime.date.today()}, {os.cpu_count()} cores of {processor}"


def with_row(text: str, row: str) -> str:
    """A page with a row in its table, in the place of the one that begins alike, rows in order.

    Args:
        text: Of the page, which has `HEAD`.
        row: The new row.

    Raises:
        SystemExit: If the page has no such table.
    """
    before, head, rest = text.partition(HEAD + "\n")
    if not head:
        raise SystemExit(f"{TABLE} has no table that begins with {HEAD}")
    rule, *lines = rest.split("\n")
    rows = [line for line in lines if line.startswith("| [")]
    after = lines[len(rows) :]
    kept = [line for line in rows if line.split("|")[1] != row.split("|")[1]]
    return "\n".join([before + head + rule, *sorted([*kept, row]), *after])


if __name__ == "__main__":
    main(sys.argv[1:])
