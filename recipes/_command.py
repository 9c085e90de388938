"""The command `toolkit`: the recipes, and what there is round them.

toolkit recipes                     lists the recipes
toolkit run NAME --workdir=FOLDER   runs one; `toolkit run NAME --help` shows its settings
toolkit inspect FILE.tflite         what an exported file offers
toolkit doctor                      what this machine offers, and what to type where something is missing
"""

import difflib
import importlib
import pathlib
import runpy
import sys

from recipes import __main__ as recipe_list
from toolkit import __version__
from toolkit.terminal import outlast

PROGRAMS = {"inspect": "toolkit.export.__main__", "doctor": "toolkit.doctor.__main__"}


def main() -> int:
    """Runs what the command line names.

    Returns:
        0; 2 where the command line names nothing that there is; or the status of what was run.
    """
    outlast()
    name, *rest = sys.argv[1:] or [""]
    if name in PROGRAMS:
        return importlib.import_module(PROGRAMS[name]).main(rest)
    if name == "recipes":
        recipe_list.main("toolkit run NAME")
    elif name == "run":
        return _run(*rest)
    elif name in {"help", "--help", "-h"}:
        print(f"toolkit {__version__}\n\n{__doc__.partition(chr(10))[2].strip()}")
    else:
        return _unknown("command", name, ["recipes", "run", *PROGRAMS, "help"])
    return 0


def _run(name="", *flags):
    names = list(recipe_list.titles(pathlib.Path(recipe_list.__file__).parent))
    if name not in names:
        return _unknown("recipe", name, names)
    sys.argv[1:] = flags
    # As `python -m recipes.NAME` does: the recipe is the main module, whose flags --help shows.
    runpy.run_module(f"recipes.{name}", run_name="__main__", alter_sys=True)
    return 0


def _unknown(kind, name, known):
    near = difflib.get_close_matches(name, known, n=1)
    wrong = f"there is no {kind} {name!r}" if name else f"name a {kind}"
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
    print(f"toolkit: {wrong}. {hint}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
