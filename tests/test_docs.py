"""What the documentation says is run or looked up: examples in docstrings, commands, flags and links in Markdown."""

import ast
import doctest
import importlib
import pathlib
import re
import runpy
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for pattern in ("*.md", "docs/*.md") for path in ROOT.glob(pattern))


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
    missing = [link for link in links if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()]
    assert not missing, f"{page} links to {missing}"


INDEX = runpy.run_path(str(ROOT / "docs" / "make_api.py"))


def test_the_index_of_the_api_is_current():
    kept = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert kept == INDEX["index"](ROOT), "docs/api.md is not what the code says: `./run docs` writes it anew"


@pytest.mark.parametrize("package", sorted(map(module_name, (ROOT / "toolkit").glob("*/**/__init__.py"))))
def test_the_index_names_what_a_package_offers(package):
    section = re.search(rf"^## {re.escape(package)}\n(.*?)(?=^## |\Z)", INDEX["index"](ROOT), re.DOTALL | re.MULTILINE)[
        1
    ]
    modules = re.findall(r"^- \[(\w+)\](.*\n(?:  - .*\n)*)", section, re.MULTILINE)
    named = {(module, name) for module, lines in modules for name in re.findall(r"^  - `(\w+)", lines, re.MULTILINE)}
    defined = set()
    for module in (path.stem for path in ROOT.joinpath(*package.split(".")).glob("[!_]*.py")):
        for name, value in vars(importlib.import_module(f"{package}.{module}")).items():
            here = getattr(value, "__module__", "") == f"{package}.{module}"
            if here and name[0] != "_" and callable(value):
                defined.add((module, name))
    assert named == defined


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("def f(x: int, /, y=1, *z, a: str = 'b', **c) -> int: ...", "f(x, /, y=1, *z, a='b', **c)"),
        ("class A:\n    def __init__(self, units, *, rate=0.1): ...", "A(units, *, rate=0.1)"),
        ("class A(Layer): ...", "A"),
        ("class A(typing.NamedTuple):\n    mean: float\n    scale: float = 1.0", "A(mean, scale=1.0)"),
        ("@dataclass(frozen=True)\nclass A:\n    size: int\n    rate: float = 1.0", "A(size, rate=1.0)"),
        (
            "@dataclass(kw_only=True)\nclass A:\n    size: int = setting(4, 'cells')\n    names: list = field()",
            "A(*, size=4, names=...)",
        ),
    ],
)
def test_signatures_in_the_index(source, written):
    assert INDEX["signature"](ast.parse(source).body[0]) == written
