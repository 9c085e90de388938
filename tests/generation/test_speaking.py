import numpy as np
import pytest

from toolkit import models
from toolkit.generation.audio import SoundGenerator
from toolkit.generation.speaking import Asked, speak

ASKED = [Asked(1, np.repeat([0, 3, 2], 10)), Asked(0, np.repeat([1, 2], 10))]


def generator(**how):
    model = models.wavenet.wavenet([1, 2], 4, 6, num_levels=16, hop=10, **how)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) for w in model.get_weights()])
    return SoundGenerator(model)


def test_each_is_written_as_asked_and_as_long_as_asked():
    writer = generator(num_speakers=2, num_units=4)
    found = speak(writer, ASKED, seed=3)
    assert [len(sound) for sound in found] == [30, 20]
    units = np.array([[0, 3, 2], [1, 2, 2]])
    expected = writer.write(30, num_sounds=2, speaker=[1, 0], units=units, seed=3)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1, :20])
    alone = speak(generator(), ASKED, seed=3)
    np.testing.assert_array_equal(alone[0], generator().write(30, num_sounds=2, seed=3)[0])


def test_a_primers_units_come_before():
    writer, primer = generator(num_units=4), np.linspace(-0.5, 0.5, 15)
    found = speak(writer, ASKED, primer=primer, primer_units=np.full(15, 3))
    units = np.array([[3, 0, 3, 2, 2], [3, 1, 2, 2, 2]])  # in the middles of the frames; the last one stays
    expected = writer.write(30, num_sounds=2, units=units, prime=primer)
    np.testing.assert_array_equal(found[0], expected[0])
    with pytest.raises(ValueError, match="give a primer, and the units in it, or neither"):
        speak(writer, ASKED, primer=primer)
    with pytest.raises(ValueError, match="asked: expected one sound"):
        speak(writer, [])
