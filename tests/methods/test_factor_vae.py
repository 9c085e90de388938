import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.methods import evidence_bound
from toolkit.methods.factor_vae import FactorVAE, permuted
from toolkit.models.latent_discriminator import latent_discriminator
from toolkit.models.vae import vae

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1)).astype("float32")


def made(gamma=5.0, rate=1e-3):
    keras.utils.set_random_seed(0)
    autoencoder = vae(8, 1, latent_size=3, network="dense", units=2, decoder="bernoulli", seed=0)
    judge = latent_discriminator(3, units=16, num_layers=2)
    model = FactorVAE(autoencoder, judge, gamma, keras.optimizers.SGD(rate), seed=0)
    model.compile(keras.optimizers.SGD(rate), evidence_bound.loss(autoencoder), jit_compile=False)
    return model


def test_permutes_each_number_on_its_own():
    codes = np.arange(60.0).reshape(20, 3).astype("float32")
    found = np.asarray(permuted(codes, seed=1))
    np.testing.assert_array_equal(np.sort(found, axis=0), codes)
    rows = (found / 3).astype(int)
    assert (rows[:, 0] != rows[:, 1]).any() and (rows[:, 0] != np.arange(20)).any()


def test_a_step_is_down_the_gradients_of_both_losses():
    """With SGD the change of each weight is minus the rate times a gradient, here taken apart."""
    model, rate = made(), 1e-3
    # Without noise, so that the gradients can be computed again.
    latent = model.vae.get_layer("latent")
    kernel, bias = latent.posterior.get_weights()
    kernel[:, 3:], bias[3:] = 0.0, -60.0
    latent.posterior.set_weights([kernel, bias])
    images, x = (tf.constant(each) for each in evidence_bound.pair(IMAGES))
    before = [np.asarray(weight) for weight in model.vae.trainable_variables]
    with tf.GradientTape() as tape:
        params = model.vae(images, training=True)
        mean, _ = latent.moments(model.vae.get_layer("encoder")(images / 255.0))
        loss = model.loss(x, params) + model.vae.losses[0] + 5.0 * tf.reduce_mean(model.discriminator(mean))
    expected = tape.gradient(loss, model.vae.trainable_variables)
    judge_before = [np.asarray(weight) for weight in model.discriminator.trainable_variables]
    found = model.train_on_batch(images, x, return_dict=True)
    assert found["loss"] == pytest.approx(float(loss), rel=1e-4)
    for weight, old, gradient in zip(model.vae.trainable_variables, before, expected, strict=True):
        np.testing.assert_allclose(np.asarray(weight), old - rate * np.asarray(gradient), rtol=1e-3, atol=1e-5)
    assert any(
        np.abs(np.asarray(new) - old).max() > 0
        for new, old in zip(model.discriminator.trainable_variables, judge_before, strict=True)
    )


def test_the_discriminator_learns_the_density_ratio():
    """Of two Gaussian numbers of correlation r the total correlation is -log(1 - r²) / 2 = 0.51 nats at r = 0.8."""
    keras.utils.set_random_seed(0)
    judge, optimizer = latent_discriminator(2, units=32, num_layers=2), keras.optimizers.Adam(5e-3)
    optimizer.build(judge.trainable_variables)
    random = np.random.default_rng(0)
    noise = random.normal(size=(4000, 2)).astype("float32")
    codes = tf.constant(np.stack([noise[:, 0], 0.8 * noise[:, 0] + 0.6 * noise[:, 1]], axis=1).astype("float32"))

    @tf.function
    def step(seed):
        with tf.GradientTape() as tape:
            batch = tf.gather(codes, tf.random.stateless_uniform((500,), [seed, 0], 0, 4000, tf.int32))
            order = tf.random.stateless_uniform((500,), [seed, 1])
            other = tf.stack([batch[:, 0], tf.gather(batch[:, 1], tf.argsort(order))], axis=1)
            loss = tf.reduce_mean(tf.nn.softplus(-judge(batch)) + tf.nn.softplus(judge(other)))
        optimizer.apply(tape.gradient(loss, judge.trainable_variables), judge.trainable_variables)

    for seed in range(300):
        step(tf.constant(seed))
    assert float(tf.reduce_mean(judge(codes))) == pytest.approx(-0.5 * np.log(1 - 0.8**2), abs=0.15)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="gamma must be at least 0; got -1"):
        made(gamma=-1.0)
    autoencoder = vae(8, 1, latent_size=3, network="dense", units=2)
    with pytest.raises(ValueError, match=r"the discriminator takes \(None, 4\); the codes are \(None, 3\)"):
        FactorVAE(autoencoder, latent_discriminator(4, units=2), 1.0, keras.optimizers.SGD())
