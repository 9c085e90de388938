import numpy as np
import pytest

from toolkit.visualize.charts import bars, confusions, curves, histogram, matrix, violins


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


def test_curves_with_intervals():
    points = [(0, 2.0, 1.0, 4.0), (10, 1.0, 0.5, 1.5)]
    axis = curves({"loss": points, "other": [(0, 1), (10, 1)]}, "step", "loss").axes[0]
    assert [line.get_ydata().tolist() for line in axis.lines] == [[2, 1], [1, 1]]
    (shaded,) = axis.collections
    assert {tuple(vertex) for vertex in shaded.get_paths()[0].vertices} >= {(0, 1), (0, 4), (10, 0.5), (10, 1.5)}


@pytest.mark.parametrize("log_across, log_up", [(True, False), (False, True)])
def test_curves_on_logarithmic_axes(log_across, log_up):
    figure = curves({"a": [(0, 0.0), (10, 1.0)]}, "rows", "nats", log_across=log_across, log_up=log_up)
    axis = figure.axes[0]
    assert (axis.get_xscale(), axis.get_yscale()) == ("log" if log_across else "linear", "log" if log_up else "linear")
    figure.draw_without_rendering()
    assert [text.get_text() for text in axis.get_xticklabels()] == ["10"] or not log_across


def test_bars_by_frequency():
    axis = bars({"a": 3, " ": 20, "b": 3}, "characters").axes[0]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["␣", "a", "b"]
    assert [patch.get_height() for patch in axis.patches] == [20, 3, 3]


@pytest.mark.parametrize("count", [3, 100])
def test_words_under_bars_do_not_run_into_each_other(count):
    figure = bars({f"word {number}": 1 + number for number in range(count)}, "words")
    figure.canvas.draw()
    extents = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert all(left.x1 <= right.x0 for left, right in zip(extents, extents[1:], strict=False))


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
    whole = matrix(np.array([[12, 3]]), ["shape", "x"], rows="code", what="images").axes[0]
    assert [text.get_text() for text in whole.texts] == ["12", "3"]
    with pytest.raises(ValueError, match=r"expected \(rows, 3\) numbers; got shape \(3, 2\)"):
        matrix(values, ["a", "b", "c"], rows="code", what="nats")


def test_a_matrix_of_both_signs_with_named_rows():
    values = np.array([[1.0, -0.5, np.nan], [-0.25, 0.0, 1.0]])
    names = ["modularity", "mutual information gap", "loss"]
    axis = matrix(values, names, rows=names[:2], what="correlation").axes[0]
    drawn = axis.images[0]
    assert drawn.get_clim() == (-1.0, 1.0)
    shades = drawn.to_rgba(np.array([-1.0, 0.0, 1.0]))
    np.testing.assert_allclose(shades[1, :3], 1, atol=0.01, err_msg="0 is white")
    assert np.abs(shades[0] - shades[2]).max() > 0.3, "less than 0 has another colour"
    assert [tick.get_text() for tick in axis.get_yticklabels()] == names[:2]
    assert {text.get_position(): text.get_text() for text in axis.texts}[(0, 1)] == "-0.25"
    with pytest.raises(ValueError, match=r"expected \(3, 3\) numbers; got shape \(2, 3\)"):
        matrix(values, names, rows=names, what="correlation")


def test_violins_show_each_group_and_each_number():
    groups = {"beta": np.array([1.0, 2.0, 4.0]), "alike": np.array([3.0, 3.0]), "one": [5.0]}
    axis = violins(groups, "gap").axes[0]
    points = [line for line in axis.lines if line.get_marker() == "."]
    assert [line.get_ydata().tolist() for line in points] == [[1, 2, 4], [3, 3], [5]]
    assert [set(line.get_xdata()) for line in points] == [{0}, {1}, {2}]
    medians = [line.get_ydata()[0] for line in axis.lines if line.get_marker() != "."]
    assert medians == [2, 3, 5]
    (body,) = axis.collections  # of the group that has a spread
    heights = body.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(1) and heights.max() == pytest.approx(4)
    assert [tick.get_text() for tick in axis.get_xticklabels()] == list(groups) and axis.get_ylabel() == "gap"
    for wrong in ({}, {"a": []}, {"a": [1.0, np.inf]}):
        with pytest.raises(ValueError, match="expected finite numbers in each group"):
            violins(wrong, "gap")


def test_many_curves_can_be_told_apart():
    axis = curves({str(number): [(0, number), (1, number)] for number in range(9)}, "step", "loss").axes[0]
    assert len({(line.get_color(), line.get_linestyle()) for line in axis.lines}) == 9
