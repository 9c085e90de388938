import types

import numpy as np

from toolkit.visualize import speech_report

EXAMPLES = [
    types.SimpleNamespace(waveform=np.linspace(-1, 1, length), units=np.repeat([0, 2], length // 2))
    for length in (800, 400)
]
FOUND = types.SimpleNamespace(
    examples=EXAMPLES,
    titles=["a: one", "b: two"],
    sample_rate=8000,
    unit_names=("_", "x", "y"),
    seconds={"train": np.array([1.0, 1.2, 4.0]), "test": np.array([4.1])},
)


def test_recordings_are_drawn_with_what_is_said_and_how_long_all_are():
    figures = speech_report.pictures(FOUND)
    assert set(figures) == {"recordings", "seconds"}
    upper = figures["recordings"].axes[::2]
    assert [axis.get_title(loc="left") for axis in upper] == FOUND.titles
    for axis, example in zip(upper, EXAMPLES, strict=True):
        (text,) = axis.texts
        assert text.get_text() == "y" and abs(text.get_position()[0] - 0.75 * len(example.units) / 8000) < 1e-6
    axis = figures["seconds"].axes[0]
    assert sum(patch.get_height() for patch in axis.patches) == 4 and axis.get_xlabel() == "seconds of a recording"
