import types

import numpy as np

from toolkit.visualize import video_report

FOUND = types.SimpleNamespace(
    examples=[np.zeros((4, 64, 64, 1), "uint8"), np.zeros((6, 64, 64, 1), "uint8")],
    titles=["a", "b"],
    lengths={"train": np.array([4, 6, 6]), "test": np.array([9])},
)


def test_frames_are_drawn_and_how_many_there_are():
    figures = video_report.pictures(FOUND)
    assert set(figures) == {"videos", "frames"}
    assert figures["videos"].shape == (2 * (64 + 2 + 16) + 2, 6 * 66 + 2, 3)
    axis = figures["frames"].axes[0]
    assert sum(patch.get_height() for patch in axis.patches) == 4 and axis.get_xlabel() == "frames of a video"
