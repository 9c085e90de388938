"""What the metrics of disentanglement say of codes whose making is known; nothing is trained but their predictors.

Five factors of six values, as they are, rotated, each twice, and noise in their place. Locatello et al. 2019, arXiv
1811.12359: the metrics agree on what is perfect, and not on what is mixed; BetaVAE's hardly tells a rotation.
"""

import numpy as np
import pytest

from toolkit.methods.beta_vae_score import beta_vae_score
from toolkit.methods.dci import dci
from toolkit.methods.explicitness import explicitness
from toolkit.methods.sap_score import sap_score, sap_score_of_correlations
from toolkit.metrics.factor_vae_score import factor_vae_score
from toolkit.metrics.modularity import modularity
from toolkit.metrics.mutual_information_gap import mutual_information_gap
from toolkit.metrics.total_correlation import gaussian_total_correlation

pytestmark = pytest.mark.claims

SIZES = (6,) * 5
ROTATION = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
NOISE = np.random.default_rng(1)
CODES = {
    "identity": lambda factors: factors * 1.0,
    "rotation": lambda factors: factors @ ROTATION,
    "duplicated": lambda factors: np.concatenate([factors, factors], axis=1) * 1.0,
    "noise": lambda factors: NOISE.normal(size=factors.shape),
}


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(2)
    factors, test_factors = random.integers(SIZES, size=(2, 3000, 5))
    found = {}
    for name, represent in CODES.items():
        codes, test_codes = represent(factors), represent(test_factors)
        trees = dci(codes[:1500], factors[:1500], test_codes, test_factors)
        found[name] = {
            "BetaVAE": beta_vae_score(represent, SIZES, num_train=1000, num_eval=1000),
            "FactorVAE": factor_vae_score(represent, SIZES, num_train=1000, num_eval=1000).accuracy,
            "MIG": mutual_information_gap(codes, factors),
            "SAP": sap_score(codes, factors, test_codes, test_factors),
            "SAP (correlations)": sap_score_of_correlations(codes, factors),
            "Modularity": modularity(codes, factors),
            "Explicitness": explicitness(codes, factors, test_codes, test_factors),
            "D": trees.disentanglement,
            "C": trees.completeness,
            "I": trees.informativeness,
            "TC": gaussian_total_correlation(codes),
        }
        print(name, {metric: round(value, 3) for metric, value in found[name].items()})
    return found


def test_table(table):
    assert False
