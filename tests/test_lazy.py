import importlib
import subprocess
import sys

import pytest

import toolkit
from toolkit import lazy


def test_packages_list_their_folder():
    assert {"data", "layers", "training"} <= set(dir(toolkit))
    assert {"MixtureDensity", "mixture_density"} <= set(dir(toolkit.layers))
    assert toolkit.layers.MixtureDensity is toolkit.layers.mixture_density.MixtureDensity


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `shop` that offers the function `sell`."""
    (tmp_path / "shop" / "cellar").mkdir(parents=True)
    files = {
        "__init__.py": "from toolkit.lazy import attach\n"
        "__getattr__, __dir__ = attach(__name__, __path__, functions=('sell', 'twice', 'missing'))\n",
        "goods.py": "class Tea: ...\nclass _Hidden: ...\nclass Both: ...\ndef sell(): ...\ndef count(): ...\n",
        "staff.py": "class Clerk: ...\nclass Both: ...\ndef twice(): ...\ndef count(): ...\n",
        "till.py": "def twice(): ...\n",
        "_private.py": "class Secret: ...\n",
        "cellar/__init__.py": "",
    }
    for name, text in files.items():
        (tmp_path / "shop" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("shop")
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_a_package_offers_modules_classes_and_the_functions_that_it_names(package):
    assert package.Tea is package.goods.Tea and package.sell is package.goods.sell
    assert package.cellar.__name__ == "shop.cellar"
    for name in ("count", "_Hidden", "Secret", "_private", "missing"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'; it has cellar, goods, staff, till"):
            getattr(package, name)
    assert dir(package) == ["Both", "Clerk", "Tea", "cellar", "goods", "sell", "staff", "till", "twice"]


@pytest.mark.parametrize(("name", "two"), [("Both", "goods and by shop.staff"), ("twice", "staff and by shop.till")])
def test_a_name_twice_is_an_error(package, name, two):
    with pytest.raises(ImportError, match=f"{name} is defined by shop.{two}"):
        getattr(package, name)
    assert package.goods.Both is not package.staff.Both


def test_unknown_names_say_what_there_is():
    with pytest.raises(AttributeError, match="no attribute 'Missing'; it has .*mixture_density"):
        toolkit.layers.Missing  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'numpy'"):
        lazy.numpy  # noqa: B018


def test_stand_ins_load_at_first_use():
    code = (
        "import sys\n"
        "from toolkit.lazy import keras, tensorflow as tf\n"
        "from toolkit import data, generation, layers, training, visualize\n"
        "assert 'keras' not in sys.modules and 'tensorflow' not in sys.modules\n"
        "assert keras.layers.Layer.__name__ == 'Layer' and 'layers' in dir(keras)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
