import numpy as np
import pytest

from toolkit.visualize.text import activations, colored


def test_each_piece_is_drawn_where_it_belongs():
    figure = colored([*"ab\u21b5$", "d"], np.array([0.0, 1.0, 2.0, 3.0, 0.5]), "bits", columns=10, title="t")
    axis = figure.axes[0]
    assert [line.get_text() for line in axis.texts] == ["ab\u21b5", "$d"]
    ground = axis.images[0].get_array()
    np.testing.assert_array_equal(ground[:, :4], [[0, 1, 2, 0], [3, 0.5, 0, 0]])
    figure.savefig("/dev/null", format="png")
    # The letters are as wide as the ground: what each costs is behind it.
    box = axis.texts[0].get_window_extent()
    np.testing.assert_allclose(box.width, 3 * axis.bbox.width / 10, rtol=0.03)


def test_words_break_between_them():
    figure = colored(["one", "two", "three"], np.array([1.0, 2.0, 3.0]), "bits", columns=8)
    assert [line.get_text() for line in figure.axes[0].texts] == ["one two", "three"]
    ground = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(ground, [[1, 1, 1, 0, 2, 2, 2, 0], [3, 3, 3, 3, 3, 0, 0, 0]])
    assert colored([], np.zeros(0), "bits").axes


def test_activations_has_a_row_for_each_cell():
    figure = activations("abc", np.eye(3)[:, :2], ["cell 1", "cell 2"])
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown, np.eye(3)[:, :2].T)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["cell 1", "cell 2"]


def test_errors():
    with pytest.raises(ValueError, match="one value for each of 2 pieces; got 3"):
        colored("ab", np.zeros(3), "bits")
