"""Flags of a recipe: of their fields' types, remembered by the workdir, or those of the shipped model."""

import dataclasses
import json
import os

import pytest
from absl import flags

from toolkit import settings
from toolkit.settings.fields import setting
from toolkit.training import Run, shipping
from toolkit.training.flags import define_flags, settings_from_flags


@settings.recipe
class Example(settings.Training):
    units: int = setting(4, "cells", minimum=1)
    rate: float = setting(0.5, "a share", minimum=0.0)
    kind: str = setting("a", "which", choices=("a", "b"))
    fast: bool = setting(False, "or not")
    size: int | None = setting(None, "pixels", minimum=1)
    text: str = setting("abc", "what to write", changeable=True)


def parsed(*arguments):
    values = flags.FlagValues()
    define_flags(Example, ("all", "train", "sample"), values, "recipe")
    values(["recipe", *arguments])
    return values


def made(*arguments, stand_in=False):
    return settings_from_flags(Example, parsed(*arguments), "example", stand_in)


def test_each_field_is_a_flag_of_its_type():
    values = parsed("--units=3", "--rate=0.25", "--kind=b", "--fast", "--mode=train", "--workdir=w", "--nojit_compile")
    assert {field.name for field in dataclasses.fields(Example)} == set(values)
    assert (values.units, values.rate, values.kind, values.fast, values.mode) == (3, 0.25, "b", True, "train")
    assert values.jit_compile is False and parsed().jit_compile is None and parsed("--size=3").size == 3
    assert parsed().units == 4


@pytest.mark.parametrize("argument", ["--units=0", "--units=x", "--kind=c", "--mode=fly", "--unit=3", "--rate=-1"])
def test_the_command_line_refuses(argument):
    with pytest.raises(flags.Error):
        parsed(argument)


def test_what_is_left_out_comes_from_the_workdir(tmp_path):
    where = f"--workdir={tmp_path}"
    Run(made(where, "--units=7", "--text=x", "--epochs=40"), recipe="example").close()
    assert made(where).units == 4, "nothing is trained yet"
    checkpoint = tmp_path / "checkpoints" / "round_1" / "model" / "latest.npz"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    again = made(where, "--mode=sample")
    assert (again.units, again.text, again.mode, again.epochs, again.size) == (7, "abc", "sample", 40, None)
    assert made(where, "--epochs=50").epochs == 50
    for flag, told in (("--units=8", "made with --units=7, not 8"), ("--size=8", "made with --size=None, not 8")):
        with pytest.raises(ValueError, match=told):
            Run(made(where, flag), recipe="example")


def test_default_workdir():
    assert made().workdir == os.path.join("runs", "example")


def test_flags_are_those_of_the_shipped_model_where_one_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipping, "FOLDER", tmp_path)
    (tmp_path / "example").mkdir()
    (tmp_path / "example" / "model.keras").touch()
    (tmp_path / "example" / "card.json").write_text(json.dumps({"settings": {"units": 8, "text": "x"}}))
    found = made("--mode=sample", "--text=abcd", stand_in=True)
    assert (found.units, found.text) == (8, "abcd")
    assert made("--mode=train").units == 4
    assert made("--mode=sample", "--workdir=own", stand_in=True).units == 4
    with pytest.raises(ValueError, match="was made with --units=8, not 9"):
        made("--mode=sample", "--units=9", stand_in=True)
