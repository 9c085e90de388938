"""Flags of a recipe: of their fields' types, remembered by the workdir, or those of the shipped model."""

import json
import os

import pytest

from toolkit import settings
from toolkit.settings.fields import setting
from toolkit.training import Run, flags, shipping
from toolkit.training.flags import given, settings_from_flags


@settings.recipe
class Example(settings.Training):
    units: int = setting(4, "cells", minimum=1)
    rate: float = setting(0.5, "a share", minimum=0.0)
    kind: str = setting("a", "which", choices=("a", "b"))
    fast: bool = setting(False, "or not")
    size: int | None = setting(None, "pixels", minimum=1)
    text: str = setting("abc", "what to write", changeable=True)


def parsed(*arguments):
    return given(Example, ("all", "train", "sample"), arguments)


def made(*arguments, stand_in=False):
    return settings_from_flags(Example, parsed(*arguments), "example", stand_in)


def test_each_field_is_a_flag_of_its_type():
    words = "--units=3", "--rate", "0.25", "-kind=b", "--fast", "--mode=train", "--workdir=w", "--nojit_compile"
    found = {"units": 3, "rate": 0.25, "kind": "b", "fast": True, "mode": "train", "workdir": "w", "jit_compile": False}
    assert parsed(*words) == found and parsed() == {}
    assert parsed("--fast=off", "--size=3") == {"fast": False, "size": 3}
    assert parsed("--text=a=b\nc d", "--units=3", "--units=3") == {"text": "a=b\nc d", "units": 3}
    assert parsed("--text", "-x", "--rate", "-0") == {"text": "-x", "rate": 0.0}


@pytest.mark.parametrize(
    "words, answer",
    [
        (["--units=0"], "--units must be at least 1; got 0"),
        (["--units=x"], "--units must be a whole number; got 'x'"),
        (["--units="], "--units must be a whole number; got ''"),
        (["--units=1e3"], "--units must be a whole number; got '1e3'"),
        (["--units=" + "9" * 5000], r"--units must be a whole number; got '9{39}\.\.\. \(5,000 characters\)"),
        (["--rate=-1"], "--rate must be at least 0.0; got -1.0"),
        (["--rate=nan"], "--rate must be a finite number; got nan"),
        (["--fast=perhaps"], "--fast must be true or false; got 'perhaps'"),
        (["--kind=c"], "--kind must be one of a, b; got 'c'"),
        (["--mode=fly"], "--mode must be one of all, train, sample; got 'fly'"),
        (["--workdir="], "--workdir= is empty"),
        (["--text="], "--text= is empty"),
        (["--workdir=a\0b"], "--workdir holds a zero byte"),
        (["--workdir=a\udce9"], r"--workdir is not UTF-8; got 'a\\udce9'"),
        (["--workdir=" + "a" * 300], "longer than a path can be"),
        (["--workdir=~nosuchuser/x"], "there is no such user"),
        (["--unit=3"], "no flag --unit. Did you mean --units"),
        (["--check-point-minutes=3"], "'--check-point-minutes=3' is no flag. Each is written"),
        (["--batch-size=3"], "'--batch-size=3' is no flag. Did you mean --batch_size=3"),
        (["\N{EM DASH}units=3"], "is no flag. Did you mean --units=3"),
        (["units=3"], "'units=3' is no flag. Did you mean --units=3"),
        (["--nofast=false"], "--nofast takes no value: leave it out, or write --fast=VALUE"),
        (["--nounits"], "no flag --nounits. Did you mean --units"),
        (["--flagfile=/etc/passwd"], "there is no flag --flagfile"),
        (["--undefok=units"], "there is no flag --undefok"),
        (["--pdb"], "there is no flag --pdb"),
        (["train"], "'train' is no flag. Did you mean --mode=train"),
        (["--fast", "False"], "'False' is no flag. Did you mean --nofast"),
        (["--nofast", "yes"], "'yes' is no flag. Did you mean --fast"),
        (["--text=Hello", "brave", "world", "--units=3"], 'Did you mean --text="Hello brave world"'),
        (["--text", "Hello", "world"], 'Did you mean --text="Hello world"'),
        (["--text=$5", "only"], r"Did you mean --text='\$5 only'"),
        (["--units=3", "4"], "'4' is no flag. Each is written --NAME=VALUE"),
        (["--"], "'--' is no flag"),
        ([""], "'' is no flag"),
        (["--units=3", "--units=4"], "--units is given twice: 3 and 4"),
        (["--fast", "--nofast"], "--fast is given twice: True and False"),
        (["--text"], "--text needs a value"),
        (["--text", "--units=3"], "--text needs a value"),
        (["--text", "--nofast"], "--text needs a value"),
    ],
)
def test_what_is_no_flag_is_refused_with_what_was_meant(words, answer):
    with pytest.raises(ValueError, match=answer):
        made(*words)


def test_a_workdir_in_ones_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert made("--workdir=~/runs").workdir == str(tmp_path / "runs")


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


def test_absl_has_every_flag_and_what_was_given():
    from absl import flags as absl_flags

    values = absl_flags.FlagValues()
    flags.define_flags(Example, ("all", "train"), values)
    given(Example, ("all", "train"), ["--text=a=b\nc d --units=9", "--nofast", "--size", "3", "--mode=train"], values)
    assert (values.text, values.fast, values.size, values.mode) == ("a=b\nc d --units=9", False, 3, "train")
    assert values.units == 4 and not values["units"].present and values["size"].present
    assert "LSTM" not in values["units"].help and values["units"].help == "cells"
