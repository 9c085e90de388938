import types

import numpy as np
import pytest

from toolkit.methods.active_learning import ActiveLearning
from toolkit.methods.query_strategies import STRATEGIES

X = np.random.default_rng(0).normal(size=(60, 2))
CLASSES = (X.sum(axis=1) > 0).astype(int)


def oracle(indices, number):
    assert len(indices) == (7 if number else 10)
    return CLASSES[indices]


def trained(x, labels):
    """A nearest-mean classifier, unsure where two means are as near."""
    means = np.stack([x[labels == label].mean(axis=0) if (labels == label).any() else [9, 9] for label in (0, 1)])
    scores = -np.square(X[:, None] - means).sum(axis=-1)
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return types.SimpleNamespace(probabilities=lambda rows: probabilities[rows], features=lambda rows: X[rows])


def made(strategy="entropy", seed=0, **how):
    return ActiveLearning(60, strategy, **({"query_size": 7, "initial": 10, "seed": seed} | how))


def run(learning, num_rounds=4, until=None, **how):
    """Goes through the rounds, up to one that is left before, or after, its query."""
    for turn in learning.rounds(num_rounds, how.pop("oracle", oracle), **how):
        if until == (turn.number, "before"):
            return learning
        if not turn.is_last:
            turn.query(trained(X[turn.labelled], turn.labels))
        if until == (turn.number, "after"):
            return learning
    return learning


def test_each_round_is_trained_on_all_that_was_asked_before():
    learning, known = made(), set()
    for number, turn in enumerate(learning.rounds(4, oracle)):
        assert turn.number == number and len(turn.labelled) == 10 + 7 * number
        assert sorted([*turn.labelled, *turn.unlabelled]) == list(range(60))
        assert known <= set(turn.labelled)
        np.testing.assert_array_equal(turn.labels, CLASSES[turn.labelled])
        known = set(turn.labelled)
        if not turn.is_last:
            committee = trained(X[turn.labelled], turn.labels)
            query = turn.query(committee)
            again = STRATEGIES["entropy"].query(committee, turn.labelled, turn.unlabelled, 7, [0, number + 1])
            np.testing.assert_array_equal(query.indices, again.indices)
            known |= set(query.indices)
    assert number == 3


def test_strategies_of_one_seed_begin_alike_and_seeds_do_not():
    firsts = [made(name, seed).queries[0].tolist() for name in ("random", "coreset") for seed in (0, 1)]
    assert firsts[0] == firsts[2] != firsts[1] == firsts[3]
    assert made(initial=[5, 3, 2]).queries[0].tolist() == [5, 3, 2]


@pytest.mark.parametrize("strategy", ["random", "entropy", "coreset"])
@pytest.mark.parametrize("until", [(0, "before"), (0, "after"), (2, "before"), (2, "after"), (3, "before")])
def test_goes_on_from_its_arrays_as_if_never_left(strategy, until, tmp_path):
    whole = run(made(strategy))
    left = run(made(strategy), until=until)
    np.savez(tmp_path / "state.npz", **left.state())
    new = made(strategy, initial=3)
    with np.load(tmp_path / "state.npz") as state:
        new.restore(state)
    run(new)
    for one, two in zip(whole.queries + whole.labels, new.queries + new.labels, strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_is_kept_is_not_computed_again():
    """A round that was left between choosing and asking chooses the same, and nobody is asked twice."""
    kept, asked = {}, []

    def keep(number, name, function):
        if (number, name) not in kept:
            kept[number, name] = {key: np.asarray(value) for key, value in function().items()}
        return kept[number, name]

    def counting(indices, number):
        if len(asked) == 2:
            raise InterruptedError  # as an oracle that waits for a file stops a program
        asked.append(indices)
        return oracle(indices, number)

    with pytest.raises(InterruptedError):
        run(made(), oracle=counting, keep=keep)
    assert sorted(kept) == [(0, "labels"), (0, "query"), (1, "labels"), (1, "query")]
    for name in ("query", "labels"):
        asked.clear()
        replayed = run(made(), 2 + (name == "labels"), oracle=counting, keep=keep)
        assert len(asked) == (name == "labels")
    np.testing.assert_array_equal(np.concatenate(replayed.queries), np.concatenate(run(made(), 3).queries))
    with pytest.raises(ValueError, match="kept are labels of other examples"):
        run(made(seed=1), keep=keep)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="strategy must be one of random, .*; got 'Random'"):
        made("Random")
    for how in ({"query_size": 51}, {"query_size": 0}, {"initial": 0}, {"initial": 61}):
        with pytest.raises(ValueError, match="A pool of 60 examples: expected room"):
            made(**how)
    for initial in ([1, 1], [60], [-1], [0.5, 1.5], [[1, 2]]):
        with pytest.raises(ValueError, match="numbers of examples from 0 to 59, each once"):
            made(initial=initial)
    for num_rounds in (0, 9):
        with pytest.raises(ValueError, match="num_rounds: expected 1 to 8: 10 of 60 examples"):
            next(made().rounds(num_rounds, oracle))
    assert len(run(made(), 8).state()["labels"]) == 59


@pytest.mark.parametrize("labels", [[1] * 9, [1.0] * 10, ["a"] * 10, [[1]] * 10])
def test_an_oracle_gives_one_integer_for_each(labels):
    with pytest.raises(ValueError, match="oracle: expected 10 integers"):
        next(made().rounds(2, lambda indices, number: labels))


def test_a_round_asks_once():
    rounds = made().rounds(2, oracle)
    next(rounds)
    with pytest.raises(ValueError, match="Round 0 is over without a query"):
        next(rounds)
    first, last = iter(made().rounds(1, oracle)), made("random").rounds(2, oracle)
    with pytest.raises(ValueError, match="Round 0 has nothing to ask"):
        next(first).query(None)
    turn = next(last)
    turn.query(None)
    with pytest.raises(ValueError, match="Round 0 has asked already"):
        turn.query(None)


def test_a_damaged_state_is_refused():
    state = run(made()).state()
    for name, value in (
        ("labels", state["labels"][:-1]),
        ("sizes", state["sizes"][:-1]),
        ("sizes", np.array([], int)),
        ("indices", state["indices"] + 30),
    ):
        with pytest.raises(ValueError, match=r"expected"):
            made().restore({**state, name: value})
