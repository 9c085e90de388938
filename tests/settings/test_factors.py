import pytest

from toolkit.settings.factors import Factors


def test_what_factors_are_asked_for():
    assert Factors(data="dsprites:a.npz", variant="scream", scream="a.png", seed=2).reading() == {
        **{"source": "dsprites:a.npz", "variant": "scream", "scream": "a.png"},
        **{"held_out": 0.0, "seed": 2},
    }


@pytest.mark.parametrize("wrong", [{"variant": "scream"}, {"scream": "a.png"}])
def test_a_picture_and_its_variant(wrong):
    with pytest.raises(ValueError, match="name both, or neither"):
        Factors(**wrong)
