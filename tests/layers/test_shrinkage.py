import numpy as np
import pytest

from tests import checks
from toolkit.layers import Shrinkage


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def test_gate():
    checks.check_layer(lambda: Shrinkage(0.75, name="shrinkage"), numbers(3, 4, 2))


def test_is_the_formula_and_its_inverse_undoes_it():
    x, mean = numbers(5, 3, 2), numbers(6, 3, 2)[5]
    layer, inverse = Shrinkage(0.8), Shrinkage(1 / 0.8)
    for each in (layer, inverse):
        each.build((None, 3, 2))
        each.adapt(mean)
    np.testing.assert_allclose(layer(x), mean + 0.8 * (x - mean), atol=1e-6)
    np.testing.assert_allclose(inverse(layer(x)), x, atol=1e-5)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="factor must be more than 0; got 0"):
        Shrinkage(0)
    with pytest.raises(ValueError, match="all axes but the batch must be known"):
        Shrinkage(0.5).build((None, None, 3))
    layer = Shrinkage(0.5)
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"expected a finite mean of shape \(3,\); got shape \(2,\)"):
        layer.adapt([0.0, 1.0])
