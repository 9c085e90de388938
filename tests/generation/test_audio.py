import numpy as np
import pytest
import tensorflow as tf

from toolkit.generation.audio import SoundGenerator
from toolkit.models import wavenet

NETWORKS = {
    "plain": {"dilations": [1, 2, 4, 8, 1, 2, 4, 8]},
    "far": {"dilations": [1, 32, 2, 64, 33, 32], "num_units": 5, "hop": 20},
    "far with three taps": {"dilations": [32, 64], "kernel_size": 3, "num_speakers": 3},
    "conditioned": {"dilations": [1, 2, 4], "num_speakers": 3, "num_units": 5, "hop": 20, "kernel_size": 3},
    "logistics": {"dilations": [1, 2, 4], "output": "logistic_mixture", "num_mixtures": 3, "num_speakers": 3},
}
QUICK = ("conditioned", "logistics")


def network(name, **how):
    how = {"num_levels": 64, **NETWORKS[name], **how}
    model = wavenet.wavenet(filters=6, skip_filters=10, condition_size=4, **how)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / (3 if w.ndim > 1 else 1) for w in model.get_weights()])
    return model


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in NETWORKS],
)
def model(request):
    return network(request.param)


def given(model, num_sounds, frames, seed=1):
    """A speaker and units for a network that reads them."""
    random = np.random.default_rng(seed)
    reads = SoundGenerator(model).reads
    asked = {"speaker": random.integers(0, 3, num_sounds)} if reads["speaker"] else {}
    return asked | ({"units": random.integers(0, 5, (num_sounds, frames))} if reads["unit"] else {})


def emitted(model, levels, asked):
    """What the network says of each sample of a sound, all of it read at once."""
    layer = model.get_layer("levels")
    before = np.concatenate([np.zeros((len(levels), 1)), np.asarray(layer.inverse(levels))[:, :-1]], axis=1)
    inputs = {"audio": before.astype("float32")} | {name: value.astype("int32") for name, value in asked.items()}
    return np.asarray(model(inputs))


def test_cached_is_naive_over_500_samples(model):
    """What is drawn, and what each draw is made from, primed by other sound than the network's own."""
    generator, layer = SoundGenerator(model), model.get_layer("levels")
    random = np.random.default_rng(2)
    asked, prime = given(model, 2, 30), random.uniform(-1, 1, (2, 90)).astype("float32")
    noise = random.uniform(size=(2, 500, *generator.num_noise)).astype("float32")
    write = tf.function(lambda: generator.generate(num_steps=500, noise=noise, prime=prime, **asked), autograph=False)
    written = write()["audio"].numpy()
    levels = np.concatenate([np.asarray(layer(prime)), np.asarray(layer(written))], axis=1)
    params = emitted(model, levels, asked)
    drawn = np.asarray(generator.draw(params[:, 90:].reshape(1000, -1), noise.reshape(1000, *generator.num_noise), 1.0))
    assert (drawn.reshape(2, 500) == levels[:, 90:]).mean() > 0.998  # rounding may decide a draw, once
    states = step_by_step(generator, levels, asked)
    np.testing.assert_allclose(states, params, atol=1e-4)


def step_by_step(generator, levels, asked):
    frames = generator.frames(asked["units"]) if "units" in asked else None
    prepared = generator.prepare(len(levels), asked.get("speaker"), frames)
    step = tf.function(lambda level, state: generator.step(level, state, prepared), autograph=False)
    state, level, found = generator.initial_state(len(levels)), tf.fill((len(levels),), generator.levels.silence), []
    for following in levels.T:
        params, state = step(level, state)
        found.append(params.numpy())
        level = tf.constant(following)
    return np.stack(found, axis=1)


def test_codes_are_written_as_samples_are():
    model = network("conditioned", codes=True, num_levels=16)
    test_cached_is_naive_over_500_samples(model)
    codes = SoundGenerator(model).write(40, speaker=1, units=[0, 1], seed=3)
    assert (codes == codes.round()).all() and set(codes.ravel()) <= set(range(16)) and len(set(codes.ravel())) > 3


def test_primers_of_unlike_length(model):
    """Each row goes on as if it were alone."""
    generator, random = SoundGenerator(model), np.random.default_rng(7)
    asked, prime = given(model, 3, 9), random.uniform(-1, 1, (3, 50)).astype("float32")
    noise = random.uniform(size=(3, 80, *generator.num_noise)).astype("float32")
    together = generator.generate(num_steps=80, noise=noise, prime=prime, prime_length=[50, 7, 0], **asked)["audio"]
    for row, length in enumerate((50, 7, 0)):
        own = {name: value[row : row + 1] for name, value in asked.items()}
        own |= {"prime": prime[row : row + 1, :length]} if length else {}
        alone = generator.generate(num_steps=80, noise=noise[row : row + 1], **own)["audio"]
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)


def test_length_and_zeros_after_the_end(model):
    generator, asked = SoundGenerator(model), given(model, 3, 3)
    written = generator.generate(num_steps=7, length=[7, 2, 99], batch_size=3, **asked)
    assert written["length"].numpy().tolist() == [7, 2, 7]
    assert not written["audio"].numpy()[1, 2:].any()
    assert (np.abs(written["audio"].numpy()) <= 1).all()


def test_score_is_the_models_loss(model):
    generator = SoundGenerator(model)
    levels, asked = np.random.default_rng(3).integers(0, 64, (2, 40)), given(model, 2, 2)
    audio = generator.levels.inverse(levels)
    found = generator.score(audio, [40, 25], **asked)["nats"].numpy()
    params = emitted(model, levels, asked).astype("float64")
    if generator.distribution is None:
        shares = np.exp(params) / np.exp(params).sum(axis=-1, keepdims=True)
        nats = -np.log(np.take_along_axis(shares, levels[..., None], axis=-1)[..., 0])
    else:
        nats = -np.asarray(generator.distribution.log_prob(params, levels))
    np.testing.assert_allclose(found, [nats[0].sum(), nats[1, :25].sum()], rtol=1e-4)


def test_the_same_seed_writes_the_same():
    generator = SoundGenerator(network("conditioned"))
    how = {"num_sounds": 2, "speaker": 1, "units": [1, 2, 3], "prime": np.linspace(-0.5, 0.5, 30)}
    first, again = (generator.write(20, seed=5, **how) for _ in range(2))
    assert (first == again).all() and (first != generator.write(20, seed=6, **how)).any()
    other = generator.write(20, seed=5, **{**how, "speaker": [1, 2]})
    assert (other[0] == first[0]).all() and (other[1] != first[1]).any()


def test_errors():
    with pytest.raises(ValueError, match="This network reads no speaker"):
        SoundGenerator(network("plain")).generate(speaker=[1], num_steps=3)
    with pytest.raises(ValueError, match="This network reads a speaker"):
        SoundGenerator(network("logistics")).generate(num_steps=3)
    with pytest.raises(ValueError, match="num_samples and num_sounds must be at least 1"):
        SoundGenerator(network("plain")).write(0)
