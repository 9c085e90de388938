import numpy as np
import pytest

from tests import checks
from toolkit.layers import VectorQuantizer


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("how", [{}, {"momentum": None}, {"num_codebooks": 2}], ids=str)
def test_gate(how):
    checks.check_layer(lambda: VectorQuantizer(7, seed=0, name="quantizer", **how), numbers(0, 3, 4, 5, 6))
