import numpy as np
import scipy.ndimage

from toolkit.data.characters.glyphs import glyphs


def test_a_class_looks_like_itself_more_than_like_others():
    drawn = glyphs(40, 6, 20)
    assert drawn.shape == (40, 6, 20, 20) and drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn[:3], glyphs(3, 6, 20))
    ink = 1 - drawn.reshape(240, -1) / 255
    assert (ink.max(axis=1) > 0.9).all() and 0.05 < ink.mean() < 0.25
    ink = scipy.ndimage.gaussian_filter(ink.reshape(240, 20, 20), (0, 1, 1)).reshape(240, -1)
    ink /= np.linalg.norm(ink, axis=1, keepdims=True)
    cosines, own = ink @ ink.T, np.repeat(np.arange(40), 6)
    alike = own[:, None] == own
    np.fill_diagonal(cosines, np.nan)
    assert np.nanmean(cosines[alike]) > np.nanmean(cosines[~alike]) + 0.2
    assert len({each.tobytes() for each in drawn.reshape(240, -1)}) == 240


def test_larger_images_show_the_same():
    small, large = glyphs(5, 3, 20), glyphs(5, 3, 40)
    averaged = large.reshape(5, 3, 20, 2, 20, 2).mean(axis=(3, 5))
    assert np.abs(averaged - small).mean() < 6
