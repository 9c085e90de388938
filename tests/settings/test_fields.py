"""Fields and their flags: a recipe's own first, other defaults for inherited ones, and clear words on wrong values."""

import dataclasses

import pytest

from toolkit.settings import fields, running
from toolkit.settings.fields import group, help_text, other, recipe, setting, titled


@group
class Network:
    """The network."""

    units: int = setting(400, "LSTM cells in each layer", minimum=1)
    rate: float = setting(0.5, "a share", minimum=0.0)

    def check(self):
        """Says what does not go together."""
        if self.units == 13:
            raise ValueError("--units=13 is unlucky.")


@recipe
class Example(Network, running.Training):
    kind: str = setting("a", "which", choices=("a", "b"))
    units: int = other(8, paper="400", more="few will do")
    fast: bool = setting(False, "or not")
    size: int | None = setting(None, "pixels", minimum=1)
    epochs: int = 3


@pytest.mark.parametrize(
    "values, message",
    [
        ({"units": 0}, "--units must be at least 1; got 0"),
        ({"units": "8"}, "--units must be int"),
        ({"units": True}, "--units must be int"),
        ({"units": None}, "--units must be int"),
        ({"units": 13}, "--units=13 is unlucky"),
        ({"kind": "c"}, "--kind must be one of a, b; got 'c'"),
        ({"rate": float("nan")}, "--rate must be a finite number"),
        ({"size": 0}, "--size must be at least 1"),
        ({"precision": "float16"}, "--precision must be one of float32"),
    ],
)
def test_wrong_values_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        Example(**values)


def test_a_bare_value_is_another_default_and_keeps_words_and_limits():
    by_name = {field.name: field for field in dataclasses.fields(Example)}
    assert (Example().units, Example().epochs, Example().size, Example(rate=1).rate) == (8, 3, None, 1)
    assert fields.words(by_name["units"]) == "LSTM cells in each layer; few will do (paper: 400)"
    assert by_name["epochs"].metadata["minimum"] == 1 and by_name["epochs"].metadata["changeable"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Example().units = 3
    assert hash(Example()) == hash(Example())


def test_help_has_the_recipes_own_first_and_then_the_groups():
    assert [title for title, _ in titled(Example)] == ["This recipe", "The network", "The training", "The run"]
    assert [field.name for field in titled(Example)[0][1]] == ["kind", "fast", "size"]
    text = help_text(Example, ("all", "train"))
    assert text.index("--kind") < text.index("The network:") < text.index("--units") < text.index("--mode: <all|train>")
    assert "--[no]fast: or not" in text and "few will do (paper: 400) [8]" in text and "--strategy" not in text


def test_fields_need_words_and_a_kind():
    with pytest.raises(TypeError, match="no group has such a field"):
        recipe(type("Settings", (Network,), {"__annotations__": {"depth": int}, "depth": 3}))
    with pytest.raises(TypeError, match=r"Other.depth: no group has such a field; write setting\(default, help\)"):
        group(type("Other", (), {"__annotations__": {"depth": int}, "depth": 3}))
    with pytest.raises(TypeError, match=r"units: other\(\) takes what setting\(\) does, and more; not papers"):
        recipe(type("Settings", (Network,), {"__annotations__": {"units": int}, "units": other(3, papers="4")}))
    with pytest.raises(TypeError, match="bool, int, float or str"):
        group(type("Other", (), {"__annotations__": {"sizes": list}, "sizes": setting([], "sizes")}))


@pytest.mark.parametrize(
    "value, why",
    [
        (1 << 31, "--units must be at most 2147483647"),
        (0, "--units must be at least 1"),
        (float("inf"), "--units must be int"),
        (True, "--units must be int"),
    ],
)
def test_whole_numbers_are_bounded(value, why):
    @group
    class Network:
        """The network."""

        units: int = setting(4, "cells", minimum=1)

    with pytest.raises(ValueError, match=why):
        Network(units=value)


@pytest.mark.parametrize(
    "value, why",
    [
        ("abcde", "--name must have at most 4 characters; got 'abcde'"),
        ("a\0", r"--name holds a zero byte, which neither a text nor a name can; got 'a\\x00'"),
        ("\udce9", r"--name is not UTF-8; got '\\udce9'"),
    ],
)
def test_strings_are_texts(value, why):
    @group
    class Named:
        """What is named."""

        name: str = setting("", "a name", maximum=4)
        text: str = setting("", "a text")

    with pytest.raises(ValueError, match=why):
        Named(name=value)
    with pytest.raises(ValueError, match=r"--text must have at most 100,000 characters; got 'a{39}\.\.\. \(100,001"):
        Named(text="a" * 100_001)
    assert Named(name="a\nb", text="\N{SNOWMAN}").name == "a\nb"


def test_values_are_shortened_in_messages():
    assert fields.quoted("a\nb") == r"'a\nb'" and fields.quoted(3) == "3"
    assert len(fields.quoted("a" * 10**6)) < 100 and fields.quoted(10**9999) == "a number of 33,216 bits"


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_numbers_are_finite(value):
    @group
    class Network:
        """The network."""

        rate: float = setting(0.5, "step size", maximum=1.0)

    with pytest.raises(ValueError, match="--rate must be a finite number"):
        Network(rate=value)
    with pytest.raises(ValueError, match=r"--rate must be at most 1\.0; got 1\.5"):
        Network(rate=1.5)
