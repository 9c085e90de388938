"""What the documentation says is run or looked up: examples in docstrings, commands, flags and links in Markdown."""

import ast
import doctest
import functools
import importlib
import os
import pathlib
import re
import runpy
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern))


RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.py"))
# The others tell of pytest's and benchmarks' flags too.
TELL_OF_FLAGS = [page for page in PAGES if page.startswith("docs/") and page not in ("docs/api.md", "docs/speed.md")]


def module_name(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EXAMPLES = sorted(
    module_name(path) for path in (ROOT / "toolkit").rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.slow
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


@functools.cache
def answer(*words: str) -> str:
    """What a program prints when it is asked what it offers."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize(("page", "command"), [pair for pair in COMMANDS if re.search(r"(^|\s)\./run\b", pair[1])])
def test_page_names_a_command_of_run(page, command):
    words = shlex.split(command, comments=True)
    name = words[words.index("./run") + 1]
    assert re.search(rf"^  {re.escape(name)}\b", answer("./run", "help"), re.MULTILINE), f"{page}: `{command}`"


@pytest.mark.parametrize(("page", "command"), [pair for pair in COMMANDS if re.search(r"-m recipes\.\w+", pair[1])])
def test_page_names_flags_that_the_recipe_has(page, command):
    recipe = re.search(r"-m (recipes\.\w+)", command)[1]
    offered = answer(sys.executable, "-m", recipe, "--help")
    assert "--workdir:" in offered, offered
    for word in shlex.split(command, comments=True):
        if flag := re.match(r"--(?!help$)(?:no)?(\w+)", word):
            assert re.search(rf"--(\[no\])?{flag[1]}:", offered), f"{page}: {recipe} has no {word}"


@pytest.mark.parametrize("page", TELL_OF_FLAGS)
def test_page_tells_of_flags_that_there_are(page):
    recipes = [pathlib.Path(page).stem] if page.startswith("docs/recipes/") else RECIPES
    offered = "".join(answer(sys.executable, "-m", f"recipes.{recipe}", "--help") for recipe in recipes)
    text = (ROOT / page).read_text(encoding="utf-8")
    told = {flag for code in re.findall(r"`(--[^`]+)`", text) for flag in re.findall(r"--(\w+)", code)}
    missing = sorted(flag for flag in told if not re.search(rf"--(\[no\])?{flag}:", offered))
    assert told, f"{page} names no setting as `--flag`"
    assert not missing, f"{page} tells of --{', --'.join(missing)}"


def test_the_page_on_data_has_every_reader():
    tables = [
        re.findall(r"^READERS = \{(.*?)\}", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        for path in (ROOT / "toolkit" / "data").rglob("*.py")
    ]
    readers = {name for found in tables for table in found for name in re.findall(r'"(\w+)":', table)}
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert readers and not [name for name in readers if not re.search(rf"^\| `{name}\b", text, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()]
    assert not missing, f"{page} links to {missing}"


def examples_in(page: str) -> str:
    """A page's Python blocks, one after the other."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("page", [page for page in PAGES if examples_in(page)])
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(examples_in(page), page, "exec"), names)
    assert names.keys() - {"__builtins__"}  # it ran to its end, and did something


def test_the_readme_can_be_read_in_one_go():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 160


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_has_its_page(recipe):
    page = (ROOT / "docs" / "recipes" / f"{recipe}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {recipe}\n") and f"-m recipes.{recipe}" in page


INDEX = runpy.run_path(str(ROOT / "docs" / "make_api.py"))


def test_the_index_of_the_api_is_current():
    kept = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert kept == INDEX["index"](ROOT), "docs/api.md is not what the code says: `./run docs` writes it anew"


def test_the_table_of_recipes_is_current():
    kept = (ROOT / "README.md").read_text(encoding="utf-8")
    assert kept == INDEX["readme"](ROOT), "README's table is not what the recipes say: `./run docs` writes it anew"


def recipe_of(folder, docstring):
    path = folder / "reading.py"
    path.write_text(f'"""{docstring}"""\n')
    return path


GOOD = 'Reading: Doe 2020, "On | reading" (2001.00001, section 2).\n\nReads\nall.\n\nHere: 1 %.\n\nPaper: 2 %.\n'


def test_a_row_of_the_table(tmp_path):
    assert INDEX["row"](recipe_of(tmp_path, GOOD)) == (
        '| [reading](docs/recipes/reading.md) | Doe 2020, "On \\| reading" '
        "([arXiv 2001.00001](https://arxiv.org/abs/2001.00001), section 2) | Reads all. | 1 %. | 2 %. |"
    )


@pytest.mark.parametrize("left_out", ["Reading: ", "Here: ", "Paper: "])
def test_a_docstring_without_what_the_table_needs_is_refused(tmp_path, left_out):
    with pytest.raises(ValueError, match="the docstring begins with"):
        INDEX["row"](recipe_of(tmp_path, GOOD.replace(left_out, "", 1)))


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


@pytest.mark.slow
def test_the_recipe_that_the_page_shows_does_all_that_is_said(tmp_path):
    """docs/writing_a_recipe.md: about sixty lines of code that train, evaluate, draw and export."""
    text = (ROOT / "docs" / "writing_a_recipe.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line.strip() and not line.startswith("import")]) < 75
    (tmp_path / "denoising.py").write_text(code)
    command = [sys.executable, str(tmp_path / "denoising.py"), f"--workdir={tmp_path / 'run'}", "--epochs=2"]
    how = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}, "capture_output": True, "text": True}
    done = subprocess.run([*command, "--quantize=dynamic"], **how, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    made = {str(path.relative_to(tmp_path / "run")) for path in (tmp_path / "run").rglob("*")}
    assert {"export/model.tflite", "export/model_dynamic.tflite", "export/card.md", "metrics.json"} <= made
    assert {"pictures/denoised.png", "pictures/training/denoised.png", "checkpoints/model/networks.json"} <= made
    again = subprocess.run([*command, "--mode=benchmark"], **how, timeout=200, check=False)
    assert "examples a second are read" in again.stdout and "model.tflite, denoise:" in again.stdout, again.stderr
