import numpy as np
import pytest

from toolkit.visualize.influence import explained, predicted_beside_true, standing_out


def test_points_lie_where_they_are_and_the_title_says_how_well_they_agree():
    pairs = {"one": [(0.0, 0.1), (1.0, 0.9)], "two": [(2.0, 2.2)]}
    axis = predicted_beside_true(pairs, "nats").axes[0]
    drawn = [line.get_xydata().tolist() for line in axis.lines[1:]]
    assert drawn == [[list(point) for point in points] for points in pairs.values()]
    every = np.array([(0.0, 0.1), (1.0, 0.9), (2.0, 2.2)])
    assert axis.get_title() == f"correlation {np.corrcoef(every.T)[0, 1]:.3f}"
    assert axis.get_xlabel() == "true change of the loss, nats"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["one", "two"]
    assert predicted_beside_true({"one": [(1.0, 1.0)]}, "nats").axes[0].get_title() == ""


@pytest.mark.parametrize("pairs", [{}, {"one": []}, {"one": [1.0, 2.0]}])
def test_what_are_no_points(pairs):
    with pytest.raises(ValueError, match=r"expected points \(true, predicted\)"):
        predicted_beside_true(pairs, "nats")


def test_marked_examples_stand_where_their_order_puts_them():
    axis = standing_out(np.array([0.5, -1.0, 0.0, 3.0]), {3: "child", 1: "other"}, "influence").axes[0]
    marks = {text.get_text(): text.xy for text in axis.texts}
    assert marks == {"child": (3, 3.0), "other": (0, -1.0)}
    assert axis.get_ylabel() == "influence"


@pytest.mark.parametrize("given", [([np.nan], {}), ([], {}), ([1.0], {1: "x"})])
def test_what_cannot_stand_out(given):
    with pytest.raises(ValueError, match="expected"):
        standing_out(np.array(given[0]), given[1], "influence")


def test_each_image_stands_before_what_moved_it():
    images = np.arange(6 * 16, dtype="float32").reshape(6, 4, 4)
    answers = [[(images[2], "b", False), (images[3], "c", True)], [(images[4], "e", False), (images[5], "f", True)]]
    axes = explained([(images[0], "a"), (images[1], "d")], answers).axes
    assert [axis.get_xlabel() for axis in axes] == ["a", "b", "c", "d", "e", "f"]
    colours = [axis.xaxis.label.get_color() for axis in axes]
    assert colours[2] == colours[5] != colours[1] == colours[0] == colours[3]
    with pytest.raises(ValueError, match=r"as many answers to each of 2; got \[2, 1\]"):
        explained([(images[0], "a"), (images[1], "d")], [answers[0], answers[1][:1]])
