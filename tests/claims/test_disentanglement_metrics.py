"""What the metrics of disentanglement say of codes whose making is known; nothing is trained but their predictors.

Five factors of six values, as they are, rotated (the mean of three rotations), each twice, and noise in their place.
Locatello et al. 2019, arXiv 1811.12359: all know what is perfect and what is noise, but not all tell a rotation, for
BetaVAE's may use every code, and nothing unsupervised can.
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


def rotation(seed):
    matrix = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0]
    return lambda factors: factors @ matrix


def scores(represent):
    factors, test_factors = np.random.default_rng(5).integers(SIZES, size=(2, 3000, 5))
    codes, test_codes = represent(factors), represent(test_factors)
    trees = dci(codes[:200], factors[:200], test_codes[:200], test_factors[:200])  # they take nearly all the time
    return {
        "BetaVAE": beta_vae_score(represent, SIZES, num_train=500, num_eval=1000),
        "FactorVAE": factor_vae_score(represent, SIZES, num_train=500, num_eval=1000).accuracy,
        "MIG": mutual_information_gap(codes, factors),
        "SAP": sap_score(codes, factors, test_codes, test_factors),
        "SAP of correlations": sap_score_of_correlations(codes, factors),
        "modularity": modularity(codes, factors),
        "explicitness": explicitness(codes, factors, test_codes, test_factors),
        "disentanglement": trees.disentanglement,
        "completeness": trees.completeness,
        "informativeness": trees.informativeness,
        "total correlation": gaussian_total_correlation(codes),
    }


@pytest.fixture(scope="module")
def table():
    noise = np.random.default_rng(6)
    rotated = [scores(rotation(seed)) for seed in range(3)]
    found = {
        "identity": scores(lambda factors: factors * 1.0),
        "rotation": {name: float(np.mean([each[name] for each in rotated])) for name in rotated[0]},
        "duplicated": scores(lambda factors: np.concatenate([factors, factors], axis=1) * 1.0),
        "noise": scores(lambda factors: noise.normal(size=factors.shape)),
    }
    for name, row in found.items():
        print(name, {metric: round(value, 3) for metric, value in row.items()})
    return found


def test_the_factors_themselves_are_perfect(table):
    one = table["identity"]
    for name in ("BetaVAE", "FactorVAE", "MIG", "SAP of correlations", "modularity", "disentanglement", "completeness"):
        assert one[name] > 0.99, name
    assert one["informativeness"] > 0.99 and one["total correlation"] < 0.02
    # A linear classifier of one code tells two of six values in order, the outermost, and chance is 1 / 6; the areas
    # of the six are 1, 0.8, 0.6, 0.6, 0.8 and 1.
    assert one["SAP"] == pytest.approx(1 / 3, abs=0.03) and one["explicitness"] == pytest.approx(0.8, abs=0.01)


def test_noise_is_chance(table):
    noise = table["noise"]
    for name in ("BetaVAE", "FactorVAE"):
        assert noise[name] == pytest.approx(1 / 5, abs=0.06), name
    for name in ("MIG", "SAP", "SAP of correlations", "disentanglement", "completeness"):
        assert noise[name] < 0.03, name
    assert noise["explicitness"] == pytest.approx(0.5, abs=0.02)
    assert noise["informativeness"] == pytest.approx(1 / 6, abs=0.04)
    assert 0.1 < noise["modularity"] < 0.5  # far from 0: it compares what little each factor has by chance


def test_a_factor_in_two_codes_is_complete_no_more(table):
    twice = table["duplicated"]
    assert max(twice[name] for name in ("MIG", "SAP", "SAP of correlations")) < 1e-6
    assert twice["completeness"] == pytest.approx(1 - np.log(2) / np.log(10), abs=0.02)
    assert min(twice[name] for name in ("BetaVAE", "FactorVAE", "modularity", "disentanglement")) > 0.99
    assert twice["total correlation"] == np.inf


def test_a_rotation_is_told_by_some_and_hardly_by_others(table):
    lost = {name: value - table["rotation"][name] for name, value in table["identity"].items()}
    # Of five single rotations MIG has 0.04 to 0.35, SAP of correlations 0.09 to 0.62, and disentanglement, by trees
    # that saw 1,000 examples, 0.15 to 0.36.
    assert min(lost[name] for name in ("MIG", "disentanglement", "completeness")) > 0.65
    assert lost["SAP of correlations"] > 0.6 and lost["SAP"] > 0.2
    assert 0.05 < lost["BetaVAE"] < 0.2 and 0.1 < lost["FactorVAE"] < 0.4 and 0.05 < lost["modularity"] < 0.35
    assert abs(lost["explicitness"]) < 1e-3 and abs(lost["total correlation"]) < 1e-3
