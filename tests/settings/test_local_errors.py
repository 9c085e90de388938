import inspect

import pytest

from toolkit.methods import local_errors
from toolkit.models import local_blocks
from toolkit.settings.local_errors import LOSSES, LocalErrors


def test_losses_and_networks_are_those_of_the_library():
    assert LOSSES == ("global", *local_blocks.LOCAL_LOSSES)
    choices = LocalErrors.__dataclass_fields__["architecture"].metadata["choices"]
    assert set(choices) == set(local_blocks.ARCHITECTURES)
    asked = LocalErrors(loss="sim", width=8, beta=0.5, seed=3)
    assert asked.network().keys() <= inspect.signature(local_blocks.local_blocks).parameters.keys()
    assert asked.learning().keys() <= inspect.signature(local_errors.compiled).parameters.keys()
    assert asked.network()["width"] == 8 and asked.learning()["beta"] == 0.5 and asked.learning()["seed"] == 3


def test_unknown_losses_to_compare():
    with pytest.raises(ValueError, match="--losses: 'simm' is none of global, pred, sim, predsim, pred-bpf"):
        LocalErrors(losses="global,simm")


@pytest.mark.parametrize(
    "how, told",
    [
        ({"units": 1}, "--units=1: expected 2 or more, between which --loss=predsim has angles"),
        (
            {"loss": "sim-bpf", "projection_size": 1},
            "--projection_size=1: expected 2 or more, between which --loss=sim-bpf",
        ),
    ],
)
def test_single_numbers_have_no_angles(how, told):
    with pytest.raises(ValueError, match=told):
        LocalErrors(**how)
    assert LocalErrors(**{**how, "loss": "pred"}).loss == "pred"
