"""What Locatello et al. 2019 say of trained models, on 288 sprites of 16 x 16 pixels."""

import keras
import numpy as np
import pytest

from toolkit.layers import GaussianLatent, TotalCorrelationLatent
from toolkit.methods import evidence_bound
from toolkit.metrics.mutual_information_gap import mutual_information_gap
from toolkit.metrics.total_correlation import gaussian_total_correlation
from toolkit.models import vae

pytestmark = pytest.mark.claims

SIZES, CODES, NUM_STEPS, SEEDS = (2, 4, 6, 6), 6, 1500, range(3)


def sprites():
    """Squares and discs of four sizes at 36 places: float32 (288, 16, 16, 1), 0 or 255, and their factors."""
    factors = np.stack(np.unravel_index(np.arange(288), SIZES), axis=1)
    y, x = np.mgrid[:16, :16]
    images = []
    for shape, size, row, column in factors:
        down, across = np.abs(y - 3 - 1.8 * row), np.abs(x - 3 - 1.8 * column)
        distance = np.hypot(down, across) if shape else np.maximum(down, across)
        images.append(255.0 * (distance < 1.2 + 0.6 * size))
    return np.stack(images).astype("float32")[..., None], factors


IMAGES, FACTORS = sprites()


def trained(latent, seed):
    """A model after `NUM_STEPS` batches of 64, and what is measured of it."""
    keras.utils.set_random_seed(seed)
    model = vae.vae(16, 1, latent_size=CODES, network="dense", units=8, decoder="bernoulli", latent=latent)
    loss = evidence_bound.loss(model)
    model.compile(keras.optimizers.Adam(1e-3), loss, steps_per_execution=100, jit_compile=False)
    order = np.concatenate(
        [np.random.default_rng((seed, each)).permutation(288)[:256] for each in range(NUM_STEPS // 4)]
    )
    model.fit(IMAGES[order], IMAGES[order] / 255, batch_size=64, shuffle=False, verbose=0)
    mean, log_variance = (np.asarray(each) for each in vae.posterior(model, IMAGES))
    bound = evidence_bound.measured(model, [IMAGES], num_draws=4)
    return model, {
        "kl": bound["kl_nats"],
        "elbo": -bound["negative_elbo_nats"],
        "drawn": gaussian_total_correlation(mean, np.exp(log_variance)),
        "means": gaussian_total_correlation(mean),
        "gap": mutual_information_gap(mean, FACTORS),
    }


def latent(kind, strength, seed):
    how = {"units": CODES, "seed": seed, "always_draw": True, "name": "latent"}
    return GaussianLatent(scale=strength, **how) if kind == "beta" else TotalCorrelationLatent(beta=strength, **how)


@pytest.fixture(scope="module")
def study():
    """By objective and strength the measures of each seed, and of the β-VAEs of strength 4 the most disentangled."""
    found, kept = {}, (-1.0, None)
    for kind, strength in (("beta", 1.0), ("beta", 4.0), ("beta", 16.0), ("tc", 4.0)):
        for seed in SEEDS:
            model, measures = trained(latent(kind, strength, seed), seed)
            found.setdefault((kind, strength), []).append(measures)
            if (kind, strength) == ("beta", 4.0):
                kept = max(kept, (measures["gap"], model), key=lambda each: each[0])
    for name, rows in found.items():
        print(name, {key: [round(float(row[key]), 3) for row in rows] for key in rows[0]})
    return found, kept[1]


def means(rows, name):
    return float(np.mean([row[name] for row in rows]))


def test_strength_lowers_what_codes_say_and_the_total_correlation_of_draws(study):
    found, _ = study
    weights = [("beta", strength) for strength in (1.0, 4.0, 16.0)]
    for name in ("kl", "drawn"):
        first, second, third = (means(found[each], name) for each in weights)
        assert first > second > third, name
    # That of the means, which are not pressed upon, does not fall with it.
    assert means(found["beta", 16.0], "means") > means(found["beta", 1.0], "means")


def test_the_seed_matters_as_much_as_the_objective(study):
    found, _ = study
    used = {name: rows for name, rows in found.items() if means(rows, "kl") > 1}
    spread = np.mean([np.std([row["gap"] for row in rows], ddof=1) for rows in used.values()])
    between = abs(means(found["beta", 4.0], "gap") - means(found["tc", 4.0], "gap"))
    print(f"deviation of MIG over seeds {spread:.3f}, between objectives {between:.3f}")
    assert spread > 0.15 * between  # 0.4 to 0.7 where it was measured


def test_rotated_codes_have_the_same_bound_and_other_scores(study):
    """Nothing unsupervised can tell a code from its rotations, which the prior does not see."""
    _, model = study
    mean, log_variance = (np.asarray(each) for each in vae.posterior(model, IMAGES))
    noise = np.random.default_rng(1).normal(size=mean.shape).astype("float32")
    drawn = mean + np.exp(0.5 * log_variance) * noise
    own = 0.5 * np.sum(np.exp(log_variance) + mean**2 - 1 - log_variance, axis=1)
    nats = -np.mean(vae.density(model).log_prob(vae.params(model, drawn), IMAGES / 255))
    gaps = [mutual_information_gap(mean, FACTORS)]
    for seed in range(10):
        rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(CODES, CODES)))[0].astype("float32")
        turned, turned_mean = drawn @ rotation, mean @ rotation
        covariance = np.einsum("ji,nj,jk->nik", rotation, np.exp(log_variance), rotation)
        trace, determinant = np.trace(covariance, axis1=1, axis2=2), np.linalg.slogdet(covariance)[1]
        other = 0.5 * (trace + np.sum(turned_mean**2, axis=1) - CODES - determinant)
        np.testing.assert_allclose(other, own, rtol=1e-4, atol=1e-3)
        # The decoder of the rotated code turns it back first.
        params = vae.params(model, turned @ rotation.T)
        assert -np.mean(vae.density(model).log_prob(params, IMAGES / 255)) == pytest.approx(nats, rel=1e-4)
        gaps.append(mutual_information_gap(turned_mean, FACTORS))
    print(f"MIG {gaps[0]:.3f}, of ten rotations {min(gaps[1:]):.3f} to {max(gaps[1:]):.3f}")
    assert np.ptp(gaps) > 0.03
