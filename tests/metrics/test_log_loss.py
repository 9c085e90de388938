import keras
import numpy as np
import pytest
import tensorflow_probability as tfp

from toolkit.distributions import GaussianMixture
from toolkit.metrics import LogLoss

FAMILY = GaussianMixture(2, 2, "correlated", bernoulli=True)


def batches():
    random = np.random.default_rng(0)
    for length, valid in ((5, 4), (7, 7)):
        params = random.standard_normal((3, length, FAMILY.num_params)).astype("float32")
        values = np.concatenate([random.standard_normal((3, length, 2)), np.ones((3, length, 1))], -1).astype("float32")
        mask = np.broadcast_to(np.arange(length) < valid, (3, length))
        nats = -np.asarray(FAMILY.to_tfp(params, tfp.distributions).log_prob(values))
        yield params, values, mask, nats


@pytest.mark.parametrize("per, count", [("point", 3 * 4 + 3 * 7), ("sequence", 6)])
def test_mean_over_batches_of_unlike_length(per, count):
    metric, total = LogLoss(FAMILY, per), 0.0
    for params, values, mask, nats in batches():
        metric.update_state(values, params, sample_weight=mask)
        total += nats[mask].sum()
    np.testing.assert_allclose(metric.result(), total / count, rtol=1e-5)
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_bits():
    found = {}
    for unit in ("nats", "bits"):
        metric = LogLoss(FAMILY, unit=unit)
        for params, values, mask, _ in batches():
            metric.update_state(values, params, sample_weight=mask)
        found[metric.name] = float(metric.result())
    np.testing.assert_allclose(
        found["log_loss_bits_per_point"] * np.log(2), found["log_loss_nats_per_point"], rtol=1e-5
    )
    assert LogLoss.from_config(metric.get_config()).unit == "bits"
    with pytest.raises(ValueError, match="unit must be 'nats' or 'bits'; got 'bans'"):
        LogLoss(FAMILY, unit="bans")


def test_brackets():
    """The true density scores its entropy; a wrong one scores worse, by the Kullback-Leibler divergence."""
    family = GaussianMixture(1, 2)
    values = np.random.default_rng(1).standard_normal((1, 20_000, 2)).astype("float32")
    true, shifted = np.zeros((1, 20_000, 5), "float32"), np.zeros((1, 20_000, 5), "float32")
    shifted[..., 1] = 2.0
    scores = []
    for params in (true, shifted):
        metric = LogLoss(family)
        metric.update_state(values, params)
        scores.append(float(metric.result()))
    np.testing.assert_allclose(scores[0], 1 + np.log(2 * np.pi), atol=0.03)
    np.testing.assert_allclose(scores[1] - scores[0], 2.0, atol=0.05)


def test_config_and_bad_argument():
    metric = LogLoss(FAMILY, "sequence")
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert (again.distribution, again.per, again.name) == (FAMILY, "sequence", "log_loss_nats_per_sequence")
    with pytest.raises(ValueError, match="'point' or 'sequence'"):
        LogLoss(FAMILY, "line")
