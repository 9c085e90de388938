import numpy as np
import pytest

from tests import checks
from toolkit.layers import CharacterOneHot


def test_gate():
    checks.check_layer(
        lambda: CharacterOneHot(" abä", name="characters"), np.array([[97, 32, 228, 0], [98, 120, 0, 0]], "int32")
    )


def test_characters_padding_and_strangers():
    output = np.asarray(CharacterOneHot("ba")(np.array([[97, 98, 99, 0]], "int32")))
    np.testing.assert_array_equal(output, [[[0, 1], [1, 0], [0, 0], [0, 0]]])


def test_encode():
    layer = CharacterOneHot(" ab")
    np.testing.assert_array_equal(layer.encode("ab a"), [97, 98, 32, 97, 0])
    np.testing.assert_array_equal(layer.encode("a", length=3), [97, 0, 0])
    with pytest.raises(ValueError, match="empty"):
        layer.encode("")
    with pytest.raises(ValueError, match="'x'"):
        layer.encode("axb")
    with pytest.raises(ValueError, match="at most 2"):
        layer.encode("aba", length=3)


@pytest.mark.parametrize("alphabet", ["", "aba"])
def test_bad_alphabet(alphabet):
    with pytest.raises(ValueError, match="alphabet"):
        CharacterOneHot(alphabet)
