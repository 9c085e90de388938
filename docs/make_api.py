"""Writes docs/api.md, the index of what toolkit offers, and README's table of recipes, without importing either."""

import ast
import pathlib
import re

HEAD = """# API index

What each package of toolkit offers, module by module, with the first line of its documentation; the rest is in the file
that the module's name links to. After `from toolkit import layers`, a name is `layers.mixture_density.MixtureDensity`.
Made from the code: `./run docs` writes this page anew.
"""


def main() -> None:
    """Writes the page beside this file, and the table in README.md."""
    root = pathlib.Path(__file__).resolve().parents[1]
    (root / "docs" / "api.md").write_text(index(root), encoding="utf-8")
    (root / "README.md").write_text(readme(root), encoding="utf-8")


def readme(root: pathlib.Path) -> str:
    """README.md with a row for each recipe between its two marks.

    Args:
        root: The folder that holds README.md and recipes/.

    Raises:
        ValueError: Where README.md does not have both marks once.
    """
    text = (root / "README.md").read_text(encoding="utf-8")
    rows = [row(path) for path in sorted((root / "recipes").glob("[!_]*.py"))]
    table = "\n".join(["| recipe | paper | what it does | here | in the paper |", f"|{' --- |' * 5}", *rows])
    written, count = re.subn(
        r"(?<=<!-- recipes -->\n).*?(?=<!-- /recipes -->)", lambda _: f"\n{table}\n\n", text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError("README.md needs the lines <!-- recipes --> and <!-- /recipes --> once, in this order.")
    return written


def row(recipe: pathlib.Path) -> str:
    """A recipe's row, from its docstring: `TITLE: PAPER.`, what it does, and paragraphs `Here: ...` and `Paper: ...`.

    Args:
        recipe: Its file.

    Raises:
        ValueError: Where the docstring is another.
    """
    paragraphs = [" ".join(each.split()) for each in (ast.get_docstring(parse(recipe)) or "").split("\n\n")]
    head = re.fullmatch(r"[^:]+: (.+)\.", paragraphs[0])
    figures = [[each[len(mark) :] for each in paragraphs if each.startswith(mark)] for mark in ("Here: ", "Paper: ")]
    if not head or len(paragraphs) < 2 or any(len(found) != 1 for found in figures):
        raise ValueError(
            f"{recipe}: the docstring begins with `TITLE: Authors year, 'Paper' (1234.56789, section 3).`; the next "
            "paragraph says what the recipe does; one paragraph begins with `Here: ` and another, an empty line below, "
            "with `Paper: `."
        )
    paper = re.sub(r"\b(?:arXiv )?(\d{4}\.\d{4,5})\b", r"[arXiv \1](https://arxiv.org/abs/\1)", head[1])
    name = f"[{recipe.stem}](docs/recipes/{recipe.stem}.md)"
    cells = [name, paper, paragraphs[1], *(found for (found,) in figures)]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def index(root: pathlib.Path) -> str:
    """The page.

    Args:
        root: The folder that holds toolkit/.
    """
    packages = sorted((root / "toolkit").glob("*/**/__init__.py"))
    return "\n".join([HEAD, *(section(path, root) for path in packages)])


def section(package: pathlib.Path, root: pathlib.Path) -> str:
    """A package's modules with their public classes and functions.

    Args:
        package: Its `__init__.py`.
        root: The folder that holds toolkit/.
    """
    name = ".".join(package.parent.relative_to(root).parts)
    lines = [f"## {name}", "", first_line(parse(package)), ""]
    for file in sorted(package.parent.glob("[!_]*.py")):
        tree = parse(file)
        lines.append(f"- [{file.stem}](../{file.relative_to(root).as_posix()}): {first_line(tree)}")
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                lines.append(f"  - `{signature(node)}`: {first_line(node)}")
    return "\n".join([*lines, ""])


def parse(file: pathlib.Path) -> ast.Module:
    """A file's syntax tree.

    Args:
        file: The file.
    """
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def first_line(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    """The first line of a docstring.

    Args:
        node: What has it.
    """
    return (ast.get_docstring(node) or "").partition("\n")[0]


def signature(node: ast.ClassDef | ast.FunctionDef) -> str:
    """How it is called, without types: `name(first, second=2, *, third=3)`; of a class without `__init__` the name.

    A group of settings is followed by the groups whose settings it has too.

    Args:
        node: A function or a class.
    """
    if isinstance(node, ast.FunctionDef):
        return f"{node.name}({written(node.args)})"
    made_by = " ".join(map(ast.unparse, [*node.decorator_list, *node.bases]))
    if "dataclass" in made_by or "NamedTuple" in made_by:
        only_by_name = ["*"] if "kw_only=True" in made_by else []
        return f"{node.name}({', '.join(only_by_name + fields(node))})"
    if "group" in made_by.split():
        bases = [base for base in map(ast.unparse, node.bases) if base != "Run"]
        return f"{node.name}({', '.join(['*', *fields(node)])})" + "".join(f" and {base}" for base in bases)
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and child.name == "__init__":
            return f"{node.name}({written(child.args).removeprefix('self').removeprefix(', ')})"
    return node.name


def written(arguments: ast.arguments) -> str:
    """Arguments as they stand in the code, but for their types.

    Args:
        arguments: Of a function.
    """
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    for argument in filter(None, every):
        argument.annotation = None
    return ast.unparse(arguments)


def fields(node: ast.ClassDef) -> list[str]:
    """A dataclass' fields, as `field` gives them.

    Args:
        node: The class.
    """
    return [field(child) for child in node.body if isinstance(child, ast.AnnAssign)]


def field(node: ast.AnnAssign) -> str:
    """A dataclass' field with its default; `setting(4, "help")` has the default 4.

    Args:
        node: The field.
    """
    value = node.value
    if value is None:
        return node.target.id
    if isinstance(value, ast.Call):
        value = value.args[0] if value.args else ast.Constant(...)
    return f"{node.target.id}={ast.unparse(value)}"


if __name__ == "__main__":
    main()
