"""All metrics of disentanglement of one model: each image that they ask for is encoded once."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from toolkit.methods.beta_vae_score import beta_vae_score
from toolkit.methods.dci import dci
from toolkit.methods.explicitness import explicitness
from toolkit.methods.sap_score import sap_score
from toolkit.metrics.factor_vae_score import factor_vae_score
from toolkit.metrics.modularity import modularity
from toolkit.metrics.mutual_information import mutual_information
from toolkit.metrics.mutual_information_gap import mutual_information_gap
from toolkit.metrics.total_correlation import gaussian_total_correlation

_TOGETHER = 256  # images that are encoded at once


class Posteriors:
    """The posteriors of images of known factors, each combination encoded the first time that it is asked for.

    The metrics ask for millions of images, of far fewer combinations. Of a combination with several images, or with
    noise, one is drawn.

    Args:
        encode: From images (n, height, width, channels) to their posteriors' means and logs of variances, (n, codes).
        images: A `data.factors.FactorImages`, or anything with its `factor_sizes`, `numbers` and `images`.
        seed: Of what is drawn.

    Example:

    >>> from toolkit.data.factors.sprites import sprites
    >>> found = Posteriors(lambda images: (images.mean(axis=(1, 2)), 0 * images.mean(axis=(1, 2))), sprites())
    >>> found.means(np.zeros((2, 5), int)).shape
    (2, 1)
    """

    def __init__(self, encode: Callable[[np.ndarray], tuple], images: object, seed: int = 0) -> None:
        self._encode, self._images, self._random = encode, images, np.random.default_rng(seed)
        self._places = np.full(int(np.prod(images.factor_sizes)), -1)
        self._found: list[np.ndarray] = []

    def means(self, factors: np.ndarray) -> np.ndarray:
        """Gives the means, as the metrics take a representation.

        Args:
            factors: Integers (n, factors).

        Returns:
            (n, codes).
        """
        return self(factors)[0]

    def __call__(self, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gives means and logs of variances, (n, codes) each.

        Args:
            factors: Integers (n, factors).
        """
        numbers = self._images.numbers(factors)
        fresh, first = np.unique(numbers, return_index=True)
        first = first[self._places[fresh] < 0]
        for start in range(0, len(first), _TOGETHER):
            rows = first[start : start + _TOGETHER]
            images = self._images.images(factors[rows], self._random)
            found = np.stack([np.asarray(each) for each in self._encode(images)], axis=1)
            self._places[numbers[rows]] = len(self._found) + np.arange(len(rows))
            self._found.extend(found)
        if not self._found:
            return np.zeros((0, 0)), np.zeros((0, 0))
        taken = np.stack([self._found[place] for place in self._places[numbers]])
        return taken[:, 0], taken[:, 1]


class Scores(NamedTuple):
    """What `scores` finds.

    Args:
        measures: The metrics by name; higher is more disentangled, but of the total correlations.
        mutual_information: Nats, (codes, factors).
        importances: Of the trees of DCI, (codes, factors).
    """

    measures: dict[str, float]
    mutual_information: np.ndarray
    importances: np.ndarray


def scores(
    posteriors: Posteriors,
    factor_sizes: Sequence[int],
    *,
    num_train: int = 10_000,
    num_eval: int = 5_000,
    num_trees: int = 10_000,
    seed: int = 0,
) -> Scores:
    """Measures how far the means of posteriors are disentangled, by six metrics, and how far they are independent.

    Args:
        posteriors: Of the images.
        factor_sizes: How many values each factor has.
        num_train: Examples, and points of the scores by batches, that predictors learn from.
        num_eval: Others, that they are tried on.
        num_trees: Examples that DCI's trees learn from, at most `num_train`: they take nearly all the time.
        seed: Of all that is drawn.

    Returns:
        "beta_vae_score", "factor_vae_score", "mutual_information_gap", "modularity", "explicitness", "sap_score",
        "dci_disentanglement", "dci_completeness", "dci_informativeness", from 0 to 1 each; and
        "total_correlation_of_means_nats", "total_correlation_of_draws_nats", of Gaussians of their covariance.

    Raises:
        ValueError: Where a factor has one value, or there is one code only.

    Reference: Locatello et al. 2019, arXiv 1811.12359, section 4 and appendix on metrics.
    """
    random = np.random.default_rng(seed)
    factors, test_factors = (random.integers(factor_sizes, size=(n, len(factor_sizes))) for n in (num_train, num_eval))
    (codes, log_variances), test_codes = posteriors(factors), posteriors.means(test_factors)
    split, few = (codes, factors, test_codes, test_factors), min(num_trees, num_train)
    trees = dci(codes[:few], factors[:few], test_codes, test_factors, seed=seed)
    how = {"seed": seed, "num_train": num_train, "num_eval": num_eval}
    measures = {
        "beta_vae_score": beta_vae_score(posteriors.means, factor_sizes, **how),
        "factor_vae_score": factor_vae_score(posteriors.means, factor_sizes, **how).accuracy,
        "mutual_information_gap": mutual_information_gap(codes, factors),
        "modularity": modularity(codes, factors),
        "explicitness": explicitness(*split),
        "sap_score": sap_score(*split),
        "dci_disentanglement": trees.disentanglement,
        "dci_completeness": trees.completeness,
        "dci_informativeness": trees.informativeness,
        "total_correlation_of_means_nats": gaussian_total_correlation(codes),
        "total_correlation_of_draws_nats": gaussian_total_correlation(codes, np.exp(log_variances)),
    }
    return Scores(measures, mutual_information(codes, factors), trees.importances)
