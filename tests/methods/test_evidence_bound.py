import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from toolkit.methods import evidence_bound
from toolkit.models import vae

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1)).astype("float32")
NOISE = np.random.default_rng(3).standard_normal((6, 2)).astype("float32")
Normal = tfp.distributions.Normal


def model_of(decoder, **how):
    keras.utils.set_random_seed(1)
    model = vae.vae(8, 1, latent_size=2, network="dense", units=2, decoder=decoder, **how)
    if decoder == "optimal":
        model(IMAGES, training=True)
    return model


def expected(model, scale=None):
    """By TensorFlow Probability's densities, with the noise that `measured` draws first."""
    mean, log_variance = (np.asarray(each) for each in vae.posterior(model, IMAGES))
    codes = mean + np.exp(log_variance / 2) * NOISE
    kl = Normal(mean, np.exp(log_variance / 2)).kl_divergence(Normal(0.0, 1.0))
    params, x = np.asarray(vae.params(model, codes)), IMAGES / np.float32(255)
    if params.shape[-1] == 1:
        family = tfp.distributions.Bernoulli(params[..., 0])
    else:
        family = Normal(params[..., 0], scale or np.exp(np.float32(-6)) + np.exp(params[..., 1]))
    log_prob = np.sum(x * params[..., 0] - np.logaddexp(0, params[..., 0]), (1, 2, 3))
    if params.shape[-1] == 2:
        log_prob = np.sum(family.log_prob(x), (1, 2, 3))
    return np.mean(np.sum(kl, axis=1)), -np.mean(log_prob), np.asarray(family.mean())


@pytest.mark.parametrize(
    "decoder, scale", [("optimal", None), ("per_pixel", None), ("fixed", 0.3), ("bernoulli", None)]
)
def test_the_bound_is_by_tfps_densities(decoder, scale):
    model = model_of(decoder)
    found = evidence_bound.measured(model, [(IMAGES[:4], None), (IMAGES[4:], None)], scale=scale, seed=3)
    kl, nats, mean = expected(model, scale and np.float32(scale + np.exp(-6)))
    assert found["kl_nats"] == pytest.approx(kl, rel=1e-5)
    assert found["reconstruction_nats"] == pytest.approx(nats, rel=1e-4)
    assert found["negative_elbo_nats"] == pytest.approx(kl + nats, rel=1e-4)
    error = np.mean((IMAGES / 255 - mean) ** 2)
    assert found["squared_error"] == pytest.approx(255**2 * error, rel=1e-4)
    assert ("scale" in found) == (decoder != "bernoulli")
    if "scale" in found:
        assert found["root_mean_squared_error"] == pytest.approx(np.sqrt(error), rel=1e-4)
        best = -np.mean(np.sum(Normal(mean, np.float32(np.sqrt(error))).log_prob(IMAGES / np.float32(255)), (1, 2, 3)))
        assert found["negative_elbo_nats_with_optimal_scale"] == pytest.approx(kl + best, rel=1e-4)
    if scale:
        assert found["scale"] == pytest.approx(scale + np.exp(-6), rel=1e-4)


def test_what_is_trained_on_is_nats_an_image():
    for beta in (1.0, 0.25):
        model = evidence_bound.compiled(model_of("fixed", beta=beta))
        posterior = model.get_layer("latent").posterior
        kernel, bias = posterior.get_weights()
        kernel[:, 2:], bias[2:] = 0.0, -20.0  # hardly any noise
        posterior.set_weights([kernel, bias])
        image, x = evidence_bound.pair(IMAGES, np.zeros(6))
        np.testing.assert_allclose(x, IMAGES / 255)
        found = evidence_bound.measured(model, [IMAGES])
        loss = model.evaluate(tf.constant(image), tf.constant(x), batch_size=6, verbose=0, return_dict=True)
        assert loss["loss"] == pytest.approx(found["reconstruction_nats"] + beta * found["kl_nats"], rel=1e-4)
        assert loss["kl_nats"] == pytest.approx(found["kl_nats"], rel=1e-4)


def test_codes_that_say_nothing_are_not_active():
    model = model_of("fixed")
    kernel, bias = model.get_layer("latent").posterior.get_weights()
    kernel[:, [1, 3]], bias[[1, 3]] = 0.0, 0.0
    model.get_layer("latent").posterior.set_weights([kernel, bias])
    assert evidence_bound.measured(model, [IMAGES], num_draws=2)["active_codes"] == 1


def test_errors():
    with pytest.raises(ValueError, match="expected one image at least"):
        evidence_bound.measured(model_of("fixed"), [])
    with pytest.raises(ValueError, match="a decoder of zeros and ones has none"):
        evidence_bound.measured(model_of("bernoulli"), [IMAGES], scale=1.0)
