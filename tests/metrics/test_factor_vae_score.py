import numpy as np
import pytest

from toolkit.metrics.factor_vae_score import factor_vae_score

SIZES = (3, 6, 4)
FEW = {"num_train": 400, "num_eval": 300, "num_variance": 2000}


def test_perfect_permuted_constant_and_noise():
    score = factor_vae_score(lambda factors: factors[:, [2, 0, 1]] * [1.0, 90.0, -0.2], SIZES, **FEW)
    assert score.accuracy == 1 and score.active.all() and score.votes.sum() == 400
    np.testing.assert_array_equal(score.votes > 0, np.eye(3)[:, [2, 0, 1]])
    assert abs(score.votes.sum(axis=1) - 400 / 3).max() < 50
    constant = factor_vae_score(lambda factors: np.ones((len(factors), 4)), SIZES, **FEW)
    assert constant.accuracy == 0 and not constant.active.any() and constant.votes.sum() == 0
    random = np.random.default_rng(0)
    noise = factor_vae_score(lambda factors: random.normal(size=(len(factors), 5)), SIZES, **FEW)
    assert noise.accuracy == pytest.approx(1 / 3, abs=0.1)


def test_codes_that_hardly_vary_have_no_votes():
    """A dead code of variance 0 in half of the batches would win them all."""
    random = np.random.default_rng(1)

    def represent(factors):
        dead = 0.01 * (random.uniform(size=len(factors)) < 0.01)
        return np.concatenate([dead[:, None], factors], axis=1)

    score = factor_vae_score(represent, SIZES, **FEW)
    assert score.accuracy == 1 and score.active.tolist() == [False, True, True, True]
    assert score.votes[:, 0].sum() == 0 and (np.diag(score.votes[:, 1:]) > 0).all()
    assert factor_vae_score(represent, SIZES, **FEW, min_deviation=0).accuracy < 0.7


def test_the_variance_is_relative_and_the_threshold_a_deviation():
    def represent(factors):
        return factors * [1.0, 0.04, 100.0]

    # Deviations of sizes 3, 6, 4: .82, .068, 112; a variance of .05 would leave out the second.
    score = factor_vae_score(represent, SIZES, **FEW)
    assert score.accuracy == 1 and score.active.all()
    assert factor_vae_score(represent, SIZES, **FEW, min_deviation=0.08).active.tolist() == [True, False, True]


def test_is_brute_force():
    """Two codes of a mixture of three factors: votes and accuracy by loops over the batches that were asked for."""
    asked, mixing = [], np.random.default_rng(2).normal(size=(3, 2))

    def represent(factors):
        asked.append(factors)
        return factors @ mixing

    score = factor_vae_score(represent, SIZES, batch_size=16, num_train=64, num_eval=64, num_variance=512, seed=5)
    factors = np.concatenate(asked)
    variances = np.var(factors[:512] @ mixing, axis=0, ddof=1)
    votes, chosen = np.zeros((2, 3, 2), int), []
    for number, batch in enumerate(factors[512:].reshape(128, 16, 3)):
        (held,) = np.flatnonzero((batch == batch[0]).all(axis=0))
        codes = batch @ mixing
        relative = [sum((codes[:, i] - codes[:, i].mean()) ** 2) / 15 / variances[i] for i in range(2)]
        votes[number // 64, held, int(np.argmin(relative))] += 1
        chosen.append((held, int(np.argmin(relative))))
    np.testing.assert_array_equal(score.votes, votes[0])
    stands_for = votes[0].argmax(axis=0)
    assert score.accuracy == pytest.approx(np.mean([stands_for[code] == held for held, code in chosen[64:]]))
    assert 0.3 < score.accuracy < 0.95


def test_a_seed_says_what_is_drawn():
    mixing = np.random.default_rng(3).normal(size=(3, 3))
    scores = [factor_vae_score(lambda factors: factors @ mixing, SIZES, **FEW, seed=seed) for seed in (0, 0, 1)]
    assert scores[0].accuracy == scores[1].accuracy and (scores[0].votes == scores[1].votes).all()
    assert (scores[0].votes != scores[2].votes).any()


def test_what_cannot_be_measured_is_refused():
    for count in ({"batch_size": 1}, {"num_variance": 1}, {"num_train": 0}, {"num_eval": 0}, {"min_deviation": -1.0}):
        with pytest.raises(ValueError, match="expected batch_size and num_variance of 2 or more"):
            factor_vae_score(lambda factors: factors, SIZES, **count)
    with pytest.raises(ValueError, match="NaN"):
        factor_vae_score(lambda factors: factors * np.nan, SIZES)
    with pytest.raises(ValueError, match="2 values or more of each"):
        factor_vae_score(lambda factors: factors, (1, 3, 6))
