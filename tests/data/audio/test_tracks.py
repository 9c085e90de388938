import numpy as np
import pytest

from toolkit.data.audio import tracks

INVENTORY = {"speakers": ["ann"], "units": ["_", "a", "m"], "unit_lengths": [10.0, 25.0, 15.0], "num_states": 2}


def test_units_last_as_long_as_they_do_on_average():
    track = tracks.track(["a", "_", "m"], INVENTORY)
    assert track.dtype == np.int32 and len(track) == 50
    edges = np.flatnonzero(np.diff(track, prepend=-1))
    assert track[edges].tolist() == [2, 3, 0, 4, 5] and edges.tolist() == [0, 13, 25, 35, 43]
    assert tracks.said(track, INVENTORY) == "a _ m"
    assert tracks.whole(track, INVENTORY)[edges].tolist() == [1, 1, 0, 2, 2]
    stretched = tracks.track(["a", "_", "m"], INVENTORY, 100)
    assert len(stretched) == 100 and np.bincount(stretched).tolist() == [20, 0, 25, 25, 15, 15]
    assert len(tracks.track([], INVENTORY)) == 0


def test_labels_name_every_number():
    assert tracks.labels(INVENTORY)[tracks.track(["m"], INVENTORY)[-1]] == "m.2"
    assert tracks.labels({**INVENTORY, "num_states": 1}) == ["_", "a", "m"]


def test_what_there_is_not():
    with pytest.raises(ValueError, match="--units: there is no 'mm'. Did you mean 'm'"):
        tracks.track(["mm"], INVENTORY)
    with pytest.raises(ValueError, match=r"--speaker: there is no 'x'. There are: ann\."):
        tracks.number("x", ("ann",), "--speaker")


def test_who_is_asked_for_is_found():
    assert tracks.number("b", ("a", "b"), "--units") == 1
    with pytest.raises(ValueError, match="--speaker: there is no 'p22_5'. Did you mean 'p225'"):
        tracks.number("p22_5", tuple(f"p{n}" for n in range(225, 330)), "--speaker")
    with pytest.raises(ValueError, match="and 75 more"):
        tracks.number("x", tuple(f"p{n}" for n in range(225, 330)), "--speaker")
