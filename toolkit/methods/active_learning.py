"""Active learning of a pool: train on what is labelled, choose what to have labelled next, ask, and begin anew."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from toolkit.methods.query_strategies import STRATEGIES, Query, Strategy

# A round's number, the name of what it computes, and a function that does: to its arrays by name.
Keep = Callable[[int, str, Callable[[], Mapping[str, Any]]], Mapping[str, Any]]


class ActiveLearning:
    """Which examples of a pool are labelled, round by round, whatever is trained on them and whoever labels them.

    A training of a given seed and strategy asks for the same examples again: what is drawn is a function of the seed
    and the round. The first examples are those of the seed alone, so that strategies begin alike.

    Args:
        pool_size: Examples that there are, numbered from 0.
        strategy: A name of `STRATEGIES`, or a `Strategy`.
        query_size: Examples to ask for in a round.
        initial: How many are labelled first, at random; or the numbers of those.
        seed: Of the first ones and of what the strategy draws.

    Attributes:
        strategy: The `Strategy`.
        queries: For each round the numbers of the examples whose labels it begins with, the first ones foremost.
        labels: Theirs, int64; that of the last round may be missing yet.

    Raises:
        ValueError: Where a strategy is unknown, a size below 1, an example is none of the pool's or stands twice, or
            the pool has no room for the first examples and one query.

    Example:

    >>> x = np.linspace(-1, 1, 50)
    >>> learning = ActiveLearning(50, "random", query_size=10, initial=10)
    >>> for turn in learning.rounds(3, oracle=lambda indices, number: (x[indices] > 0).astype(int)):
    ...     committee = None  # a training on turn.labelled and turn.labels, which "random" does not look at
    ...     if not turn.is_last:
    ...         query = turn.query(committee)
    ...     print(turn.number, len(turn.labelled), len(turn.unlabelled))
    0 10 40
    1 20 30
    2 30 20

    Reference: Munjal et al. 2020, arXiv 2002.09564, section 3.
    """

    def __init__(
        self, pool_size: int, strategy: str | Strategy, *, query_size: int, initial: Any, seed: int = 0
    ) -> None:
        if isinstance(strategy, str):
            if strategy not in STRATEGIES:
                raise ValueError(f"strategy must be one of {', '.join(STRATEGIES)}; got {strategy!r}.")
            strategy = STRATEGIES[strategy]
        first = np.asarray(initial)
        num_first = int(first) if first.ndim == 0 else len(first)
        if num_first < 1 or query_size < 1 or num_first + query_size > pool_size:
            raise ValueError(
                f"A pool of {pool_size} examples: expected room for 1 or more that are labelled first and 1 or more in "
                f"a query; got {num_first} and {query_size}."
            )
        if first.ndim == 0:
            first = np.random.default_rng([seed, 0]).choice(pool_size, num_first, replace=False)
        self.pool_size, self.query_size, self.strategy, self.seed = pool_size, query_size, strategy, seed
        self.queries, self.labels = [self._new(first)], []

    def _new(self, indices, before=()):
        """Looks at the numbers of some examples that are not among others."""
        indices = np.asarray(indices)
        known = np.isin(indices, before) | (indices < 0) | (indices >= self.pool_size)
        whole = indices.ndim == 1 and np.issubdtype(indices.dtype, np.integer)
        if not whole or len(np.unique(indices)) != len(indices) or known.any():
            raise ValueError(
                f"expected numbers of examples from 0 to {self.pool_size - 1}, each once and none labelled; got "
                f"{indices.dtype} {indices.shape}, {len(np.unique(indices))} unlike, {known.sum()} not to be had."
            )
        return indices.astype(np.int64)

    def rounds(
        self, num_rounds: int, oracle: Callable[[np.ndarray, int], Any], *, keep: Keep | None = None
    ) -> Iterator["Round"]:
        """Goes through the rounds, from the one that was reached on.

        Args:
            num_rounds: In all, 1 or more.
            oracle: From numbers of examples, and the number of the round that wants to know, to their classes, integers
                (examples,).
            keep: Called with a round's number, "labels" or "query", and a function that makes arrays; returns these, or
                the ones that it has kept of an earlier time, so that a round which was left goes on where it was. With
                a `training.Run` that is `lambda number, name, function: run.round(number).compute(function,
                stage=name)`. None: calls the function.

        Yields:
            A `Round`, to be trained in and, but the last, to be asked in: `round.query(committee)`.

        Raises:
            ValueError: Where the pool has not as many examples, the oracle gives other than one integer for each, or a
                round was left without a query.
        """
        most = 1 + (self.pool_size - len(self.queries[0])) // self.query_size
        if not 1 <= num_rounds <= most:
            raise ValueError(
                f"num_rounds: expected 1 to {most}: {len(self.queries[0])} of {self.pool_size} examples are labelled "
                f"first, and {self.query_size} more in each round; got {num_rounds}."
            )
        keep = keep or (lambda number, name, function: function())
        for number in range(len(self.queries) - 1, num_rounds):
            if len(self.labels) == number:
                asked = self.queries[number]
                found = keep(
                    number,
                    "labels",
                    lambda asked=asked, number=number: {"indices": asked, "labels": oracle(asked, number)},
                )
                self.labels.append(_answers(asked, found))
            yield Round(self, number, number + 1 == num_rounds, keep)
            if len(self.queries) == number + 1 < num_rounds:
                raise ValueError(f"Round {number} is over without a query: call round.query(committee) in it.")

    def state(self) -> dict[str, np.ndarray]:
        """Gives what `restore` takes, as plain arrays: "sizes" of the queries, their "indices", and the "labels"."""
        return {
            "sizes": np.array([len(query) for query in self.queries]),
            "indices": np.concatenate(self.queries),
            "labels": np.concatenate([np.empty(0, np.int64), *self.labels]),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes back to where a state was taken: `rounds` goes on there.

        Args:
            state: What `state` gave, also after `np.savez` and `np.load`.

        Raises:
            ValueError: Where it is no such state, or one of another pool.
        """
        edges = np.cumsum(state["sizes"])
        indices, labels = self._new(state["indices"]), np.asarray(state["labels"], np.int64)
        if not len(edges) or edges[-1] != len(indices) or len(labels) not in [0, *edges][-2:]:
            raise ValueError(
                "state: expected labels of all queries, or of all but the last; got "
                f"{len(indices)} examples in queries of {np.asarray(state['sizes']).tolist()} and {len(labels)} labels."
            )
        self.queries = np.split(indices, edges[:-1])
        self.labels = np.split(labels, edges[edges < len(labels)]) if len(labels) else []


@dataclasses.dataclass(frozen=True)
class Round:
    """One round: what is labelled when it begins.

    Args:
        learning: The `ActiveLearning` that it is one of.
        number: From 0 on.
        is_last: Whether nothing is to be asked in it.
        keep: As in `ActiveLearning.rounds`.
    """

    learning: ActiveLearning
    number: int
    is_last: bool
    keep: Keep

    @property
    def labelled(self) -> np.ndarray:
        """The numbers of the examples that have a label, int64 (labelled,), in the order in which they were asked."""
        return np.concatenate(self.learning.queries[: self.number + 1])

    @property
    def labels(self) -> np.ndarray:
        """Their labels, int64 (labelled,)."""
        return np.concatenate(self.learning.labels[: self.number + 1])

    @property
    def unlabelled(self) -> np.ndarray:
        """The numbers of the others, in order, int64 (unlabelled,)."""
        return np.setdiff1d(np.arange(self.learning.pool_size), self.labelled)

    def query(self, committee: Any) -> Query:
        """Chooses what the next round will have labels of.

        Args:
            committee: What was trained in this round: a `methods.committee.Committee`, or what has the method that the
                strategy needs.

        Returns:
            The `Query`, which the oracle is asked when the next round begins.

        Raises:
            ValueError: In the last round, and where this one has asked already; and as `Strategy.query`.
        """
        learning = self.learning
        if self.is_last or len(learning.queries) != self.number + 1:
            raise ValueError(f"Round {self.number} has {'nothing to ask' if self.is_last else 'asked already'}.")
        how = {"query_size": learning.query_size, "seed": [learning.seed, self.number + 1]}
        asked = self.keep(
            self.number,
            "query",
            lambda: learning.strategy.query(committee, self.labelled, self.unlabelled, **how)._asdict(),
        )
        query = Query(np.asarray(asked["indices"]), np.asarray(asked["scores"]))
        learning.queries.append(learning._new(query.indices, self.labelled))
        return query


def _answers(asked, found):
    """An oracle's labels, or those that were kept of it."""
    labels = np.asarray(found["labels"])
    if not np.array_equal(found["indices"], asked):
        raise ValueError("What was kept are labels of other examples: the pool, the seed or a size has changed.")
    if labels.shape != asked.shape or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"oracle: expected {len(asked)} integers, a class for each example; got {labels.dtype} {labels.shape}."
        )
    return labels.astype(np.int64)
