import subprocess
import sys

import pytest

import toolkit
from toolkit import lazy


def test_packages_list_their_folder():
    assert {"data", "layers", "training"} <= set(dir(toolkit))
    assert {"MixtureDensity", "mixture_density"} <= set(dir(toolkit.layers))
    assert toolkit.layers.MixtureDensity is toolkit.layers.mixture_density.MixtureDensity


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
