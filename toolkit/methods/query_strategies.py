"""Which examples of a pool to have labelled next: the strategies of active learning, by name."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from toolkit.methods.k_center import k_center_greedy
from toolkit.methods.robust_k_center import robust_k_center
from toolkit.metrics import uncertainty

_TOGETHER = 2048  # examples that are scored at once


class Query(NamedTuple):
    """What is to be labelled next.

    Args:
        indices: Numbers of the pool's examples, int64 (query_size,), the most wanted one first.
        scores: How much each was wanted, float64 (query_size,), in the strategy's own measure.
    """

    indices: np.ndarray
    scores: np.ndarray


@dataclasses.dataclass(frozen=True)
class Strategy:
    """A way to choose what to ask for.

    Args:
        needs: What it looks at, a method of `methods.committee.Committee`; or "nothing".
        choose: Called with a function from numbers of examples to what it needs of them, the numbers of the labelled
            and of the unlabelled examples, the size of the query and a `numpy.random.Generator`; returns a `Query`.
        num_members: How many classifiers it takes.
    """

    needs: str
    choose: Callable[..., Query]
    num_members: int = 1

    def query(self, committee: Any, labelled: Any, unlabelled: Any, query_size: int, seed: Any = 0) -> Query:
        """Chooses examples.

        Args:
            committee: A `methods.committee.Committee`, or anything that has the method which the strategy needs.
            labelled: Numbers of the examples that have a label, (labelled,).
            unlabelled: Numbers of those to choose from, (unlabelled,).
            query_size: How many to choose, 1 to the unlabelled.
            seed: Of what is drawn: random choices, and which of equally wanted examples come first.

        Returns:
            A `Query`.

        Raises:
            ValueError: Where the query is larger than the pool, or there are fewer classifiers than it takes.

        Example:

        >>> import types
        >>> unsure = np.array([[0.9, 0.1], [0.5, 0.5], [0.8, 0.2], [0.7, 0.3]])
        >>> committee = types.SimpleNamespace(probabilities=lambda rows: unsure[rows])
        >>> STRATEGIES["least_confidence"].query(committee, [0], [1, 2, 3], 2).indices.tolist()
        [1, 3]
        """
        labelled, unlabelled = np.asarray(labelled, np.int64), np.asarray(unlabelled, np.int64)
        if not 1 <= query_size <= len(unlabelled):
            raise ValueError(f"query_size: expected 1 to {len(unlabelled)}, the unlabelled examples; got {query_size}.")
        members = len(getattr(committee, "members", ())) or self.num_members
        if members < self.num_members:
            raise ValueError(f"The strategy takes {self.num_members} classifiers; the committee has {members}.")
        look = None if self.needs == "nothing" else getattr(committee, self.needs)
        return self.choose(look, labelled, unlabelled, query_size, np.random.default_rng(seed))


def _at_random(look, labelled, unlabelled, query_size, random):
    return Query(random.choice(unlabelled, query_size, replace=False), np.zeros(query_size))


def _greatest(score):
    """Chooses the examples of the greatest score, of equal ones any."""

    def choose(look, labelled, unlabelled, query_size, random):
        starts = range(0, len(unlabelled), _TOGETHER)
        scores = [score(look(unlabelled[start : start + _TOGETHER])) for start in starts]
        return _first(unlabelled, np.concatenate(scores), query_size, random)

    return choose


def _first(candidates, scores, query_size, random):
    odd = ~np.isfinite(scores)
    if odd.any():
        raise ValueError(f"Example {candidates[odd][0]} of the pool has the score {scores[odd][0]}; expected a number.")
    order = np.lexsort((random.random(len(scores)), -scores))[:query_size]
    return Query(candidates[order], scores[order].astype("float64"))


def _covering(cover):
    """Chooses the centres that, with the labelled examples, cover the others."""

    def choose(look, labelled, unlabelled, query_size, random):
        found = cover(look(unlabelled), look(labelled), query_size)
        return Query(unlabelled[found.rows], found.distances)

    return choose


def _far_from_the_mean(look, labelled, unlabelled, query_size, random):
    features, others = (np.asarray(look(rows), "float64") for rows in (unlabelled, labelled))
    mean = np.concatenate([features, others]).mean(axis=0)
    return _first(unlabelled, np.linalg.norm(features - mean, axis=1), query_size, random)


# As the code of Munjal et al. 2020, arXiv 2002.09564, has them.
STRATEGIES = {
    "random": Strategy("nothing", _at_random),
    "least_confidence": Strategy("probabilities", _greatest(uncertainty.least_confidence)),
    "margin": Strategy("probabilities", _greatest(uncertainty.closeness)),
    "entropy": Strategy("probabilities", _greatest(uncertainty.entropy)),
    "bald": Strategy("dropout_probabilities", _greatest(uncertainty.disagreement)),
    "dbal": Strategy("dropout_probabilities", _greatest(uncertainty.entropy_of_mean)),
    "coreset": Strategy("features", _covering(k_center_greedy)),
    "robust_coreset": Strategy("features", _covering(robust_k_center)),
    "center_of_gravity": Strategy("features", _far_from_the_mean),
    "vaal": Strategy("membership", _greatest(np.negative)),
    "qbc": Strategy("member_probabilities", _greatest(uncertainty.variation_ratio), num_members=5),
}
