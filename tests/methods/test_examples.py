import keras
import numpy as np
import pytest

from toolkit import losses
from toolkit.methods.examples import blocks, check_labels, check_shapes, num_rows, rows


def test_rows_and_blocks_of_nests():
    examples = ({"a": np.arange(10).reshape(5, 2), "b": np.arange(5)}, np.arange(5))
    assert num_rows(examples, "examples") == 5
    x, y = rows(examples, [4, 0])
    assert x["a"].tolist() == [[8, 9], [0, 1]] and x["b"].tolist() == y.tolist() == [4, 0]
    assert [y.tolist() for _, y in blocks(examples, 2)] == [[0, 1], [2, 3], [4]]


@pytest.fixture(scope="module")
def classifier():
    return keras.Sequential([keras.Input((None, 2)), keras.layers.Dense(3)])


def test_shapes_are_the_models(classifier):
    check_shapes(classifier, (np.zeros((4, 9, 2)), np.zeros(4)), "queries")
    check_shapes(classifier, ({"any": np.zeros(4)}, np.zeros(4)), "queries")
    for shape in ((4, 9, 3), (4, 2)):
        with pytest.raises(ValueError, match=r"Inputs of the queries .* the model takes \(None, None, 2\)"):
            check_shapes(classifier, (np.zeros(shape), np.zeros(4)), "queries")
    with pytest.raises(ValueError, match=r"as many inputs as targets among the queries, one or more; got \[0, 0\]"):
        check_shapes(classifier, (np.zeros((0, 9, 2)), np.zeros(0)), "queries")


def test_labels_are_those_of_the_model_and_the_loss(classifier):
    x = np.zeros((2, 9, 2))
    check_labels(classifier, None, (x, np.array([[0] * 9, [2] * 9])), "queries")
    check_labels(classifier, None, (x, np.full((2, 9, 3), 7)), "queries")  # no class numbers
    for wrong in (-1, 3):
        with pytest.raises(ValueError, match=f"Label 1 of the queries is {wrong}; expected from 0 to 2"):
            check_labels(classifier, None, (x, np.array([[0] * 9, [2] * 8 + [wrong]])), "queries")
    with pytest.raises(ValueError, match="is 2; expected -1 or 0, and 1"):
        check_labels(classifier, losses.margin.L1Hinge(), (x, np.full((2, 9, 3), 2)), "queries")
    for wrong in (1.5, np.nan):
        with pytest.raises(ValueError, match=f"is {wrong}; expected from 0 to 1"):
            check_labels(classifier, keras.losses.BinaryCrossentropy(), (x, np.full((2, 9, 3), wrong)), "queries")
