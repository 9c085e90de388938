import keras
import numpy as np
import pytest

from toolkit.models import vae

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype("float32")


@pytest.mark.parametrize("network", vae.NETWORKS)
@pytest.mark.parametrize("decoder", ["fixed", "per_pixel", "bernoulli"])
def test_shapes_and_parts(network, decoder):
    model = vae.vae(16, 3, latent_size=5, network=network, units=4, decoder=decoder, seed=0)
    params = np.asarray(model(IMAGES))
    assert params.shape == (3, 16, 16, 3, 1 if decoder == "bernoulli" else 2) and np.isfinite(params).all()
    mean, log_variance = vae.posterior(model, IMAGES)
    assert mean.shape == log_variance.shape == (3, 5) and vae.latent_size(model) == 5
    images = np.asarray(vae.decoded(model, mean))
    assert images.shape == IMAGES.shape and images.min() >= 0 and images.max() <= 255
    np.testing.assert_allclose(images, 255 * vae.density(model).mean(vae.params(model, mean)), rtol=1e-5)
    if decoder == "fixed":
        np.testing.assert_allclose(vae.params(model, mean)[..., 1], 0.0)


def test_the_whole_is_its_parts_and_draws_outside_of_training_too():
    model = vae.vae(16, 3, latent_size=5, units=4, decoder="per_pixel", seed=0)
    first, second = np.asarray(model(IMAGES)), np.asarray(model(IMAGES))
    assert np.abs(first - second).max() > 0
    kernel, bias = model.get_layer("latent").posterior.get_weights()
    kernel[:, 5:], bias[5:] = 0.0, -60.0  # no noise
    model.get_layer("latent").posterior.set_weights([kernel, bias])
    mean, _ = vae.posterior(model, IMAGES)
    np.testing.assert_allclose(model(IMAGES), vae.params(model, mean), atol=1e-5)
    # A pixel's channels keep their place: what the last bias adds to one of its numbers shows there only.
    layer = [each for each in model.get_layer("decoder").layers if isinstance(each, keras.layers.Conv2DTranspose)][-1]
    bias = layer.bias.numpy()
    bias[2 * 1 + 1] += 3.0  # the log of the scale of the second channel
    before, _ = np.asarray(vae.params(model, mean)), layer.bias.assign(bias)
    change = np.asarray(vae.params(model, mean)) - before
    expected = np.zeros((3, 2))
    expected[1, 1] = 3.0
    np.testing.assert_allclose(change, np.broadcast_to(expected, change.shape), atol=1e-5)


@pytest.mark.parametrize(
    "network, weights",
    # Counted by hand from sigma-vae-pytorch's ConvVAE: 28 pixels, one channel, 20 numbers.
    [("convolutional", 320 + 32_832 + 204_928 + 2 * 125_460 + 131_712 + 294_976 + 73_760 + 801)],
)
def test_as_many_weights_as_published(network, weights):
    model = vae.vae(28, 1, latent_size=20, network=network, units=32, decoder="fixed")
    assert model.count_params() == weights


def test_the_study_of_disentanglements_network():
    """Locatello et al., table 1, with 4 x 4 convolutions throughout; 10 numbers, 64 pixels, one channel."""
    model = vae.vae(64, 1, latent_size=10, network="strided", units=32, decoder="bernoulli")
    encoder = 544 + 16_416 + 32_832 + 65_600 + 262_400
    decoder = 10 * 256 + 256 + 256 * 1024 + 1024 + 65_600 + 32_800 + 16_416 + 513
    assert model.count_params() == encoder + 2 * (256 * 10 + 10) + decoder


def test_saved_and_loaded(tmp_path):
    model = vae.vae(16, 3, latent_size=5, units=4, decoder="optimal", seed=0)
    model(IMAGES, training=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    codes = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    np.testing.assert_allclose(vae.params(again, codes), vae.params(model, codes), atol=1e-6)
    assert abs(float(model.get_layer("scale").kept_log_scale())) > 0.1


def test_arguments_are_checked():
    for how, expected in (
        ({"image_size": 15}, "image_size=15 is no multiple of 4, as network='convolutional' needs"),
        ({"image_size": 24, "network": "strided"}, "image_size=24 is no multiple of 16"),
        ({"decoder": "best"}, "decoder must be one of fixed, .*; got 'best'"),
        ({"network": "deep"}, "network must be one of dense, .*; got 'deep'"),
        ({"latent_size": 0}, "latent_size must be at least 1; got 0"),
    ):
        with pytest.raises(ValueError, match=expected):
            vae.vae(**{"image_size": 16, **how})
