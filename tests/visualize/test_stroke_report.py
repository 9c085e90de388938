import types

import numpy as np
import pytest

from toolkit.visualize import stroke_report

LINE = np.array([[0, 0, 0], [3, 0, 0], [0, 4, 1]], "float32")
FOUND = types.SimpleNamespace(
    drawings={"train": [(LINE, "a"), (LINE, "b")]},
    points={"train": [3, 3], "test": [5]},
    characters={"train": [1, 1], "test": [2]},
    alphabet={"a": 3, "b": 1},
)


@pytest.mark.parametrize(
    ("limits", "names"),
    [((10,), {"train", "points"}), ((10, 4), {"train", "points", "characters", "alphabet"})],
)
def test_texts_are_drawn_where_they_are_read(limits, names):
    figures = stroke_report.pictures(FOUND, *limits)
    assert set(figures) == names and all(hasattr(figure, "savefig") for figure in figures.values())
    assert len(figures["train"].axes) == 2 and [axis.get_title("left") for axis in figures["train"].axes] == ["a", "b"]
    assert "limit 10" in str([text.get_text() for text in figures["points"].axes[0].get_legend().get_texts()])
