"""Writes `__init__.pyi` beside each `__init__.py` that lists its folder, so that editors can follow what it offers."""

import ast
import pathlib

HEAD = "# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.\n"


def main() -> None:
    """Writes the stubs and takes away those that are no longer any."""
    root = pathlib.Path(__file__).resolve().parents[1]
    wanted = stubs(root)
    for path in {*(root / "toolkit").rglob("__init__.pyi")} - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


def stubs(root: pathlib.Path) -> dict[pathlib.Path, str]:
    """Each stub's path and text.

    Args:
        root: The folder that holds toolkit/.
    """
    packages = sorted((root / "toolkit").rglob("__init__.py"))
    trees = {path: ast.parse(path.read_text(encoding="utf-8"), filename=str(path)) for path in packages}
    return {
        path.with_suffix(".pyi"): stub(path.parent, tree, ".".join(path.parent.relative_to(root).parts))
        for path, tree in trees.items()
        if attached(tree) is not None
    }


def attached(tree: ast.Module) -> tuple[str, ...] | None:
    """The functions that a package names in its call of `attach`; None where there is no such call.

    Args:
        tree: Of its `__init__.py`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "attach":
            return next((ast.literal_eval(word.value) for word in node.keywords if word.arg == "functions"), ())
    return None


def stub(folder: pathlib.Path, tree: ast.Module, package: str) -> str:
    """A package's stub: its modules, the public classes in them and the functions that it names.

    Args:
        folder: The package's.
        tree: Of its `__init__.py`.
        package: Its dotted name.
    """
    functions = attached(tree)
    inner = [path.parent.name for path in folder.glob("[!_]*/__init__.py")]
    files = sorted(folder.glob("[!_]*.py"))
    lines = [f"from {package} import {name} as {name}" for name in sorted([*inner, *(file.stem for file in files)])]
    for file in files:
        offered = [
            node.name
            for node in ast.parse(file.read_text(encoding="utf-8"), filename=str(file)).body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
            or isinstance(node, ast.FunctionDef) and node.name in functions
        ]  # fmt: skip
        lines += [f"from {package}.{file.stem} import {name} as {name}" for name in sorted(offered)]
    if package == "toolkit":
        lines += ["", "__version__: str"]
    return "\n".join([HEAD, *lines, ""])


if __name__ == "__main__":
    main()
