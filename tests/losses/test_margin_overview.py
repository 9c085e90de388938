import math

import numpy as np
import pytest

from toolkit.losses import margin, margin_overview

GRID = np.linspace(-6, 6, 343)


@pytest.mark.parametrize("row", margin_overview.table(), ids=lambda row: row[0])
def test_what_the_table_prints_is_what_is_computed(row):
    name, formula, derivative, properties = row
    loss = margin.get(name)
    names = {name: getattr(math, name) for name in ("e", "log", "tanh", "cosh")} | {
        "max": max,
        "gamma": getattr(loss, "gamma", None),
        "q": getattr(loss, "q", None),
    }
    for text, computed in ((formula, loss.value), (derivative, loss.derivative)):
        expected = [eval(text.replace("^", "**"), names, {"a": float(a)}) for a in GRID]
        np.testing.assert_allclose(computed(GRID.astype("float32")), expected, rtol=3e-5, atol=1e-6)
    assert properties is loss.properties and ("convex" in str(properties)) == properties.convex


def test_all_are_described():
    lines = margin_overview.described().splitlines()
    assert len(lines) == 3 * len(margin.LOSSES)
    assert [line.split()[0] for line in lines[::3]] == list(margin.LOSSES)
    assert all(line.split()[0] == "derivative" for line in lines[1::3])


def test_curves_are_values_and_derivatives():
    agreement = GRID.astype("float32")
    values, derivatives = margin_overview.curves(agreement)
    assert list(values) == list(derivatives) == list(margin.LOSSES)
    for name in values:
        np.testing.assert_array_equal(values[name], margin.get(name).value(agreement))
        np.testing.assert_array_equal(derivatives[name], margin.get(name).derivative(agreement))
