import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from toolkit.visualize import strokes

LINE = np.array([[0, 0, 0], [3, 0, 0], [0, 4, 1], [2, 0, 0], [2, 1, 1]], "float32")


def rendered(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def test_positions_are_sums():
    path, ends = strokes.positions(LINE)
    np.testing.assert_allclose(path, [[0, 0], [3, 0], [3, 4], [5, 4], [7, 5]])
    np.testing.assert_array_equal(ends, [False, False, True, False, True])


def test_lines_draw_each_stroke_apart():
    axis = strokes.lines([LINE], ["a line"]).axes[0]
    drawn = [np.stack(line.get_data(), axis=1) for line in axis.lines]
    assert [len(stroke) for stroke in drawn] == [3, 2]
    np.testing.assert_allclose(drawn[1], [[5, 4], [7, 5]])
    bottom, top = axis.get_ylim()
    assert bottom > top, "y grows downward"
    assert axis.get_title(loc="left") == "a line"


@pytest.mark.parametrize("line", [LINE, LINE[:0], LINE[:1]])
def test_lines_of_any_length_leave_ink_or_a_blank(line):
    assert rendered(strokes.lines([line, LINE])).min() < 128


def test_window_puts_the_last_character_on_top():
    weights = np.zeros((5, 3))
    weights[:, 2] = 1.0
    axis = strokes.window(weights, "a c", LINE).axes[1]
    np.testing.assert_array_equal(axis.images[0].get_array()[2], np.ones(5))
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "␣", "c"]


def test_density_is_highest_where_the_pen_goes():
    offsets = np.array([[4, 0, 0], [4, 0, 0]], "float32")
    means = offsets[:, None, :2].astype("float64")
    factors = np.broadcast_to(0.3 * np.eye(2), (2, 1, 2, 2))
    axis = strokes.density(np.zeros((2, 1)), means, factors, offsets, resolution=201).axes[0]
    image, (left, right, *_) = np.asarray(axis.images[0].get_array()), axis.images[0].get_extent()
    row, column = np.unravel_index(image.argmax(), image.shape)
    x = left + (right - left) * column / (image.shape[1] - 1)
    assert min(abs(x - 4), abs(x - 8)) < 0.1
    np.testing.assert_allclose(image.max(), -np.log(2 * np.pi * 0.3**2), atol=0.05)


def test_mixture_weights():
    weights = np.full((6, 4), 0.25)
    np.testing.assert_array_equal(strokes.mixture_weights(weights).axes[0].images[0].get_array(), weights.T)


def test_curve_keeps_ends_and_corners_and_rounds_the_rest():
    corner = np.array([[0.0, 0.0], [4.0, 0.0], [8.0, 0.0], [8.0, 4.0], [8.0, 8.0]])
    drawn = strokes.curve(corner)
    np.testing.assert_allclose(drawn[[0, -1]], corner[[0, -1]])
    assert np.abs(drawn - [8.0, 0.0]).sum(axis=1).min() < 1e-9, "the corner is there"
    # A regular polygon's B-spline lies between its inscribed circle and itself.
    angles = np.linspace(0, np.pi, 9)
    arc = 10 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radii = np.hypot(*strokes.curve(arc).T)
    assert radii.min() > 10 * np.cos(np.pi / 16) - 1e-9 and radii.max() < 10 + 1e-9
    assert strokes.curve(corner[:2]) is not None and len(strokes.curve(corner[:1])) == 1


def test_how_a_training_stands():
    class Line:
        offsets, weights, text = np.ones((5, 3)), np.full((5, 2), 0.5), "ab"

    shown = strokes.training([Line, Line], "ab", np.full((2, 9, 4), 0.5), np.zeros((2, 9, 3)), Line)
    assert [axes.get_title(loc="left") for axes in shown["training/lines"].axes] == ["bias 0.5", "bias 2"]
    assert set(shown) == {
        f"training/{name}" for name in ("lines", "window", "window_on_a_real_line", "mixture_weights")
    }
