import dataclasses

import pytest
from absl import flags

from toolkit.training import settings as module
from toolkit.training.settings import Settings, define_flags, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example(Settings):
    units: int = setting(8, "cells", minimum=1)
    rate: float = setting(0.5, "a share", minimum=0.0)
    kind: str = setting("a", "which", choices=("a", "b"))
    fast: bool = setting(False, "or not")


def parsed(*arguments):
    values = flags.FlagValues()
    define_flags(Example, ("all", "train"), values, "recipe")
    values(["recipe", *arguments])
    return values


def test_each_field_is_a_flag_of_its_type():
    values = parsed("--units=3", "--rate=0.25", "--kind=b", "--fast", "--mode=train", "--workdir=w")
    assert {field.name for field in dataclasses.fields(Example)} == set(values)
    assert (values.units, values.rate, values.kind, values.fast, values.mode) == (3, 0.25, "b", True, "train")
    assert parsed().units == 8


def test_help_shows_them_under_the_recipe():
    text = parsed().module_help("recipe")
    assert "--units: cells" in text and "--mode: <all|train>" in text


@pytest.mark.parametrize("argument", ["--units=0", "--units=x", "--kind=c", "--mode=fly", "--unit=3", "--rate=-1"])
def test_the_command_line_refuses(argument):
    with pytest.raises(flags.Error):
        parsed(argument)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"units": 0}, "--units must be at least 1; got 0"),
        ({"units": "8"}, "--units must be int"),
        ({"units": True}, "--units must be int"),
        ({"kind": "c"}, "--kind must be one of a, b; got 'c'"),
        ({"rate": float("nan")}, "--rate must be at least 0"),
        ({"precision": "float16"}, "--precision must be one of float32"),
    ],
)
def test_so_does_the_class(values, message):
    with pytest.raises(ValueError, match=message):
        Example(workdir="w", **values)


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Example(workdir="w").units = 3


def test_whole_numbers_do_for_floats():
    assert Example(workdir="w", rate=1).rate == 1
    module.check(dataclasses.fields(Example)[0], "w")
