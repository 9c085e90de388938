import keras
import numpy as np
import pytest
from scipy import special

from toolkit.methods import committee as committees
from toolkit.methods.committee import Committee
from toolkit.models.latent_discriminator import latent_discriminator
from toolkit.models.vae import vae

IMAGES = np.random.default_rng(0).integers(0, 256, (11, 4, 4, 1)).astype("uint8")
ROWS = [9, 0, 3]


def member(seed, dropout=0.5):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Dropout(dropout)(keras.layers.Dense(6, "relu", name="hidden")(x))
    return keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))


def by_hand(model, images):
    hidden, logits = (model.get_layer(name).get_weights() for name in ("hidden", "logits"))
    features = np.maximum(images.reshape(len(images), -1) / 255 @ hidden[0] + hidden[1], 0)
    return features, special.softmax(features @ logits[0] + logits[1], axis=1)


def test_says_what_the_members_say(monkeypatch):
    monkeypatch.setattr(committees, "_TOGETHER", 2)
    members = [member(seed) for seed in range(2)]
    committee = Committee(members, lambda rows: IMAGES[rows], batch_size=2, num_passes=4)
    features, probabilities = by_hand(members[0], IMAGES[ROWS])
    np.testing.assert_allclose(committee.features(ROWS), features, rtol=1e-5)
    np.testing.assert_allclose(committee.probabilities(ROWS), probabilities, rtol=1e-5)
    expected = [by_hand(each, IMAGES[ROWS])[1] for each in members]
    np.testing.assert_allclose(committee.member_probabilities(ROWS), expected, rtol=1e-5)
    passes = committee.dropout_probabilities(ROWS)
    assert passes.shape == (4, 3, 3) and np.ptp(passes, axis=0).max() > 0
    np.testing.assert_allclose(passes.sum(axis=-1), 1)


def test_membership_is_the_discriminators_probability_of_the_mean_code():
    autoencoder = vae(4, 1, latent_size=2, network="dense", units=1, decoder="fixed", seed=0)
    judge = latent_discriminator(2, units=5, num_layers=1)
    found = Committee([member(0)], IMAGES, batch_size=2, vaal=(autoencoder, judge)).membership(ROWS)
    mean = autoencoder.get_layer("encoder").predict(IMAGES[ROWS] / 255, verbose=0)
    kernel, bias = autoencoder.get_layer("latent").posterior.get_weights()
    logits = judge.predict((mean @ kernel + bias)[:, :2], verbose=0)
    np.testing.assert_allclose(found, special.expit(logits), rtol=1e-4)


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="one classifier at least"):
        Committee([], IMAGES)
    with pytest.raises(ValueError, match=r"expected vaal=\(autoencoder, discriminator\)"):
        Committee([member(0)], IMAGES).membership(ROWS)
    with pytest.raises(ValueError, match="has no dropout"):
        Committee([member(0, dropout=0.0)], IMAGES).dropout_probabilities(ROWS)
