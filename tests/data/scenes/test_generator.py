import dataclasses

import numpy as np
import pytest

from toolkit.data.scenes.generator import COLORS, Generator, scene
from toolkit.data.scenes.scene import CLASSES
from toolkit.data.scenes.shapes import SHAPES


def test_a_pure_function_of_seed_and_number():
    first, others = scene(3, 5), [scene(3, 6), scene(4, 5)]
    again = scene(3, 5)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.whole, again.whole)
    assert first.objects == again.objects
    assert all((first.image != other.image).any() for other in others)


@pytest.mark.parametrize("side", [32, 64, 256])
def test_what_is_said_is_what_is_seen(side):
    generator = Generator(side)
    for number in range(10):
        made = generator(0, number)
        assert made.image.shape == (side, side, 3) and made.image.dtype == np.uint8
        assert len(made.objects) == len(made.whole) <= 7
        for depth, (each, whole, seen) in enumerate(zip(made.objects, made.whole, made.visible, strict=True)):
            assert each.depth == depth and seen.sum() >= max(12, 0.4 * whole.sum())
            rows, columns = np.nonzero(whole)
            middle = np.array([columns.mean(), rows.mean()]) / side
            assert np.hypot(*(middle - each.center)) < 0.35 * each.size + 1.5 / side
            assert np.ptp(rows) <= 1.45 * each.size * side + 2 and np.ptp(columns) <= 1.45 * each.size * side + 2


def test_plain_objects_have_their_color_and_their_outline():
    """A pixel well inside a plain disc is of the disc's colour; the mask is the disc of the formula."""
    generator = Generator(128, (1, 1), (0.4, 0.5), ["circle"], textures=["plain"])
    for number in range(10):
        made = generator(1, number)
        (each,), places = made.objects, (np.arange(128) + 0.5) / 128
        disc = np.hypot(places[:, None] - each.center[1], places - each.center[0]) < each.size / 2
        np.testing.assert_array_equal(made.whole[0], disc)
        x, y = (int(share * 128) for share in each.center)
        if 3 < x < 125 and 3 < y < 125:
            found = made.image[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3).mean(axis=0)
            distances = {name: np.linalg.norm(found - color) for name, color in COLORS.items()}
            assert min(distances, key=distances.get) == each.color


def test_all_kinds_occur_and_the_background_has_no_class():
    seen, share = set(), []
    for number in range(100):
        labels = scene(2, number).labels
        seen |= set(labels.reshape(-1).tolist())
        share.append((labels > 0).mean())
    assert seen == set(range(len(CLASSES))) and 0.15 < np.mean(share) < 0.5


def test_sizes_vary_by_more_than_four():
    sizes = [each.size for number in range(100) for each in scene(0, number).objects]
    assert np.quantile(sizes, 0.95) > 3 * np.quantile(sizes, 0.05)


@pytest.mark.parametrize(
    "change, why",
    [
        ({"side": 16}, "side=16: expected 32 to 256"),
        ({"num_objects": (3, 2)}, "expected fewest and most"),
        ({"num_objects": (1, 10**9)}, "expected fewest and most"),
        ({"sizes": (0.0, 0.5)}, "shares of the side"),
        ({"shapes": ["cube"]}, "shapes: expected some of circle.*got cube"),
        ({"colors": []}, "colors: expected some of red.*got none"),
    ],
)
def test_errors(change, why):
    with pytest.raises(ValueError, match=why):
        dataclasses.replace(Generator(), **change)


def test_a_crowd_leaves_out_what_has_no_room():
    made = Generator(32, (40, 40), (0.5, 0.9))(0, 0)
    assert 1 < len(made.objects) < 40 and len(SHAPES) == 10
