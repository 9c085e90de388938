"""What van den Oord et al. 2016 say of WaveNet, as far as it needs no recipe."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.generation.audio import SoundGenerator
from toolkit.layers import MuLaw
from toolkit.models import wavenet

pytestmark = pytest.mark.claims


def seen(dilations, kernel_size, time):
    """Whether what is looked up at each place has a gradient in the prediction at each: (predictions, inputs)."""
    model = wavenet.wavenet(dilations, 6, 8, kernel_size, num_levels=16)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / 2 for w in model.get_weights()])
    rest = keras.Model(model.get_layer("lookup").output, model.output)
    x = tf.constant(random.standard_normal((1, time, 6)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        predictions = tf.unstack(tf.reduce_sum(tf.sin(rest(x)), axis=-1)[0])
    return np.array([np.any(np.asarray(tape.gradient(each, x))[0] != 0, axis=-1) for each in predictions])


@pytest.mark.parametrize("dilations, kernel_size", [([1, 2, 4, 8], 2), ([1, 2, 4, 1, 2, 4], 2), ([1, 3], 3)])
def test_no_prediction_sees_the_future_and_all_see_the_receptive_field(dilations, kernel_size):
    field = wavenet.receptive_field(dilations, kernel_size)
    places = np.arange(field + 5)
    back = places[:, None] - places[None]
    expected = (back >= 0) & (back < field)
    np.testing.assert_array_equal(seen(dilations, kernel_size, len(places)), expected)


def noise_ratio(layer, audio):
    error = np.asarray(layer.inverse(layer(audio))) - audio
    return 10 * np.log10(np.square(audio).mean() / np.square(error).mean())


def test_mu_law_keeps_what_is_quiet():
    """At full voice both are good; of quiet sound a linear grid of as many levels keeps next to nothing."""
    random = np.random.default_rng(0)
    for scale, least, most in ((0.1, -1, 5), (0.01, 15, 25)):
        audio = np.clip(random.laplace(0, scale, 200_000), -1, 1).astype("float32")
        gain = noise_ratio(MuLaw(), audio) - noise_ratio(MuLaw(mu=0), audio)
        assert least < gain < most, (scale, gain)


# A resonance, as of a voice: each sample is made of two before it, and noise.
RESONANCE, DEVIATION, LEVELS = (1.6, -0.81), 0.08, 64


def resonance(seed, num_sounds, time):
    random = np.random.default_rng(seed)
    sound = np.zeros((num_sounds, time + 102))
    for t in range(2, time + 102):
        fresh = DEVIATION * random.standard_normal(num_sounds)
        sound[:, t] = RESONANCE[0] * sound[:, t - 1] + RESONANCE[1] * sound[:, t - 2] + fresh
    return (sound[:, 100:]).astype("float32")  # two samples before those that count


def entropy(sound, layer):
    """Nats a level of what the source says is next, knowing the samples before exactly: no network can take fewer."""
    from scipy import stats

    edges = np.asarray(layer.inverse(np.arange(LEVELS)), "float64")
    places = np.asarray(layer.companded(np.arange(LEVELS)))
    middles = (places[1:] + places[:-1]) / 2
    middles = np.sign(middles) * (LEVELS ** np.abs(middles) - 1) / (LEVELS - 1)
    assert (edges[:-1] < middles).all() and (middles < edges[1:]).all()
    mean = RESONANCE[0] * sound[:, 1:-1] + RESONANCE[1] * sound[:, :-2]
    bounds = np.r_[-np.inf, middles, np.inf]
    levels = np.asarray(layer(sound[:, 2:]))
    share = stats.norm.cdf(bounds[levels + 1], mean, DEVIATION) - stats.norm.cdf(bounds[levels], mean, DEVIATION)
    return -np.log(np.maximum(share, 1e-12)).mean()


def test_a_sources_entropy_is_reached_and_what_is_written_has_its_spectrum():
    keras.utils.set_random_seed(0)
    model = wavenet.wavenet([1, 2, 4], filters=24, skip_filters=48, num_levels=LEVELS)
    layer, field = model.get_layer("levels"), wavenet.receptive_field([1, 2, 4])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile(keras.optimizers.Adam(5e-3), loss, steps_per_execution=20)

    def batches(sound):
        targets = np.array(layer(sound[:, 1:]))
        targets[:, : field - 1] = -1  # what is predicted from padding is left out
        return {"audio": sound[:, :-1]}, targets

    model.fit(*batches(resonance(0, 512, 400)), batch_size=8, epochs=3, verbose=0)
    test = resonance(1, 64, 400)
    nats, least = model.evaluate(*batches(test), verbose=0), entropy(test, layer)
    assert least - 0.03 < nats < least + 0.15, (nats, least)
    written = SoundGenerator(model).write(400, num_sounds=32, seed=0)[:, 100:]
    found = [np.mean(written[:, lag:] * written[:, : 300 - lag]) / np.mean(written**2) for lag in (1, 2)]
    expected = [RESONANCE[0] / (1 - RESONANCE[1])]
    expected += [RESONANCE[0] * expected[0] + RESONANCE[1]]
    np.testing.assert_allclose(found, expected, atol=0.06)
