"""What editors read of the packages' faces is what Python finds there."""

import ast
import importlib
import pathlib
import runpy

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
STUBS = runpy.run_path(str(ROOT / "docs" / "make_stubs.py"))["stubs"](ROOT)
PACKAGES = {".".join(path.parent.relative_to(ROOT).parts): path for path in STUBS}


def test_the_stubs_are_current():
    kept = {path: path.read_text(encoding="utf-8") for path in (ROOT / "toolkit").rglob("*.pyi")}
    assert kept == STUBS, "`./run docs` writes the stubs anew"
    assert {"toolkit", "toolkit.layers", "toolkit.export"} <= PACKAGES.keys()
    assert (ROOT / "toolkit" / "py.typed").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_stub_names_what_the_package_offers(package):
    module, named = importlib.import_module(package), set()
    for node in ast.parse(STUBS[PACKAGES[package]]).body:
        if isinstance(node, ast.ImportFrom):
            name = node.names[0].name
            assert node.names[0].asname == name, "without `as` a stub does not offer the name"
            inside = importlib.import_module(f"{package}.{name}" if node.module == package else node.module)
            assert getattr(module, name) is (inside if node.module == package else getattr(inside, name))
            named.add(name)
    assert named == set(dir(module))
