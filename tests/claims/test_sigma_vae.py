"""What Rybkin et al. 2020 say of the scale of a Gaussian decoder."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from toolkit.distributions import DiagonalGaussian
from toolkit.layers import GaussianLatent, GaussianScale
from toolkit.losses import NegativeLogLikelihood
from toolkit.methods import evidence_bound
from toolkit.metrics.frechet_distance import frechet_distance
from toolkit.models import vae

pytestmark = pytest.mark.claims

SIZE, CODES, SCALE = 20, 3, 0.1


def fit(model, loss, inputs, targets, epochs, rate, batch_size):
    num_steps = len(targets) // batch_size
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * num_steps, 0.02)
    model.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=num_steps, jit_compile=False)
    model.fit(inputs, targets, batch_size=batch_size, epochs=epochs, verbose=0)


def linear(kind, data):
    """A VAE of `SIZE` numbers with one kind of scale: nats an example, scale, and root of the squared error."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIZE,))
    latent = GaussianLatent(5, seed=0, always_draw=True)
    decoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(SIZE)])
    scale = GaussianScale(kind)
    hidden = keras.layers.Dense(64, "relu")(inputs)
    model = keras.Model(inputs, scale(decoder(latent(hidden)), inputs))
    family = DiagonalGaussian(1)
    fit(model, NegativeLogLikelihood(family, "sum_over_batch_size"), data, data, 60, 5e-3, 100)
    bounds = []
    for _ in range(8):
        params = model(data)
        bounds.append(float(np.mean(-family.log_prob(params, data)) + model.losses[0]))
    return np.mean(bounds), float(np.mean(family.scale(params))), np.sqrt(np.mean((data - params[..., 0]) ** 2))


@pytest.fixture(scope="module")
def factors():
    """8,000 examples of probabilistic PCA, and the nats that an example has by its own density."""
    random = np.random.default_rng(0)
    loadings = random.normal(size=(CODES, SIZE)) / np.sqrt(CODES)
    data = random.normal(size=(8000, CODES)) @ loadings + SCALE * random.normal(size=(8000, SIZE))
    covariance = loadings.T @ loadings + SCALE**2 * np.eye(SIZE)
    paid = 0.5 * np.sum(data @ np.linalg.inv(covariance) * data, axis=1)
    truth = np.mean(paid) + 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    return data.astype("float32"), truth


def test_a_learned_scale_is_the_noise_of_the_data_and_nearly_tight(factors):
    data, truth = factors
    found = {kind: linear(kind, data) for kind in ("fixed", "shared", "optimal")}
    print(f"\ntruth {truth:.2f} nats", {kind: tuple(np.round(each, 4)) for kind, each in found.items()})
    for kind in ("shared", "optimal"):
        bound, scale, error = found[kind]
        assert abs(scale - SCALE) < 0.02 and abs(scale / error - 1) < 0.1, kind
        assert -0.1 < bound - truth < 3.5, kind
    assert found["shared"][0] - truth < 1.5
    assert found["fixed"][0] - truth > 15, "the usual default is far off"


SIDE, BETAS, EPOCHS = 8, (0.001, 0.01, 0.1, 1.0, 10.0), 50


@pytest.fixture(scope="module")
def digits():
    """Scikit-learn's, 0 to 255: to train on, and to test on."""
    images = np.rint(load_digits().images * (255 / 16)).astype("float32")[..., None]
    order = np.random.default_rng(0).permutation(len(images))
    return images[order[:1408]], images[order[1408:]]


@pytest.fixture(scope="module")
def trained(digits):
    """Bound, divergence, scale and the Fréchet distance of samples' pixels, by decoder or β."""
    found = {}
    for name in ("shared", "optimal", *BETAS):
        keras.utils.set_random_seed(0)
        how = {"decoder": name} if isinstance(name, str) else {"decoder": "fixed", "beta": name}
        model = vae.vae(SIDE, 1, latent_size=10, network="dense", units=8, seed=0, **how)
        image, x = evidence_bound.pair(digits[0])
        fit(model, evidence_bound.loss(model), image, x, EPOCHS, 3e-3, 64)
        scale = None if isinstance(name, str) else np.sqrt(name)
        measured = evidence_bound.measured(model, [digits[1]], scale=scale, num_draws=4)
        noise = np.random.default_rng(1).normal(size=(len(digits[1]), 10)).astype("float32")
        drawn, real = (np.reshape(each, (len(each), -1)) / 255 for each in (vae.decoded(model, noise), digits[1]))
        found[name] = measured | {"distance": frechet_distance(real, drawn)}
    for name, each in found.items():
        print(name, {key: round(value, 3) for key, value in each.items()})
    return found


def test_without_tuning_it_is_as_good_as_the_best_beta(trained):
    for kind in ("shared", "optimal"):
        best = min(trained[beta]["negative_elbo_nats"] for beta in BETAS)
        assert trained[kind]["negative_elbo_nats"] < best + 2, kind
        best = min(trained[beta]["distance"] for beta in BETAS)
        assert trained[kind]["distance"] < 1.25 * best, kind


def test_the_optimal_scale_is_the_root_of_the_mean_squared_error(trained):
    for kind in ("shared", "optimal"):
        assert trained[kind]["scale"] == pytest.approx(trained[kind]["root_mean_squared_error"], rel=0.15)


def test_a_scale_of_one_leaves_the_code_unused_and_samples_bad(trained):
    one, optimal = trained[1.0], trained["optimal"]
    assert one["kl_nats"] < 2 < 8 < optimal["kl_nats"]
    assert one["distance"] > 2 * optimal["distance"]
