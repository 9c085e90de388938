import numpy as np
import pytest

from tests.data.audio.sounds import noise
from toolkit.data.audio.trimming import sounding


def recording(level):
    return np.concatenate([noise(3000, level=level / 1000), noise(4000, level=level), noise(2000, level=level / 1000)])


@pytest.mark.parametrize("level", [0.3, 0.001])
def test_what_sounds_is_kept_however_loud_the_whole_is(level):
    start, stop = sounding([recording(level)], 8000, 0.03)
    assert 3000 - 2 * 160 <= start <= 3000 and 7000 <= stop <= 7000 + 2 * 160


def test_blocks_do_not_matter():
    whole = recording(0.2)
    expected = sounding([whole], 8000, 0.03)
    for size in (1, 100, 159, 1000):
        blocks = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert sounding(blocks, 8000, 0.03) == expected


def test_without_a_threshold_all_is_kept():
    assert sounding([recording(0.2)], 8000, 0.0) == (0, 9000)


def test_silence_has_no_sound():
    assert sounding([np.zeros(5000, "float32")], 8000, 0.03) == sounding([], 8000, 0.03) == (0, 0)
