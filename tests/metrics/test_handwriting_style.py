import numpy as np
import pytest

from toolkit.data.strokes.embedded_writers import writers, written_lines
from toolkit.metrics.handwriting_style import Style, nearer_its_primer, style


def zigzag(slant=0.0, height=10.0, step=3.0, count=40, slope=0.0):
    """Upright strokes of one height: each measure is known by construction."""
    x = np.repeat(np.arange(count) * step, 2)
    y = np.tile([0.0, -height], count)
    x, y = x - slant * y, y + slope * x
    offsets = np.diff(np.stack([x, y], axis=1), axis=0, prepend=0.0)
    return np.column_stack([offsets, np.tile([0.0, 1.0], count)])


@pytest.mark.parametrize("slant", [-0.3, 0.0, 0.5])
def test_known_slant_height_and_spacing(slant):
    measured = style(zigzag(slant, slope=0.05), num_characters=40)
    assert measured.slant == pytest.approx(slant, abs=1e-6)
    assert measured.height == pytest.approx(10.0, rel=0.15)
    assert measured.spacing == pytest.approx((39 * 3.0 + abs(slant) * 10) / 40, rel=0.1)


def test_it_grows_with_the_writing_and_not_with_a_shift():
    line = written_lines(1, seed=3)[0]
    one, two = (style(line.offsets * [times, times, 1], len(line.text)) for times in (1, 2))
    np.testing.assert_allclose(two, np.array(one) * [1, 2, 2])


def test_slant_orders_the_embedded_writers():
    """Within one face the order of slants is the writers' own."""
    hands = {writer.name: writer for writer in writers(20)}
    by_writer = {}
    for line in written_lines(1200, num_writers=20):
        by_writer.setdefault(line.writer, []).append(style(line.offsets, len(line.text)).slant)
    for first in range(10):
        pair = [f"writer {first}", f"writer {first + 10}"]
        seen = np.subtract(*(np.mean(by_writer[name]) for name in pair))
        true = hands[pair[0]].slant - hands[pair[1]].slant
        assert seen == pytest.approx(true, abs=0.15)


def test_pairs_by_hand():
    real = [("a", Style(0, 10, 5)), ("a", Style(2, 12, 7)), ("b", Style(10, 10, 5)), ("b", Style(12, 12, 7))]
    # Means (1, 11, 6) and (11, 11, 6): only the slant tells them apart, and 6 is half way.
    joint, each = nearer_its_primer([("a", Style(5, 11, 6)), ("a", Style(7, 11, 6)), ("b", Style(7, 0, 0))], real)
    assert joint == pytest.approx(200 / 3) and each["slant"] == pytest.approx(200 / 3)
    assert each["height"] == each["spacing"] == 0.0


def test_what_cannot_be_measured():
    with pytest.raises(ValueError, match="at least 2 points"):
        style(np.zeros((1, 3)), 1)
    with pytest.raises(ValueError, match="at least two writers"):
        nearer_its_primer([("c", Style(0, 1, 1))], [("a", Style(0, 1, 1)), ("b", Style(0, 1, 1))])
