import numpy as np
import pytest

from toolkit.visualize.videos import animation, filmstrip

RANDOM = np.random.default_rng(0)


def clip(num_frames, height=16, width=32, channels=3):
    return RANDOM.integers(1, 200, (num_frames, height, width, channels)).astype("uint8")


def test_frames_stand_in_rows_each_pixel_a_square():
    one, other = clip(4), clip(2, channels=1)
    picture = filmstrip([one, other])
    scale, gap = 2, 4
    assert picture.shape == (2 * (32 + gap) + gap, 4 * (64 + gap) + gap, 3) and picture.dtype == np.uint8
    for row, frames in enumerate((one, np.repeat(other, 3, axis=-1))):
        for column, frame in enumerate(frames):
            top, left = gap + row * (32 + gap), gap + column * (64 + gap)
            found = picture[top : top + 32, left : left + 64]
            np.testing.assert_array_equal(found, np.kron(frame, np.ones((scale, scale, 1), "uint8")))
            picture[top : top + 32, left : left + 64] = 255
    assert (picture == 255).all(), "nothing else is drawn"


def test_titles_gaps_and_what_there_is_no_room_for():
    frames = clip(10, 64, 64)
    plain, titled = filmstrip([frames], num_frames=3), filmstrip([frames], ["given 犬 \\xe9" * 9], num_frames=3)
    assert titled.shape[0] == plain.shape[0] + 16 and (titled[:16] < 128).any()
    np.testing.assert_array_equal(titled[18:], plain[2:])
    np.testing.assert_array_equal(plain[2:66, 2:66], frames[0])
    np.testing.assert_array_equal(plain[2:66, -66:-2], frames[9])
    marked = filmstrip([frames], num_frames=3, marked=2)
    assert marked.shape[1] == plain.shape[1] + 2
    np.testing.assert_array_equal(marked[2:66, -66:-2], frames[9])
    assert filmstrip([clip(2000, 64, 64)]).shape[1] <= 1810
    np.testing.assert_array_equal(filmstrip([frames / 1.0 + 100]), filmstrip([np.minimum(frames + 100.0, 255)]))


def test_films_side_by_side():
    clips = [clip(5, 64, 64), clip(3, 64, 64), clip(5, 64, 64, 1)]
    film = animation(clips, columns=2)
    assert film.shape == (5, 2 * 65 + 1, 2 * 65 + 1, 3) and film.dtype == np.uint8
    np.testing.assert_array_equal(film[:, 1:65, 1:65], clips[0])
    np.testing.assert_array_equal(film[:, 1:65, 66:130], clips[1][[0, 1, 2, 2, 2]])
    np.testing.assert_array_equal(film[:, 66:130, 1:65], np.repeat(clips[2], 3, axis=-1))
    assert (film[:, 66:, 66:] == 255).all()


@pytest.mark.parametrize("clips", [[], [np.zeros((2, 8, 8))], [np.zeros((2, 8, 8, 1)), np.zeros((2, 9, 8, 1))]])
def test_what_is_no_clip(clips):
    with pytest.raises(ValueError, match="Expected clips .frames, height, width, 1 or 3., all of one size"):
        filmstrip(clips)
    with pytest.raises(ValueError, match="Expected clips"):
        animation(clips)


def test_titles_that_are_not_as_many():
    with pytest.raises(ValueError, match="as many titles as clips, 1; got 2"):
        filmstrip([clip(2)], ["a", "b"])
