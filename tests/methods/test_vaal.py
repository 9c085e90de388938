import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.data.pipelines import Batches
from toolkit.data.plans import paired_plan
from toolkit.methods import evidence_bound
from toolkit.methods.vaal import VAAL, pair
from toolkit.models.latent_discriminator import latent_discriminator
from toolkit.models.vae import vae

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1)).astype("float32")
RATE = 1e-3


def made(adversary_weight=3.0, num_vae_steps=2, rate=RATE, optimizer=keras.optimizers.SGD):
    keras.utils.set_random_seed(0)
    autoencoder = vae(8, 1, latent_size=3, network="dense", units=2, decoder="bernoulli", seed=0)
    judge = latent_discriminator(3, units=16, num_layers=2, negative_slope=0.0)
    model = VAAL(autoencoder, judge, optimizer(rate), adversary_weight, num_vae_steps)
    model.compile(optimizer(rate), evidence_bound.loss(autoencoder), jit_compile=False)
    return model


def without_noise(model):
    latent = model.vae.get_layer("latent")
    kernel, bias = latent.posterior.get_weights()
    kernel[:, 3:], bias[3:] = 0.0, -60.0
    latent.posterior.set_weights([kernel, bias])


def mean_code(model, images):
    return model.vae.get_layer("latent").moments(model.vae.get_layer("encoder")(images / 255.0))[0]


def bound(model, images):
    """Minus the bound on an image's likelihood, one image after the other: its mean."""
    nats = []
    for image in images:
        mean, log_variance = model.vae.get_layer("latent").moments(model.vae.get_layer("encoder")(image[None] / 255.0))
        logits = model.vae.get_layer("decoder")(mean)[..., 0]
        told = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(image[None] / 255.0, logits))
        divergence = 0.5 * tf.reduce_sum(tf.exp(log_variance) + mean**2 - 1.0 - log_variance)
        nats.append(told + divergence)
    return tf.reduce_mean(tf.stack(nats))


def test_steps_are_down_the_published_losses_gradients():
    """Two steps of the autoencoder on a half of the batch each, then one of the discriminator on the second half."""
    model, expected = made(), made()
    for each in (model, expected):
        without_noise(each)
    images, is_labelled = (tf.constant(each) for each in pair(IMAGES))
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    for half in (slice(0, 4), slice(4, 8)):
        labelled, unlabelled = images[half][0::2], images[half][1::2]
        with tf.GradientTape() as tape:
            adversary = entropy(tf.ones(2), expected.discriminator(mean_code(expected, labelled)))
            adversary += entropy(tf.ones(2), expected.discriminator(mean_code(expected, unlabelled)))
            loss = bound(expected, labelled) + bound(expected, unlabelled) + 3.0 * adversary
        weights = expected.vae.trainable_variables
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(RATE * gradient)
    with tf.GradientTape() as tape:
        told = entropy(tf.ones(2), expected.discriminator(mean_code(expected, labelled)))
        told += entropy(tf.zeros(2), expected.discriminator(mean_code(expected, unlabelled)))
    weights = expected.discriminator.trainable_variables
    for weight, gradient in zip(weights, tape.gradient(told, weights), strict=True):
        weight.assign_sub(RATE * gradient)

    found = model.train_on_batch(images, is_labelled, return_dict=True)
    assert found["loss"] == pytest.approx(float(loss), rel=1e-4)
    assert found["adversary_loss"] == pytest.approx(float(adversary), rel=1e-4)
    assert found["discriminator_loss"] == pytest.approx(float(told), rel=1e-4)
    for one, two in zip(model.vae.get_weights(), expected.vae.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)
    for one, two in zip(model.discriminator.get_weights(), expected.discriminator.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_the_discriminator_finds_the_images_that_are_unlike_the_labelled(seed):
    """Dark images are labelled; of the others half are bright: these are the ones to ask for, in every seed."""
    random = np.random.default_rng(seed)
    dark, bright = random.integers(0, 60, (80, 8, 8, 1)), random.integers(190, 256, (40, 8, 8, 1))
    pool = np.concatenate([dark, bright]).astype("float32")
    batches = Batches(
        lambda rows: (pool[rows], rows.astype("int32")),
        lambda epoch: [np.arange(120)],
        (tf.TensorSpec([None, 8, 8, 1], tf.float32), tf.TensorSpec([None], tf.int32)),
        num_examples=120,
    )
    pairs = batches.subset(np.arange(120), paired_plan(40, 80, 32, seed=seed)).map(pair)
    model = made(adversary_weight=1.0, rate=3e-3, optimizer=keras.optimizers.Adam)
    history = model.fit(pairs.dataset(), steps_per_epoch=2, epochs=20, shuffle=False, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    # Two steps of the one for each of the other; a checkpoint of the model has both.
    assert int(model.optimizer.iterations) == 80 and int(model.discriminator_optimizer.iterations) == 40
    told = model.discriminator.predict(np.asarray(mean_code(model, pool)), verbose=0)[40:]
    assert np.mean(np.argsort(told)[:20] >= 40) > 0.8


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="adversary_weight must be at least 0 .*; got -1"):
        made(adversary_weight=-1)
    with pytest.raises(ValueError, match="num_vae_steps at least 1; got 3.0 and 0"):
        made(num_vae_steps=0)
    autoencoder = vae(8, 1, latent_size=3, network="dense", units=2)
    with pytest.raises(ValueError, match=r"the discriminator takes \(None, 4\); the codes are \(None, 3\)"):
        VAAL(autoencoder, latent_discriminator(4, units=2), keras.optimizers.SGD())
