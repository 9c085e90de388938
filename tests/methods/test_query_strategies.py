import types

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from toolkit.methods import query_strategies
from toolkit.methods.query_strategies import STRATEGIES

RANDOM = np.random.default_rng(0)
PASSES = RANDOM.dirichlet(np.full(3, 0.7), (7, 40))
FEATURES = RANDOM.normal(size=(40, 4))
LABELLED, UNLABELLED = np.arange(0, 40, 5), np.setdiff1d(np.arange(40), np.arange(0, 40, 5))
COMMITTEE = types.SimpleNamespace(
    probabilities=lambda rows: PASSES[0, rows],
    dropout_probabilities=lambda rows: PASSES[:, rows],
    member_probabilities=lambda rows: PASSES[:5, rows],
    features=lambda rows: FEATURES[rows],
    membership=lambda rows: PASSES[0, rows, 0],
)


def bits(probabilities):
    return np.apply_along_axis(stats.entropy, -1, probabilities, base=2)


# By name how much each example of the pool is wanted, from the formula.
WANTED = {
    "least_confidence": -PASSES[0].max(axis=1),
    "margin": -np.diff(np.sort(PASSES[0], axis=1)[:, 1:])[:, 0],
    "entropy": bits(PASSES[0]),
    "dbal": bits(PASSES.mean(axis=0)),
    "bald": bits(PASSES.mean(axis=0)) - bits(PASSES).mean(axis=0),
    "center_of_gravity": distance.cdist(FEATURES, FEATURES.mean(axis=0)[None])[:, 0],
    "vaal": -PASSES[0, :, 0],
}


def asked(name, number=6, seed=0):
    return STRATEGIES[name].query(COMMITTEE, LABELLED, UNLABELLED, number, seed)


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("together", [7, 2048])
def test_asks_for_what_the_formula_wants_most(name, together, monkeypatch):
    monkeypatch.setattr(query_strategies, "_TOGETHER", together)
    expected = sorted(UNLABELLED, key=lambda row: -WANTED[name][row])
    for number in (1, 6, len(UNLABELLED)):
        found = asked(name, number)
        assert found.indices.tolist() == expected[:number]
        assert (np.diff(found.scores) <= 0).all()


def test_qbc_takes_equal_votes_in_any_order():
    votes = PASSES[:5].argmax(axis=-1)
    ratio = 1 - stats.mode(votes, axis=0).count / 5
    found = asked("qbc", 12)
    np.testing.assert_allclose(found.scores, np.sort(ratio[UNLABELLED])[::-1][:12])
    np.testing.assert_allclose(found.scores, ratio[found.indices])
    assert not np.array_equal(found.indices, asked("qbc", 12, seed=1).indices)


def test_coreset_is_the_brute_force_choice():
    taken = LABELLED.tolist()
    for index in asked("coreset").indices:
        left = np.setdiff1d(np.arange(40), taken)
        nearest = distance.cdist(FEATURES[left], FEATURES[taken]).min(axis=1)
        assert index == left[nearest.argmax()]
        taken.append(int(index))


def test_robust_coreset_covers_no_worse_than_the_greedy_one():
    def radius(query):
        return distance.cdist(FEATURES, FEATURES[[*LABELLED, *query.indices]]).min(axis=1).max()

    found = asked("robust_coreset")
    assert len(set(found.indices) & set(UNLABELLED)) == 6
    assert radius(found) <= radius(asked("coreset")) + 1e-9


def test_random_looks_at_nothing_and_every_example_has_its_turn():
    strategy = STRATEGIES["random"]
    queries = [strategy.query(None, LABELLED, UNLABELLED, 6, seed).indices for seed in range(200)]
    assert all(len(set(query) & set(UNLABELLED)) == 6 for query in queries)
    np.testing.assert_array_equal(queries[3], strategy.query(None, LABELLED, UNLABELLED, 6, 3).indices)
    counts = np.bincount(np.concatenate(queries), minlength=40)[UNLABELLED]
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_query_larger_than_the_pool_is_refused(name):
    with pytest.raises(ValueError, match="query_size: expected 1 to 32, the unlabelled examples; got 33"):
        asked(name, 33)
    with pytest.raises(ValueError, match="got 0"):
        asked(name, 0)
    assert len(set(asked(name, 32).indices)) == 32


def test_what_is_no_number_is_refused():
    broken = types.SimpleNamespace(
        probabilities=lambda rows: np.full((len(rows), 3), np.nan),
        features=lambda rows: np.where(np.asarray(rows)[:, None] == 11, np.nan, FEATURES[rows]),
        membership=lambda rows: np.full(len(rows), np.nan),
        members=[None] * 4,
    )
    for name, words in {
        "entropy": "add up to 1",
        "coreset": "points: expected finite features",
        "center_of_gravity": "has the score nan",
        "vaal": "has the score nan",
        "qbc": "takes 5 classifiers; the committee has 4",
    }.items():
        with pytest.raises(ValueError, match=words):
            STRATEGIES[name].query(broken, LABELLED, UNLABELLED, 3)
