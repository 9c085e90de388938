import types

import numpy as np

from toolkit.visualize import text_report

FOUND = types.SimpleNamespace(
    beginnings={"train": (["a", "b"], np.array([0.5, 3.0])), "test": (["b"], np.array([3.0]))},
    frequent={"a": 3, "b": 1},
)


def test_beginnings_and_the_most_frequent_tokens_are_drawn():
    figures = text_report.pictures(FOUND)
    assert set(figures) == {"train", "test", "tokens"}
    np.testing.assert_array_equal(figures["train"].axes[0].images[0].get_array()[0, :3], [0.5, 3, 0])
    assert figures["test"].axes[0].get_title("left").startswith("test: its beginning")
    assert [label.get_text() for label in figures["tokens"].axes[0].get_xticklabels()] == ["a", "b"]
