"""What the documentation says is run or looked up: examples in docstrings, commands, flags and links in Markdown."""

import doctest
import importlib
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = sorted(path.name for path in ROOT.glob("*.md"))


def module_name(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EXAMPLES = sorted(
    module_name(path) for path in (ROOT / "toolkit").rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples_of(module):
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module)):
        runner.run(example, out=report.append)
    assert runner.tries > 0, f"{module} has examples that doctest does not find"
    assert runner.failures == 0, "".join(report)


def commands(page: str) -> list[str]:
    """The commands in a page's shell blocks; a prompt and a backslash at the end of a line are taken care of."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip().removeprefix("$ ") for line in lines if line.strip() and not line.lstrip().startswith("#")]


COMMANDS = sorted({(page, command) for page in PAGES for command in commands(page)})


@pytest.mark.parametrize(("page", "command"), [pair for pair in COMMANDS if re.search(r"(^|\s)\./run\b", pair[1])])
def test_page_names_a_command_of_run(page, command):
    words = shlex.split(command, comments=True)
    name = words[words.index("./run") + 1]
    offered = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^  {re.escape(name)}\b", offered, re.MULTILINE), f"{page}: `{command}`"


@pytest.mark.parametrize(("page", "command"), [pair for pair in COMMANDS if re.search(r"-m recipes\.\w+", pair[1])])
def test_page_names_flags_that_the_recipe_has(page, command):
    recipe = re.search(r"-m (recipes\.\w+)", command)[1]
    answer = subprocess.run([sys.executable, "-m", recipe, "--help"], cwd=ROOT, capture_output=True, text=True)
    for word in shlex.split(command, comments=True):
        if flag := re.match(r"--(?:no)?(\w+)", word):
            assert re.search(rf"--(\[no\])?{flag[1]}:", answer.stdout), f"{page}: {recipe} has no {word}"
    assert "--workdir:" in answer.stdout, answer.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing, f"{page} links to {missing}"
