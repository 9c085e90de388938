import numpy as np
import pytest

from toolkit.metrics.inspection_recall import inspection_recall

SHARES = [0.0, 0.1, 0.25, 0.5, 1.0]


def test_perfect_chance_and_a_cheat():
    random = np.random.default_rng(0)
    wanted = random.random(4000) < 0.1
    perfect = inspection_recall(wanted, wanted, [wanted.mean(), 0.5])
    assert perfect.tolist() == [1.0, 1.0]
    np.testing.assert_allclose(inspection_recall(random.random(4000), wanted, SHARES), SHARES, atol=0.06)
    worst = inspection_recall(~wanted, wanted, SHARES)
    assert worst.tolist() == [0, 0, 0, 0, 1]  # whoever looks at the good ones first


def test_equal_scores_find_what_comes_first():
    wanted = np.array([True, False, False, True])
    assert inspection_recall(np.zeros(4), wanted, [0.25, 0.5, 1.0]).tolist() == [0.5, 0.5, 1.0]


def test_by_plain_python():
    scores, wanted = np.random.default_rng(1).random(37), np.random.default_rng(2).random(37) < 0.3
    order = sorted(range(37), key=lambda i: -scores[i])
    for share in SHARES:
        seen = order[: round(share * 37)]
        assert inspection_recall(scores, wanted, [share])[0] == sum(wanted[i] for i in seen) / wanted.sum()


@pytest.mark.parametrize(
    "given",
    [
        ([1.0], [False], [0.5]),
        ([1.0, np.nan], [True, False], [0.5]),
        ([1.0, 2.0], [True], [0.5]),
        ([1.0], [True], [1.1]),
    ],
)
def test_what_cannot_be(given):
    with pytest.raises(ValueError, match="expected"):
        inspection_recall(*given)
