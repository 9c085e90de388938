import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import Cutout

IMAGES = np.random.default_rng(0).uniform(1.0, 2.0, (300, 6, 7, 2)).astype("float32")


def test_gate():
    checks.check_layer(lambda: Cutout(3, seed=0, name="layer"), IMAGES[:3])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_one_square_of_each_image_is_left_out(size):
    left = np.asarray(Cutout(size, seed=0)(IMAGES, training=True))
    out = left == 0
    np.testing.assert_array_equal(left[~out], IMAGES[~out])
    np.testing.assert_array_equal(out[..., 0], out[..., 1])
    places = set()
    for image in out[..., 0]:
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        assert image.sum() == len(rows) * len(columns), "a rectangle"
        for which, length in ((rows, 6), (columns, 7)):
            assert which[-1] - which[0] + 1 == len(which) <= size
            assert len(which) == size or which[0] == 0 or which[-1] == length - 1, "smaller at a border alone"
        places.add((rows[0], rows[-1], columns[0], columns[-1]))
    # Every centre is drawn: 6 x 7 of them, each with one of 300 images or more.
    assert len(places) == 42


def test_testing_sees_all_and_a_seed_is_the_same_again():
    np.testing.assert_array_equal(Cutout(3)(IMAGES), IMAGES)
    first, second = (Cutout(3, seed=4)(IMAGES, training=True) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    layer = Cutout(3, seed=4)
    assert (np.asarray(layer(IMAGES, training=True)) != np.asarray(layer(IMAGES, training=True))).any()


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="size must be at least 1 pixel; got 0"):
        Cutout(0)
    with pytest.raises(ValueError, match=r"expected \(batch, height, width, channels\)"):
        Cutout(2)(keras.Input((3,)))
