"""Modules that load at first use, so that `--help` answers at once.

`from toolkit.lazy import keras` and `from toolkit.lazy import tensorflow as tf` bind a stand-in that imports the real
module when one of its attributes is first read. `attach` gives a package its contents by listing its folder: a new file
needs no entry in any `__init__`. (For editors, `./run docs` writes the same down as `__init__.pyi`.)
"""

import importlib
import pathlib
import re
import types
from collections.abc import Callable, Sequence

_HEAVY = ("keras", "tensorflow")


class _Stand(types.ModuleType):
    """Stands for a module until an attribute of it is read."""

    def __getattr__(self, name):
        return getattr(importlib.import_module(self.__name__), name)

    def __dir__(self):
        return dir(importlib.import_module(self.__name__))


def __getattr__(name):
    if name in _HEAVY:
        return _Stand(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def attach(package: str, folder: list[str], functions: Sequence[str] = ()) -> tuple[Callable, Callable]:
    """Makes a package's modules, the public classes in them, and the functions that it names its attributes.

    A name that two modules define is an `ImportError` when it is looked up.

    Args:
        package: The package's `__name__`.
        folder: The package's `__path__`.
        functions: Names of functions in its modules to offer too; the others are found in their modules.

    Returns:
        `__getattr__` and `__dir__` for the package.

    Example:

    >>> import toolkit
    >>> toolkit.layers.MixtureDensity.__module__
    'toolkit.layers.mixture_density'
    """
    here = pathlib.Path(folder[0])

    def modules():
        return sorted(
            path.stem if path.is_file() else path.name
            for path in here.iterdir()
            if not path.name.startswith("_") and (path.suffix == ".py" or (path / "__init__.py").is_file())
        )

    def definitions():
        """Name to the modules that define it."""
        found = {}
        for path in sorted(here.glob("[!_]*.py")):
            text = path.read_text(encoding="utf-8")
            for kind, name in re.findall(r"^(class|def) ([A-Za-z]\w*)", text, re.MULTILINE):
                if kind == "class" or name in functions:
                    found.setdefault(name, []).append(path.stem)
        return found

    def get_attribute(name):
        if name.startswith("__"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if name in modules():
            return importlib.import_module(f"{package}.{name}")
        defined = definitions().get(name, [])
        if len(defined) > 1:
            raise ImportError(f"{name} is defined by {' and by '.join(f'{package}.{module}' for module in defined)}")
        if not defined:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(modules())}")
        return getattr(importlib.import_module(f"{package}.{defined[0]}"), name)

    def list_attributes():
        return sorted({*modules(), *definitions()})

    return get_attribute, list_attributes
