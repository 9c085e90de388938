import numpy as np
import pytest
from matplotlib.colors import to_hex

from toolkit.visualize.recall import recalled


def test_what_was_recalled_is_below_what_was_asked_for():
    asked, found = np.full((5, 4, 4, 1), 10, "uint8"), np.full((5, 4, 4, 1), 200, "uint8")
    figure = recalled(asked, found, np.array([0, 1, 0, 0, 1]), columns=3)
    shown = [(axis.get_xlabel(), int(axis.images[0].get_array()[0, 0])) for axis in figure.axes]
    asks, right, mistaken = ("asked", 10), ("recalled", 200), ("mistaken", 200)
    assert shown == [asks] * 3 + [right, mistaken, right] + [asks] * 2 + [right, mistaken]
    colours = [to_hex(axis.xaxis.label.get_color()) for axis in figure.axes]
    assert [colour == "#c22f2f" for colour in colours] == [label == "mistaken" for label, _ in shown]


def test_unlike_numbers():
    with pytest.raises(ValueError, match="expected as many of each"):
        recalled(np.zeros((2, 4, 4)), np.zeros((3, 4, 4)), np.zeros(2))
