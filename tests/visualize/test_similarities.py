import numpy as np
import pytest

from toolkit.visualize.similarities import similarities


def test_examples_are_sorted_by_class_and_every_matrix_has_its_title():
    labels = np.array([1, 0, 1, 0, 2])
    same = np.where(labels[:, None] == labels, 1.0, -0.5)
    numbered = np.arange(25.0).reshape(5, 5) / 25
    figure = similarities({f"block_{number}": numbered for number in range(4)} | {"labels": same}, labels)
    shown = {axis.get_title(): np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.get_title()}
    assert list(shown) == ["block 0", "block 1", "block 2", "block 3", "labels"]
    blocks = np.full((5, 5), -0.5)
    blocks[:2, :2] = blocks[2:4, 2:4] = blocks[4, 4] = 1.0
    np.testing.assert_array_equal(shown["labels"], blocks)
    order = [1, 3, 0, 2, 4]
    np.testing.assert_array_equal(shown["block 0"], numbered[np.ix_(order, order)])
    assert len(figure.axes) == 8 + 1 and figure.axes[0].images[0].get_clim() == (-1, 1)


@pytest.mark.parametrize("matrices", [{}, {"one": np.eye(2)}, {"one": np.eye(3), "two": np.eye(2)}])
def test_matrices_are_of_the_examples(matrices):
    with pytest.raises(ValueError, match="expected matrices of 3 by 3 examples"):
        similarities(matrices, [0, 1, 1])
