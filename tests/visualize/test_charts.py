import numpy as np
import pytest

from toolkit.visualize.charts import bars, confusions, curves, histogram, matrix


def test_a_histogram_counts_every_value_once():
    parts = {"train": np.array([10, 11, 11, 90]), "test": np.array([12])}
    axis = histogram(parts, "points", limit=50).axes[0]
    assert sum(patch.get_height() for patch in axis.patches) == 5
    assert {text.get_text() for text in axis.get_legend().get_texts()} == {"train", "test", "limit 50: 1 beyond"}
    assert axis.get_xlabel() == "points"


def test_curves_through_their_points():
    (line,) = curves({"train": [(0, 2.0), (10, 1.0)]}, "step", "loss").axes[0].lines
    assert line.get_xdata().tolist() == [0, 10] and line.get_ydata().tolist() == [2, 1]
    with pytest.raises(ValueError, match=r"'loss' has shape \(2, 64\); expected points \(x, y\)"):
        curves({"loss": (np.arange(64), np.zeros(64))}, "step", "loss")


def test_bars_by_frequency():
    axis = bars({"a": 3, " ": 20, "b": 3}, "characters").axes[0]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["␣", "a", "b"]
    assert [patch.get_height() for patch in axis.patches] == [20, 3, 3]


def test_nothing_to_draw():
    assert histogram({}, "points").axes and bars({}, "characters").axes


def test_confusions_name_nothing_and_space():
    counts = {("a", "o"): 9, ("", " "): 5, ("b", ""): 2}
    axis = confusions(counts, most=2).axes[0]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["a→o", "∅→␣"]
    assert axis.get_xlabel() == "right → read (∅: nothing)"


def test_a_matrix_is_as_dark_as_it_is_large():
    values = np.array([[0.0, 2.0], [1.0, 0.5], [0.25, 0.0]])
    figure = matrix(values, ["shape", "x"], rows="code", what="nats")
    axis = figure.axes[0]
    drawn = axis.images[0]
    np.testing.assert_array_equal(drawn.get_array(), values)
    assert drawn.get_clim() == (0.0, 2.0)
    assert {text.get_position(): text.get_text() for text in axis.texts}[(1, 0)] == "2.00"
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["shape", "x"] and axis.get_ylabel() == "code"
    with pytest.raises(ValueError, match=r"expected \(rows, 3\) numbers; got shape \(3, 2\)"):
        matrix(values, ["a", "b", "c"], rows="code", what="nats")
