"""What differs first, in words that say where."""

import pytest

from toolkit.training.differences import first_difference


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ({"a": 1}, {"b": 1}, ""),
        ({"a": [1, 2]}, {"a": [1, 3]}, "a, number 2: 2 before, 3 now"),
        ({"a": [1, 2]}, {"a": [1]}, "a: 2 of them before, 1 now"),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, "a, number 1: 'x' before, 'y' now"),
        ({"a": ["x", "y"]}, {"a": ["x", "y", "z"]}, "a: nothing else before, 'z' now"),
        ({"a": 0.1}, {"a": 0.1 * (1 + 1e-9)}, ""),
        ({"a": 0.1}, {"a": 0.1001}, "a: 0.1 before, 0.1001 now"),
        ({"a": 1}, {"a": 1.0}, ""),
        ({"a": 1}, {"a": True}, "a: 1 before, True now"),
        ({"a": None}, {"a": {"b": 1}}, "a: None before, {'b': 1} now"),
        (3, "3", "all of it: 3 before, '3' now"),
    ],
)
def test_the_first_difference(before, now, told):
    assert first_difference(before, now) == told


def test_what_is_aside_and_what_is_near():
    assert first_difference({"a": 1, "dtype": "x"}, {"a": 1, "dtype": "y"}, aside=["dtype"]) == ""
    assert first_difference([1.0], [1.01], tolerance=0.1) == ""


def test_layers_are_named_and_long_values_cut():
    layers = [{"config": {"name": "out", "names": "x" * 999}}]
    found = first_difference(layers, [{"config": {"name": "out", "names": "y"}}])
    assert found.startswith("out, names: 'xxx") and len(found) < 120
