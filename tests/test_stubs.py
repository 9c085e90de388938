"""What editors read of the packages' faces is what Python finds there."""

import ast
import importlib
import pathlib
import runpy

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
STUBS = runpy.run_path(str(ROOT / "docs" / "make_stubs.py"))["stubs"](ROOT)
PACKAGES = {".".join(path.parent.relative_to(ROOT).parts): path for path in STUBS}


def offers(package: str) -> set[str]:
    return {node.names[0].name for node in ast.parse(STUBS[PACKAGES[package]]).body if isinstance(node, ast.ImportFrom)}


OFFERED = {package: offers(package) for package in PACKAGES}
FILES = sorted(path for folder in ("toolkit", "recipes", "tests") for path in (ROOT / folder).rglob("*.py"))


def test_the_stubs_are_current():
    kept = {path: path.read_text(encoding="utf-8") for path in (ROOT / "toolkit").rglob("*.pyi")}
    assert kept == STUBS, "`./run docs` writes the stubs anew"
    assert {"toolkit", "toolkit.layers", "toolkit.export"} <= PACKAGES.keys()
    assert (ROOT / "toolkit" / "py.typed").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_stub_names_what_the_package_offers(package):
    module = importlib.import_module(package)
    for node in ast.parse(STUBS[PACKAGES[package]]).body:
        if isinstance(node, ast.ImportFrom):
            name = node.names[0].name
            assert node.names[0].asname == name, "without `as` a stub does not offer the name"
            inside = importlib.import_module(f"{package}.{name}" if node.module == package else node.module)
            assert getattr(module, name) is (inside if node.module == package else getattr(inside, name))
    assert OFFERED[package] == set(dir(module))


def not_offered(tree: ast.Module) -> list[str]:
    """What a file asks of a package that does not offer it, such as a function that the package does not name.

    A name that the file binds in another way too, as an argument or a variable, is left alone.
    """
    nodes, packages, wrong = list(ast.walk(tree)), {}, []
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "") in PACKAGES:
            for alias in node.names:
                packages[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                if alias.name not in OFFERED[node.module] and alias.name[:2] != "__":
                    wrong.append(f"{node.lineno}: {node.module}.{alias.name}")
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)} | {
        node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for node in nodes:
        if isinstance(node, ast.Attribute):
            root, *inner = ast.unparse(node.value).split(".")
            package = ".".join([packages.get(root, ""), *inner])
            if (
                root not in bound
                and package in PACKAGES
                and node.attr not in OFFERED[package]
                and node.attr[:2] != "__"
            ):
                wrong.append(f"{node.lineno}: {package}.{node.attr}")
    return wrong


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_asked_of_a_package_is_offered(file):
    wrong = not_offered(ast.parse(file.read_text(encoding="utf-8"), filename=str(file)))
    assert not wrong, "name it in the package's __init__, or write the module: " + ", ".join(wrong)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("from toolkit import export\nexport.write(), export.Report, export.card.check_card()", 0),
        ("from toolkit import export\nexport.check_card()", 1),
        ("from toolkit import metrics\nmetrics.perplexity(), metrics.bits.perplexity()", 1),
        ("from toolkit.export import write, check_card", 1),
        ("from toolkit.export.card import check_card", 0),
        ("from toolkit import data\ndef f(data): data.missing", 0),
    ],
)
def test_what_is_not_offered_is_found(source, count):
    assert len(not_offered(ast.parse(source))) == count
