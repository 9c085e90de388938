import numpy as np
import pytest

from toolkit.data.factors.factor_images import FactorImages
from toolkit.methods import disentanglement
from toolkit.methods.sap_score import sap_score
from toolkit.metrics.mutual_information_gap import mutual_information_gap

SIZES = (3, 4, 5)


class Counted:
    """The factors themselves as an image's pixels, and how many images were encoded."""

    def __init__(self):
        places = np.arange(60)[:, None]
        table = np.stack(np.unravel_index(np.arange(60), SIZES), axis=1).astype("uint8")
        self.images = FactorImages(("a", "b", "c"), SIZES, lambda which: table[which][:, None, :, None], places)
        self.encoded = 0

    def __call__(self, images):
        self.encoded += len(images)
        return 255.0 * images[:, 0, :, 0], np.full((len(images), 3), -40.0)


def test_each_combination_is_encoded_once():
    encode = Counted()
    posteriors = disentanglement.Posteriors(encode, encode.images)
    factors = np.random.default_rng(0).integers(SIZES, size=(500, 3))
    for _ in range(2):
        means, log_variances = posteriors(factors)
        np.testing.assert_allclose(means, factors, atol=1e-5)
        assert np.all(log_variances == -40.0)
    assert encode.encoded == len(np.unique(factors, axis=0))
    np.testing.assert_allclose(posteriors.means(factors[::-1]), factors[::-1], atol=1e-5)
    assert disentanglement.Posteriors(encode, encode.images).means(np.zeros((0, 3), int)).shape == (0, 0)


def test_all_metrics_of_the_factors_themselves():
    encode = Counted()
    posteriors = disentanglement.Posteriors(encode, encode.images)
    found = disentanglement.scores(posteriors, SIZES, num_train=400, num_eval=200, num_trees=120, seed=1)
    assert encode.encoded <= 60
    perfect = ("beta_vae_score", "factor_vae_score", "mutual_information_gap", "modularity", "dci_disentanglement")
    for name in (*perfect, "dci_completeness", "dci_informativeness"):
        assert found.measures[name] > 0.95, name
    random = np.random.default_rng(1)
    factors, test_factors = random.integers(SIZES, size=(400, 3)), random.integers(SIZES, size=(200, 3))
    expected = mutual_information_gap(factors * 1.0, factors)
    assert found.measures["mutual_information_gap"] == pytest.approx(expected, abs=1e-3)
    expected = sap_score(factors * 1.0, factors, test_factors * 1.0, test_factors)
    assert found.measures["sap_score"] == pytest.approx(expected, abs=0.02)
    assert abs(found.measures["total_correlation_of_means_nats"]) < 0.05
    assert found.measures["total_correlation_of_draws_nats"] == pytest.approx(
        found.measures["total_correlation_of_means_nats"], abs=1e-4
    )
    assert found.importances.argmax(axis=0).tolist() == found.mutual_information.argmax(axis=0).tolist() == [0, 1, 2]
