"""Modules that load at first use, so that `--help` answers at once.

`from toolkit.lazy import keras` and `from toolkit.lazy import tensorflow as tf` bind a stand-in that imports the real
module when one of its attributes is first read. `attach` gives a package its contents by listing its folder: a new file
needs no entry in any `__init__`.
"""

import importlib
import pathlib
import re
import types
from collections.abc import Callable

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


def attach(package: str, folder: list[str]) -> tuple[Callable, Callable]:
    """Makes a package's modules, and the public classes and functions in them, its attributes.

    Args:
        package: The package's `__name__`.
        folder: The package's `__path__`.

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
        return {
            name: path.stem
            for path in sorted(here.glob("[!_]*.py"))
            for name in re.findall(r"^(?:class|def) ([A-Za-z]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE)
        }

    def get_attribute(name):
        if name.startswith("__"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if name in modules():
            return importlib.import_module(f"{package}.{name}")
        module = definitions().get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(modules())}")
        return getattr(importlib.import_module(f"{package}.{module}"), name)

    def list_attributes():
        return sorted({*modules(), *definitions()})

    return get_attribute, list_attributes
