"""`python -m toolkit.doctor`: looks at everything and prints a table, or JSON."""

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Iterator

from toolkit.doctor import hardware, software
from toolkit.doctor.finding import MISSING, Finding
from toolkit.terminal import outlast


def main(arguments: list[str] | None = None) -> int:
    """Prints each finding as soon as it is known.

    Args:
        arguments: The command line, without the program's name.

    Returns:
        0 where the recipes can run here, 1 where something that they need is missing.
    """
    outlast()
    parser = argparse.ArgumentParser(
        prog="python -m toolkit.doctor",
        description="What this machine offers the recipes, and what to type where something is missing.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--time_limit", type=_seconds, default=120.0, help="seconds that the libraries have to answer [%(default)g]"
    )
    options = parser.parse_args(arguments)
    try:
        os.getcwd()
    except OSError:
        parser.error("the current folder is gone: it was removed or moved. Change to another (cd).")
    findings = []
    for finding in look(options.time_limit):
        findings.append(finding)
        if not options.json:
            print(finding, flush=True)
    missing = [finding.name for finding in findings if finding.mark == MISSING]
    if options.json:
        print(
            json.dumps({"ok": not missing, "findings": [dataclasses.asdict(finding) for finding in findings]}, indent=2)
        )
    else:
        print(f"\nThe recipes cannot run: see {', '.join(missing)}." if missing else "\nThe recipes can run here.")
    return 1 if missing else 0


def _seconds(text):
    seconds = float(text)
    if not 0 < seconds <= 86_400:  # nor is nan
        raise ValueError
    return seconds


def look(time_limit: float) -> Iterator[Finding]:
    """Looks at everything.

    Args:
        time_limit: Seconds that the libraries have to answer.

    Yields:
        What was found.
    """
    python_range, requirements = software.wanted()
    yield software.python(python_range)
    yield hardware.processor()
    answers = software.ask(time_limit)
    yield from software.packages(requirements, answers)
    yield from software.keras_settings()
    yield from software.tested_set(requirements, answers)
    yield hardware.gpu(answers["tensorflow"])
    yield from hardware.precision(answers["speed"], bool(answers["tensorflow"].get("gpus")))
    yield from hardware.memory()
    yield from hardware.disks()
    yield from software.programs()


if __name__ == "__main__":
    sys.exit(main())
