"""`python -m recipes`: what recipes there are, read from the folder without importing any of them."""

import ast
import pathlib

from toolkit.terminal import outlast


def titles(folder: pathlib.Path) -> dict[str, str]:
    """The first docstring line of each recipe by its name.

    Args:
        folder: Where the recipes lie, one `NAME.py` each; names that begin with `_` are left out.
    """
    docstrings = {
        path.stem: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in sorted(folder.glob("[!_]*.py"))
    }
    return {name: " ".join(text.partition("\n\n")[0].split()) for name, text in docstrings.items()}


def main(command: str = "python -m recipes.NAME") -> None:
    """Prints the table of recipes and how to run one.

    Args:
        command: What runs the recipe NAME.
    """
    table = titles(pathlib.Path(__file__).parent)
    width = max(map(len, table), default=0)
    for name, title in table.items():
        print(f"{name:{width}}  {title}")
    print(
        f"\n{command} --workdir=FOLDER   trains, evaluates, samples and exports; the same folder resumes"
        f"\n{command} --help             every setting with its default and unit"
    )


if __name__ == "__main__":
    outlast()
    main()
