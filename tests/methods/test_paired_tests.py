import numpy as np
import pytest
import scipy.stats

from toolkit.methods import paired_tests


def study(values):
    return [
        {"by": by, "seed": seed, "right": right, "at_20": 2 * right}
        for by, column in values.items()
        for seed, right in enumerate(column)
    ]


RANDOM = np.random.default_rng(0)
CHANCE = RANDOM.normal(80, 2, 8)
VALUES = {"chance": CHANCE, "doubt": CHANCE + RANDOM.normal(2, 0.5, 8), "far": CHANCE - RANDOM.normal(0, 3, 8)}


def test_each_score_is_tested_as_scipy_does():
    rows = study(VALUES)
    RANDOM.shuffle(rows)  # the seed makes the pairs, not the order
    found = {(row["by"], row["score"]): row for row in paired_tests.beside(rows, "by", "chance", over="seed")}
    assert found.keys() == {(by, score) for by in ("doubt", "far") for score in ("right", "at_20")}
    for by in ("doubt", "far"):
        row, tested = found[by, "right"], scipy.stats.ttest_rel(VALUES[by], CHANCE)
        assert row["pairs"] == 8 and row["difference"] == pytest.approx(np.mean(VALUES[by] - CHANCE))
        assert row["t_test_p"] == pytest.approx(tested.pvalue)
        assert (row["low"], row["high"]) == pytest.approx(tuple(tested.confidence_interval(0.95)))
        assert row["wilcoxon_p"] == pytest.approx(scipy.stats.wilcoxon(VALUES[by], CHANCE).pvalue)
        assert found[by, "at_20"]["difference"] == pytest.approx(2 * row["difference"])
        assert found[by, "at_20"]["t_test_p"] == pytest.approx(row["t_test_p"])
    assert found["doubt", "right"]["t_test_p"] < 0.001 < 0.05 < found["far", "right"]["t_test_p"]


def test_holm_raises_each_p_of_a_score_by_how_many_were_tried():
    rows = paired_tests.beside(study(VALUES), "by", "chance", over="seed")
    small, large = ([row for row in rows if row["by"] == by and row["score"] == "right"][0] for by in ("doubt", "far"))
    assert small["t_test_p_holm"] == pytest.approx(2 * small["t_test_p"])
    assert large["t_test_p_holm"] == pytest.approx(large["t_test_p"])
    p = RANDOM.uniform(size=7).tolist()
    # By the definition: reject in order while p <= alpha / (m - i); the p raised is the least alpha that rejects.
    for alpha in np.linspace(0.001, 1, 200):
        rejected, order = np.zeros(7, bool), np.argsort(p)
        for place, index in enumerate(order):
            if p[index] > alpha / (7 - place):
                break
            rejected[index] = True
        np.testing.assert_array_equal(np.array(paired_tests.holm(p)) <= alpha, rejected | (alpha >= 1))


def test_what_says_nothing():
    [one] = paired_tests.beside(study({"chance": [1.0], "doubt": [3.0]})[:2], "by", "chance", over="seed")[:1]
    assert (one["difference"], one["low"], one["high"], one["t_test_p"], one["wilcoxon_p"]) == (2, 2, 2, 1, 1)
    same = paired_tests.beside(study({"chance": CHANCE, "doubt": CHANCE}), "by", "chance", over="seed")
    assert all(row["difference"] == 0 and row["t_test_p"] == row["t_test_p_holm"] == 1 for row in same)


def test_what_cannot_be_paired():
    with pytest.raises(ValueError, match="by=luck: it is not among chance, doubt"):
        paired_tests.beside(study({"chance": [1, 2], "doubt": [1, 2]}), "by", "luck", over="seed")
    with pytest.raises(ValueError, match=r"by=doubt has seed \[0\], chance has \[0, 1\]"):
        paired_tests.beside(study({"chance": [1, 2], "doubt": [1]}), "by", "chance", over="seed")
