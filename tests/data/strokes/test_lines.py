import numpy as np
import pytest

from tests.data.strokes.drawn import written
from toolkit.data.strokes.lines import check_offsets, from_strokes, padded, to_strokes


def test_from_strokes_and_back():
    random = np.random.default_rng(0)
    strokes = [random.normal(size=(count, 2)) * 30 for count in (5, 1, 2, 17, 1)]
    offsets = from_strokes(strokes)
    assert offsets.dtype == np.float32 and offsets.shape == (26, 3)
    assert np.flatnonzero(offsets[:, 2]).tolist() == [4, 5, 7, 24, 25] and not offsets[0, :2].any()
    for one, two in zip(to_strokes(offsets), strokes, strict=True):
        np.testing.assert_allclose(one, two - strokes[0][0], atol=1e-4)
    np.testing.assert_allclose(from_strokes(to_strokes(offsets)), offsets, atol=1e-5)


def test_to_strokes_of_an_unfinished_line():
    """A pen that is still down at the end, as after a cut; and a first offset that is not zero."""
    strokes = to_strokes(np.array([[1, 1, 0], [1, 0, 1], [2, 0, 0], [0, 3, 0]]))
    assert [stroke.tolist() for stroke in strokes] == [[[1, 1], [2, 1]], [[4, 1], [4, 4]]]


def test_real_pens_pass():
    for line in written():
        check_offsets(line.offsets, "embedded")
    straight = from_strokes([np.stack([np.arange(40.0), np.zeros(40)], axis=1)])
    check_offsets(straight, "a dash")
    check_offsets(np.zeros((3, 3)), "a pen that rests")
    check_offsets(np.array([[9e9, 0, 0], [1, 0, 0], [0, 1, 1]]), "where the line starts is no jump")


def test_padded_to_a_fixed_shape():
    offsets = written()[0].offsets
    found = padded(offsets, len(offsets) + 5)
    assert found["strokes"].shape == (1, len(offsets) + 5, 3) and found["length"].tolist() == [len(offsets)]
    assert found["strokes"].dtype == np.float32 and found["length"].dtype == np.int32
    np.testing.assert_array_equal(found["strokes"][0, : len(offsets)], offsets)
    assert not found["strokes"][0, len(offsets) :].any()
    with pytest.raises(ValueError, match="points; expected at most 3"):
        padded(offsets, 3)


def test_lifts_are_judged_by_nothing_but_their_ends():
    """A dense tablet's second line, and the dot of an i that comes last: hundreds of the median offset away."""
    for lift in ([-2000.0, 40.0], [-400.0, -3.0]):
        dense = np.concatenate([written()[0].offsets, written()[1].offsets]).copy()
        dense[:, :2] /= 20.0
        dense[len(written()[0].offsets), :2] = lift
        check_offsets(dense, "a tablet")
    dense[5, :2] = [90.0, 0.0]
    with pytest.raises(ValueError, match="point 5 jumps 90 inside a stroke"):
        check_offsets(dense, "a tablet")


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_any_unit_is_a_pens(scale):
    check_offsets(written()[0].offsets * [scale, scale, 1.0], "embedded")
