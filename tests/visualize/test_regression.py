import numpy as np
import pytest

from toolkit.visualize import regression

X = np.linspace(-2.0, 3.0, 50)


def test_the_band_is_two_scales_wide_and_ticks_stand_at_the_inducing_inputs():
    figure = regression.band(
        X, np.sin(X), 0.1 + 0 * X, observed=(X, np.sin(X) + 0.3), inducing=np.array([-1.0, 2.0]), truth=X, up="$y"
    )
    axis = figure.axes[0]
    lines = {line.get_label(): line for line in axis.lines}
    edges = axis.collections[0].get_paths()[0].vertices
    assert edges[:, 1].max() == pytest.approx(np.sin(X).max() + 0.2)
    np.testing.assert_allclose(lines["mean"].get_ydata(), np.sin(X))
    np.testing.assert_allclose(lines["the truth"].get_ydata(), X)
    np.testing.assert_allclose(lines["2 inducing inputs"].get_xdata(), [-1, 2])
    assert len(lines["training rows"].get_xdata()) == 50 and axis.get_ylabel() == r"\$y"
    figure.draw_without_rendering()


def test_many_rows_are_drawn_in_part():
    many = np.arange(100_000.0)
    figure = regression.band(X, X, X + 3, observed=(many, many), inducing=X[:1])
    drawn = figure.axes[0].lines[0].get_xdata()
    assert len(drawn) == 3000 and drawn[0] == 0 and drawn[-1] == 99_999
    assert "the truth" not in figure.axes[0].get_legend_handles_labels()[1]


def test_calibration_has_a_curve_for_each_model():
    figure = regression.calibration([0.1, 0.9], {"a": np.array([0.2, 0.8]), "b": np.array([0.0, 1.0])})
    assert [line.get_ydata().tolist() for line in figure.axes[0].lines] == [[0, 1], [0.2, 0.8], [0, 1]]


def test_what_was_predicted_against_the_truth():
    figure = regression.against_truth(np.array([1.0, 5.0]), np.array([2.0, 4.0]), np.array([0.5, 1.0]), "strength")
    axis = figure.axes[0]
    assert list(axis.lines[0].get_xdata()) == [1.0, 5.0]
    assert axis.lines[1].get_ydata().tolist() == [2.0, 4.0]
    bars = axis.collections[0].get_segments()
    np.testing.assert_allclose([bar[:, 1].tolist() for bar in bars], [[1, 3], [2, 6]])


@pytest.mark.parametrize("count, drawn", [(1, 1), (5, 5), (40, 12)])
def test_columns(count, drawn):
    names = [f"c{number}" for number in range(count)]
    figure = regression.columns(np.zeros((30, count)), np.arange(30.0), names, "strength_in_$")
    assert [axis.get_xlabel() for axis in figure.axes] == names[:drawn]
    assert [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()][0] == r"strength_in_\$"
    figure.draw_without_rendering()
