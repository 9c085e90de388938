"""The layout: imports go down, everything has its test and its words, and nothing unfinished is left behind.

Each rule is tried on each file by itself, so that the name of a failing test is the name of the file.
"""

import ast
import pathlib
import re
import resource
import subprocess
import sys
from collections.abc import Iterator

import keras
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "toolkit").rglob("*.py"))
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.py"))
RECIPE_FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "recipes").glob("*.py"))
TEST_FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py"))

# The rooms of toolkit and the rooms that each may import beside itself.
ROOMS = {
    "distributions": set(),
    "layers": {"distributions"},
    "losses": {"distributions"},
    "metrics": {"distributions"},
    "models": {"distributions", "layers", "losses", "metrics"},
    "methods": {"distributions", "layers", "losses", "metrics", "models"},
    "generation": {"distributions", "layers", "losses", "metrics", "models"},
    "serving": {
        "distributions",
        "layers",
        "losses",
        "metrics",
        "models",
        "methods",
        "generation",
        "export",
        "data",
        "files",
    },
    "files": set(),
    "settings": set(),
    "data": {"files"},
    "visualize": set(),
    "export": {"files"},
    "doctor": {"data", "files"},
    "training": {"settings", "data", "visualize", "export", "files"},
}
# They run on every Keras backend.
KERAS_ONLY = {"distributions", "layers", "losses", "metrics", "models"}
# Importing them must not import what takes seconds: recipes do it before they know whether only --help is asked for.
LAZY = {"files", "settings", "serving", "data", "visualize", "export", "doctor", "training", "recipes"}
HEAVY = {"keras", "matplotlib", "tensorflow", "tensorflow_io", "tensorflow_probability", "tf_keras"}


def room(file: str) -> str:
    """The room of a file: `toolkit/layers/x.py` -> `layers`, `recipes/x.py` -> `recipes`, `toolkit/lazy.py` -> ``."""
    parts = file.split("/")
    return parts[1] if parts[0] == "toolkit" and len(parts) > 2 else parts[0] if parts[0] == "recipes" else ""


def parse(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), filename=file)


def imports(tree: ast.AST) -> list[tuple[int, str]]:
    """The line and dotted name of everything imported: `from toolkit import data` gives `toolkit.data`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            found += [(node.lineno, f"{source}.{alias.name}") for alias in node.names]
    return found


def wrong_imports(here: str, tree: ast.AST, recipes: list[str] = RECIPES) -> list[str]:
    """The imports that a file in the room `here` must not have, as `line: why`."""
    wrong = []
    for line, name in imports(tree):
        top, _, rest = name.partition(".")
        there = rest.partition(".")[0]
        if name.startswith("."):
            wrong.append(f"{line}: {name}: write the whole name, from toolkit or recipes on")
        elif top == "recipes" and there in {*recipes, "", "*"}:
            wrong.append(f"{line}: nothing imports a recipe; what two recipes share moves down into toolkit")
        elif top == "toolkit" and here and there in {"", "*"}:
            wrong.append(f"{line}: name the room: `from toolkit import layers`")
        elif there in ROOMS and top == "toolkit" and here != "recipes" and there not in ROOMS.get(here, set()) | {here}:
            wrong.append(f"{line}: {here or 'toolkit'}/ imports {there}/")
        elif here in KERAS_ONLY and top not in {"keras", "numpy", "toolkit", *sys.stdlib_module_names}:
            wrong.append(f"{line}: {here}/ imports {top}; it is for keras and numpy only")
        elif here in KERAS_ONLY and there == "lazy" and name.rpartition(".")[2] in HEAVY - {"keras"}:
            wrong.append(f"{line}: {here}/ imports {name}; it is for keras and numpy only")
    return wrong


def at_import(tree: ast.Module) -> list[tuple[int, str]]:
    """What is imported while the module itself is: all that is not in a function or under `if TYPE_CHECKING`."""
    top, todo = [], list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            top += imports(node)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += ast.iter_child_nodes(node)
    return top


@pytest.mark.parametrize("file", MODULES + RECIPE_FILES)
def test_imports_go_down(file):
    wrong = wrong_imports(room(file), parse(file))
    assert not wrong, "\n".join(f"{file}:{line}" for line in wrong)


@pytest.mark.parametrize(
    ("here", "statement"),
    [
        ("layers", "import tensorflow as tf"),
        ("layers", "from toolkit.lazy import tensorflow as tf"),
        ("metrics", "import scipy.stats"),
        ("layers", "from toolkit.models.handwriting import synthesis"),
        ("layers", "from toolkit import losses"),
        ("layers", "import toolkit"),
        ("layers", "from . import gaussian_window"),
        ("data", "def f():\n    from toolkit import visualize"),
        ("generation", "from toolkit.methods import sparse_gp"),
        ("training", "from toolkit.models import handwriting"),
        ("models", "import recipes.one"),
        ("recipes", "from recipes import one"),
        ("", "from toolkit import layers"),
    ],
)
def test_an_import_that_goes_up_or_sideways_is_found(here, statement):
    assert len(wrong_imports(here, ast.parse(statement), recipes=["one"])) == 1


@pytest.mark.parametrize(
    ("here", "statement"),
    [
        ("layers", "import math\nimport keras\nimport numpy as np\nfrom toolkit.distributions import gaussian_mixture"),
        ("layers", "from toolkit.layers.gaussian_window import GaussianWindow"),
        ("training", "from toolkit import data, export, visualize\nfrom toolkit.lazy import tensorflow as tf"),
        ("recipes", "from toolkit import data, generation, layers, models, training"),
    ],
)
def test_an_import_that_goes_down_is_fine(here, statement):
    assert wrong_imports(here, ast.parse(statement), recipes=["one"]) == []


def test_one_file_uses_tensorflow_io():
    """Its native library loads on TensorFlow 2.16 alone, and importing it elsewhere warns."""
    users = [
        file
        for file in MODULES + RECIPE_FILES
        if any(name.partition(".")[0] == "tensorflow_io" for _, name in imports(parse(file)))
    ]
    assert users == ["toolkit/data/audio/files.py"]


@pytest.mark.parametrize("file", [file for file in MODULES + RECIPE_FILES if room(file) in LAZY])
def test_nothing_heavy_is_imported_with_the_module(file):
    heavy = [f"{file}:{line}: {name}" for line, name in at_import(parse(file)) if name.partition(".")[0] in HEAVY]
    assert not heavy, "use `from toolkit.lazy import ...` in " + ", ".join(heavy)


@pytest.mark.parametrize("file", [file for file in MODULES if not pathlib.Path(file).name.startswith("_")])
def test_module_has_a_name_of_the_field_and_its_test(file):
    assert pathlib.Path(file).stem not in {"utils", "util", "helpers", "helper", "common", "base", "misc"}
    if room(file):
        mirror = pathlib.Path("tests", *pathlib.Path(file).parts[1:-1], f"test_{pathlib.Path(file).name}")
        assert (ROOT / mirror).is_file(), f"{file} has no {mirror}"


def test_every_room_is_known():
    rooms = {path.parent.name for path in (ROOT / "toolkit").glob("*/__init__.py")}
    assert rooms <= ROOMS.keys(), f"say in ROOMS what {rooms - ROOMS.keys()} may import"


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe_has_its_test(recipe):
    assert (ROOT / "tests" / "recipes" / f"test_{recipe}.py").is_file()


@pytest.mark.parametrize("recipe", RECIPES)
def test_readme_names_recipe(recipe):
    named = re.search(rf"\b{recipe}\b", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert named, f"README.md has no row of {recipe}: ./run docs writes it"


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe_answers_help_at_once(recipe):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-X", "importtime", "-m", f"recipes.{recipe}", "--help"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    imported = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines() if "import time:" in line}
    assert "--workdir" in answer.stdout and "--mode" in answer.stdout, answer.stdout + answer.stderr[-2000:]
    assert "toolkit.training.flags" in imported and not imported & HEAVY
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2, "seconds of the processor"


def test_list_of_recipes_names_each_and_imports_nothing_heavy():
    program = "import runpy, sys; runpy.run_module('recipes', run_name='__main__'); print('/'.join(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    *table, modules = answer.stdout.splitlines()
    rows = dict(line.split("  ", 1) for line in table if re.match(r"\w+ ", line) and not line.startswith("python"))
    assert sorted(rows) == RECIPES and all(map(str.strip, rows.values()))
    assert not HEAVY & set(modules.split("/"))


# What Keras declares, Keras documents: a layer's `call` or `get_config` needs no words of its own.
KERAS_METHODS = {
    name
    for parent in (keras.Model, keras.layers.RNN, keras.losses.Loss, keras.metrics.Metric, keras.callbacks.Callback)
    for name in dir(parent)
}


def public(node: ast.Module | ast.ClassDef) -> list[ast.ClassDef | ast.FunctionDef]:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return [child for child in node.body if isinstance(child, kinds) and not child.name.startswith("_")]


def public_parts(tree: ast.Module) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef, str]]:
    """Public classes, functions and methods but Keras': the name of each, itself, and the docstring of its class."""
    for node in public(tree):
        yield node.name, node, ""
        if isinstance(node, ast.ClassDef):
            for method in public(node):
                if not (node.bases and method.name in KERAS_METHODS):
                    yield f"{node.name}.{method.name}", method, ast.get_docstring(node) or ""


def undocumented(tree: ast.Module) -> list[str]:
    """Public classes, functions and methods without a docstring, and public arguments that theirs does not name."""
    wrong = []
    for name, node, inherited in public_parts(tree):
        text = ast.get_docstring(node) or ""
        if not text:
            wrong.append(f"{node.lineno}: {name} has no docstring")
        arguments = constructor_arguments(node) if isinstance(node, ast.ClassDef) else function_arguments(node)
        wrong.extend(
            f"{node.lineno}: the docstring of {name} does not name {argument}"
            for argument in arguments
            if text and not re.search(rf"\b{argument}\b", text + inherited)
        )
    return wrong


def untyped(tree: ast.Module) -> list[str]:
    """Public functions and methods that do not say what type they return."""
    parts = ((name, node) for name, node, _ in public_parts(tree) if not isinstance(node, ast.ClassDef))
    return [f"{node.lineno}: {name} has no return type" for name, node in parts if node.returns is None]


def function_arguments(node: ast.FunctionDef) -> list[str]:
    every = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
    return [argument.arg for argument in every if argument.arg not in {"self", "cls"} and argument.arg[0] != "_"]


def constructor_arguments(node: ast.ClassDef) -> list[str]:
    """Arguments of `__init__`, or the fields of a dataclass but those that carry their own help (`setting(...)`)."""
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        fields = [child for child in node.body if isinstance(child, ast.AnnAssign) and child.target.id[0] != "_"]
        return [field.target.id for field in fields if not isinstance(field.value, ast.Call)]
    return [
        name for child in node.body if getattr(child, "name", "") == "__init__" for name in function_arguments(child)
    ]


@pytest.mark.parametrize("file", [file for file in MODULES if not re.search(r"/_[^_]", file)])
def test_docstrings_name_every_public_argument(file):
    wrong = undocumented(parse(file))
    assert not wrong, "\n".join(f"{file}:{line}" for line in wrong)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(x): pass", 1),
        ("def f(x):\n    'Doubles the number.'", 1),
        ("def f(x, *, y):\n    'Adds x and y.'", 0),
        ("def _f(x): pass", 0),
        ("class A:\n    'A.'\n    def __init__(self, units): pass", 1),
        ("class A:\n    'Has units.'\n    def __init__(self, units): pass\n    def f(self): pass", 1),
        ("class A(Layer):\n    'A layer.'\n    def call(self, inputs): pass", 0),
        ("@dataclass\nclass A:\n    'A.'\n    size: int\n    rate: float = setting(1, 'Hz')", 1),
    ],
)
def test_a_thin_docstring_is_found(source, count):
    assert len(undocumented(ast.parse(source))) == count


@pytest.mark.parametrize("file", MODULES)
def test_public_functions_say_what_type_they_return(file):
    wrong = untyped(parse(file))
    assert not wrong, "\n".join(f"{file}:{line}" for line in wrong)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(x): pass", 1),
        ("def f(x) -> None: pass", 0),
        ("def _f(x): pass", 0),
        ("def f() -> int:\n    def inner(): pass", 0),
        ("class A:\n    def __init__(self): pass\n    def f(self): pass", 1),
        ("class A:\n    def f(self) -> int: pass\n    @property\n    def g(self): pass", 1),
        ("class A(Layer):\n    def call(self, inputs): pass\n    def inverse(self, outputs): pass", 1),
        ("class _A:\n    def f(self): pass", 0),
    ],
)
def test_a_missing_return_type_is_found(source, count):
    assert len(untyped(ast.parse(source))) == count


def unconvertible(tree: ast.AST) -> list[str]:
    """Uses of `ops.argmin` and `ops.argmax`: on floats they convert to `BitwiseAnd`, which is no builtin op of TFLite.

    `ops.top_k(x, 1)[1]` converts.
    """
    names = ("argmin", "argmax")
    aliases = {"keras.ops"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            aliases |= {alias.asname or alias.name for alias in node.names if prefix + alias.name == "keras.ops"}
    used = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in names]
    found = [f"{n.lineno}: {ast.unparse(n)}" for n in used if ast.unparse(n.value) in aliases]
    banned = {f"keras.ops.{name}" for name in names}
    return found + [f"{line}: {name}" for line, name in imports(tree) if name in banned]


@pytest.mark.parametrize("file", [file for file in MODULES if room(file) in {"layers", "models", "distributions"}])
def test_what_does_not_convert_is_not_used(file):
    assert not unconvertible(parse(file)), f"{file}: take ops.top_k(x, 1)[1] instead of {unconvertible(parse(file))}"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("from keras import ops\ncodes = ops.argmin(distances, axis=-1)", 1),
        ("import keras\nkeras.ops.argmax(x)", 1),
        ("from keras.ops import argmax", 1),
        ("from keras import ops as K\nK.argmax(x)", 1),
        ("import keras.ops as o\no.argmin(x)", 1),
        ("from keras.ops import argsort", 0),
        ("codes = ops.top_k(-distances, 1)[1]", 0),
        ("import numpy as np\nnp.argmax(x), x.argmax()", 0),
    ],
)
def test_an_argmin_is_found(source, count):
    assert len(unconvertible(ast.parse(source))) == count


@pytest.mark.parametrize("file", MODULES + RECIPE_FILES)
def test_input_is_not_checked_with_assert(file):
    lines = [node.lineno for node in ast.walk(parse(file)) if isinstance(node, ast.Assert)]
    assert not lines, f"{file}: raise an exception that says what was expected, instead of assert in lines {lines}"


@pytest.mark.parametrize("file", TEST_FILES)
def test_what_tests_share_is_in_no_test(file):
    # Under Bazel a test has the files beside it that are no tests, and none of the others.
    shared = [name for _, name in imports(parse(file)) if re.match(r"tests\..*\btest_", name)]
    assert not shared, f"{file} imports {shared}: what both need belongs into a file beside them without test_"


# Words are split so that this file does not hold them itself.
LEFTOVERS = re.compile(
    r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|raise NotImplemented" r"Error\(\)\s*$|\bbreak" r"point\(\)"
    r"|allow_pickle=Tr" r"ue|pytest\.mark\.(skip|xfail)\b|^(<<<<<<<|>>>>>>>)"
)  # fmt: skip


@pytest.mark.parametrize("file", MODULES + RECIPE_FILES + TEST_FILES)
def test_nothing_is_left_over(file):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    found = [f"{file}:{number}: {line.strip()}" for number, line in enumerate(lines, 1) if LEFTOVERS.search(line)]
    assert not found, "\n".join(found)
