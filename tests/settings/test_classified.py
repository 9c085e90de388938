import inspect

import pytest

from toolkit import data, settings


def test_reading_is_what_the_loader_takes():
    found = settings.Classified(workdir="x", classes="1, 7", num_train=20).reading()
    assert set(found) == set(inspect.signature(data.classified.load).parameters)
    assert found["classes"] == ("1", "7") and found["num_train"] == 20


@pytest.mark.parametrize("how", [{"held_out": 0.0}, {"held_out": 0.5}, {"classes": "1,,7"}, {"classes": ","}])
def test_what_cannot_be(how):
    with pytest.raises(ValueError, match=f"--{next(iter(how))}"):
        settings.Classified(workdir="x", **how)
