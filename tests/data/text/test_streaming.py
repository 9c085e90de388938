import numpy as np
import pytest

from toolkit.data.text.streaming import as_fitted, streams


@pytest.mark.parametrize("num_tokens, batch_size, length", [(103, 4, 10), (80, 4, 10), (7, 3, 5), (1000, 1, 33)])
def test_every_token_is_a_target_once_after_the_one_before_it(num_tokens, batch_size, length):
    tokens = np.random.default_rng(0).integers(1, 50, num_tokens).astype("uint8")
    rows, read = [[] for _ in range(batch_size)], [[] for _ in range(batch_size)]
    for step, batch in enumerate(streams(tokens, batch_size, length).dataset(num_epochs=1).as_numpy_iterator()):
        assert set(batch["continues"]) == {float(step > 0)}
        for row in range(batch_size):
            counted = batch["targets"][row] >= 0
            rows[row].extend(batch["targets"][row][counted])
            read[row].extend(batch["tokens"][row][counted])
    assert np.concatenate(rows).astype(int).tolist() == tokens.tolist()
    assert np.concatenate(read).astype(int).tolist() == [0, *tokens[:-1]]


def test_states_begin_anew():
    tokens = np.arange(100)
    flags = [b["continues"][0] for b in streams(tokens, 2, 5, reset_every=4).dataset(num_epochs=1).as_numpy_iterator()]
    assert flags == [0, 1, 1, 1, 0, 1, 1, 1, 0, 1]


def test_what_is_after_the_end_weighs_nothing():
    batches = streams(np.arange(1, 8), 2, 2)
    given, targets, weights = as_fitted(list(batches.dataset(num_epochs=1))[-1])
    assert set(given) == {"tokens", "targets", "continues"}
    assert (targets.numpy().tolist(), weights.numpy().tolist()) == ([[3, 4], [7, -1]], [[1, 1], [1, 0]])


def test_streams_have_no_examples_that_could_be_seeded_chosen_or_shared_out():
    batches = streams(np.arange(1, 100), 2, 5)
    for asked, call in (
        ("map.*seed=", lambda: batches.map(lambda batch, seeds: batch, seed=0)),
        ("subset", lambda: batches.subset(np.array([0]), lambda epoch: [np.array([0])])),
        ("spread", lambda: batches.spread(3)),
        ("shard", lambda: batches.shard(2, [0])),
        ("shard", lambda: batches.shard(1, [0])),
        ("at_least", lambda: batches.take(2).at_least(2)),
    ):
        with pytest.raises(ValueError, match=f"^{asked}.* is for batches of examples; each of these batches goes on"):
            call()
    taken = batches.take(3).map(as_fitted)
    assert taken.steps_per_epoch == 3 and taken.num_examples == batches.num_examples == 99
    assert taken.peek()[1].tolist() == batches.peek()["targets"].tolist()
