import numpy as np
import pytest

from toolkit.visualize.text import activations, bits, cells, colored


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


def test_bits_are_nats_by_log_2():
    figure = bits("ab", np.log([2.0, 8.0]), "character", title="read")
    np.testing.assert_allclose(figure.axes[0].images[0].get_array()[0, :3], [1, 3, 0])
    assert figure.axes[0].get_title("left") == "read" and figure.axes[1].get_ylabel() == "bits a character"


def test_cells_shows_those_that_are_chosen():
    values = np.random.default_rng(0).uniform(-1, 1, (4, 9))
    figure = cells("abcd", values, np.array([7, 2]), "that change most slowly")
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), values[:, [7, 2]].T)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["cell 7", "cell 2"]
    assert figure.axes[0].get_title("left") == "the 2 cells that change most slowly, tanh of their state"
