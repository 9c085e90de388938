import itertools

import numpy as np
import pytest

from toolkit.data.factors.factor_images import FactorImages, tabulated

NAMES, SIZES = ("a", "b", "c"), (2, 3, 4)
ALL = list(itertools.product(range(2), range(3), range(4)))


def marked(places):
    """Images that say where they lie."""
    return np.asarray(places, "uint8").reshape(-1, 1, 1, 1) * np.ones((1, 2, 5, 1), "uint8")


def made(num_images=1, seed=3):
    """Images in no order, so many of each combination."""
    places = np.random.default_rng(seed).permutation(24 * num_images).reshape(24, num_images)
    return FactorImages(NAMES, SIZES, marked, places)


def where(images):
    """Where each image lay."""
    assert images.dtype == np.float32 and images.shape[1:] == (2, 5, 1) and images.max() <= 1
    return np.rint(images[:, 0, 0, 0] * 255).astype(int).tolist()


def test_combinations_are_numbered_in_order():
    data = made()
    assert len(data) == 24 and data.image_shape == (2, 5, 1)
    assert data.factors(np.arange(24)).tolist() == list(map(list, ALL))
    rows = np.array(ALL)[[5, 0, 23, 5]]
    assert data.numbers(rows).tolist() == [5, 0, 23, 5]
    assert where(data.images(rows)) == data.places[[5, 0, 23, 5], 0].tolist()


def test_factors_are_drawn_uniformly_and_independently():
    data, drawn = made(), made().sample(24_000, seed=1)
    assert drawn.dtype == np.int64 and (drawn != data.sample(24_000, seed=2)).any()
    np.testing.assert_array_equal(drawn, data.sample(24_000, seed=1))
    counts = np.bincount(data.numbers(drawn), minlength=24)
    assert ((counts - 1000) ** 2 / 1000).sum() < 50  # chi-squared of 23 degrees of freedom: one in 1,000 is greater
    generator = np.random.default_rng(0)
    assert (data.sample(9, generator) != data.sample(9, generator)).any()


def test_of_several_images_any_is_drawn_the_same_for_a_seed():
    data, rows = made(num_images=5), np.array([[1, 2, 0]] * 500)
    found = where(data.images(rows, seed=1))
    places = data.places[data.numbers(rows[:1])[0]]
    assert {*found} == {*places.tolist()} and min(map(found.count, {*found})) > 60
    assert found == where(data.images(rows, seed=1)) != where(data.images(rows, seed=2))
    generator = np.random.default_rng(1)
    assert found == where(data.images(rows, generator)) != where(data.images(rows, generator))


@pytest.mark.parametrize(
    ("chosen", "names", "left"),
    [
        ({"b": [2, 0]}, ("a", "b", "c"), list(itertools.product((0, 1), (2, 0), range(4)))),
        ({"a": [1], "c": range(0, 4, 3)}, ("b", "c"), list(itertools.product((1,), range(3), (0, 3)))),
        ({}, NAMES, ALL),
    ],
)
def test_a_subset_has_the_values_that_stay(chosen, names, left):
    data = made(num_images=2)
    part = data.subset(chosen)
    assert part.factor_names == names and len(part) == len(left)
    np.testing.assert_array_equal(part.places, data.places[data.numbers(np.array(left))])
    assert part.pixels is data.pixels


def test_a_table_in_any_order():
    order = np.random.default_rng(0).permutation(24)
    values = np.array(ALL)[order] * [0.5, -2.0, 7.0]  # the second factor descends
    data = tabulated(values, NAMES, marked, "a table")
    assert data.factor_sizes == SIZES
    for row, (a, b, c) in enumerate(np.array(ALL)[order]):
        assert data.places[data.numbers(np.array([[a, 2 - b, c]]))].tolist() == [[row]]
    repeated = tabulated(values[:, [1, 0, 2]], ("b", "a"), marked, "a table")
    assert repeated.places.shape == (6, 4) and sorted(repeated.places.reshape(-1).tolist()) == list(range(24))
    row = values[repeated.places[3]]  # the second of b's values, from the least, and the second of a's
    assert {*row[:, 1].tolist()} == {-2.0} and {*row[:, 0].tolist()} == {0.5} and len({*row[:, 2].tolist()}) == 4


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            lambda: tabulated(np.array(ALL)[:-1], NAMES, marked, "x.npz"),
            "x.npz: 23 images.* have 2 x 3 x 4.*expected 24",
        ),
        (
            lambda: tabulated(np.array([*ALL[1:], ALL[1]]), NAMES, marked, "x.npz"),
            r"x.npz: of.*\[0, 0, 0\] has no image",
        ),
        (lambda: tabulated(np.array(ALL)[:4], NAMES, marked, "x.npz"), "x.npz: expected 2 factors.*1 x 1 x 4"),
        (lambda: FactorImages(("a",), (4,), marked, np.zeros((4, 1), int)), "2 factors or more"),
        (lambda: FactorImages(("a", "b"), (4, 1), marked, np.zeros((4, 1), int)), "2 values or more each"),
        (lambda: FactorImages(("a", "b"), (4, 2), marked, np.zeros((7, 1), int)), r"expected shape \(8, 1 or more\)"),
        (lambda: made().images(np.array([[0, 3, 0]])), "b has the values 0 to 2; got 3"),
        (lambda: made().images(np.array([[0, 0, -1]])), "c has the values 0 to 3; got -1"),
        (lambda: made().images(np.zeros((2, 3))), r"expected integers \(n, 3\), a, b, c; got float64 \(2, 3\)"),
        (lambda: made().images(np.zeros((2, 4), int)), r"expected integers \(n, 3\)"),
        (lambda: made().subset({"d": [0]}), "no factor d; there are a, b, c"),
        (lambda: made().subset({"b": [0, 3]}), "values of b of 0 to 2, each once"),
        (lambda: made().subset({"b": [1, 1]}), "values of b of 0 to 2, each once"),
        (lambda: made().subset({"b": [1], "a": [0]}), "2 factors or more"),
    ],
)
def test_what_cannot_be(wrong, told):
    with pytest.raises(ValueError, match=told):
        wrong()
