import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from toolkit.methods.beta_vae_score import beta_vae_score

SIZES = (3, 6, 4)
FEW = {"num_train": 400, "num_eval": 300}


def test_perfect_permuted_constant_and_noise():
    assert beta_vae_score(lambda factors: factors[:, [2, 0, 1]] * [1.0, 9.0, -0.5], SIZES, **FEW) == 1
    assert beta_vae_score(lambda factors: np.ones((len(factors), 4)), SIZES, **FEW) == pytest.approx(1 / 3, abs=0.1)
    random = np.random.default_rng(0)
    noise = beta_vae_score(lambda factors: random.normal(size=(len(factors), 5)), SIZES, **FEW)
    assert noise == pytest.approx(1 / 3, abs=0.12)


def test_is_a_classifier_of_points_made_one_by_one():
    asked, mixing = [], np.random.default_rng(1).normal(size=(3, 3))

    def represent(factors):
        asked.append(factors)
        return factors @ mixing

    found = beta_vae_score(represent, SIZES, batch_size=4, num_train=300, num_eval=300)
    factors = np.concatenate(asked).reshape(2, 2, 300, 4, 3)  # to train on and to be tried on, one and the other
    points, shared = np.zeros((2, 300, 3)), np.zeros((2, 300), int)
    for part in range(2):
        for number in range(300):
            first, second = factors[part, :, number]
            points[part, number] = np.mean(
                [abs(a @ mixing - b @ mixing) for a, b in zip(first, second, strict=True)], 0
            )
            same = (first == second).all(axis=0)
            shared[part, number] = np.flatnonzero(same)[0] if same.sum() == 1 else -1  # others alike by chance
            assert same.any()
    # Each pair has its own value of the factor that it shares.
    assert np.ptp(factors[0, 0], axis=1).any(axis=0).all()
    clear = shared >= 0
    assert clear.mean() > 0.8
    classifier = LogisticRegression().fit(points[0][clear[0]], shared[0][clear[0]])
    expected = classifier.score(points[1][clear[1]], shared[1][clear[1]])
    assert found == pytest.approx(expected, abs=0.06) and 0.4 < found < 0.95


def test_a_seed_says_what_is_drawn():
    mixing = np.random.default_rng(3).normal(size=(3, 3))
    scores = [
        beta_vae_score(lambda factors: factors @ mixing, SIZES, **FEW, batch_size=2, seed=seed) for seed in (0, 0, 1)
    ]
    assert scores[0] == scores[1] != scores[2]


def test_what_cannot_be_measured_is_refused():
    for count in ("batch_size", "num_train", "num_eval"):
        with pytest.raises(ValueError, match="expected batch_size, num_train and num_eval of 1 or more"):
            beta_vae_score(lambda factors: factors, SIZES, **{count: 0})
    with pytest.raises(ValueError, match="num_train: 2 points are too few: factor . was not drawn"):
        beta_vae_score(lambda factors: factors, SIZES, num_train=2)
    with pytest.raises(ValueError, match="NaN"):
        beta_vae_score(lambda factors: factors * np.nan, SIZES)
    with pytest.raises(ValueError, match="of 2 factors or more"):
        beta_vae_score(lambda factors: factors, (3,))
