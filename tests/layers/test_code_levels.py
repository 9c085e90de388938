import numpy as np
import pytest

from tests import checks
from toolkit.layers import CodeLevels


def test_gate():
    codes = np.random.default_rng(0).integers(0, 512, (3, 50)).astype("float32")
    checks.check_layer(lambda: CodeLevels(512, name="levels"), codes, precision_tolerance=0)  # exact under every policy


def test_a_code_stands_for_itself():
    layer, codes = CodeLevels(65_536), np.arange(65_536)
    for given in (codes, codes.astype("float32"), layer.inverse(codes)):
        np.testing.assert_array_equal(layer(given), codes)
    np.testing.assert_array_equal(layer.on_grid(codes + np.float32(0.25)), codes)
    assert np.asarray(layer.inverse(codes)).dtype == "float32" and layer.silence == 0


def test_beyond_the_codes_and_no_number():
    levels = np.asarray(CodeLevels(9)(np.array([-3.0, 9.0, 1e30, np.inf, -np.inf, np.nan], "float32")))
    assert levels.tolist()[:5] == [0, 8, 8, 8, 0] and 0 <= levels[5] < 9


def test_errors():
    with pytest.raises(ValueError, match="num_levels must be between 2 and 65,536; got 1"):
        CodeLevels(1)
