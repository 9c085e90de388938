"""What Razavi et al. 2019 say of codes on two levels, and of priors over them, on small drawn images."""

import types

import keras
import numpy as np
import pytest

from toolkit.generation.classifier_rejection import drawn_and_kept
from toolkit.generation.image_drawing import ImageDrawer
from toolkit.layers import VectorQuantizer
from toolkit.losses import NegativeLogLikelihood
from toolkit.methods import code_likelihood
from toolkit.metrics.improved_precision_recall import improved_precision_recall
from toolkit.models import code_levels, pixelcnn, vqvae, vqvae2

pytestmark = pytest.mark.claims

SIDE, SEED = 16, 0
SIZES = {"units": 16, "residual_units": 8, "num_residual_blocks": 1, "embedding_dim": 8}
MOMENTUM = 0.9  # of the codebooks: 0.99 lags behind in trainings of some hundred steps
NUM_CODES = 16, 2  # of the top, a code for 8 x 8 pixels, and of the bottom, one for 4 x 4
SHAPES = (2, 2), (4, 4)


def images(seed, number):
    """Four quarters of any grey, one of them bright; in each two bars, which lie or stand: with both as their classes.

    Returns:
        (number, 16, 16, 1), whole, 0 to 255; which quarter (number,); 0 where bars lie, 1 where they stand.
    """
    random = np.random.default_rng(seed)
    shape, texture = random.integers(0, 4, number), random.integers(0, 2, number)
    bright = np.eye(4, dtype=bool)[shape].reshape(number, 2, 2)
    quarters = np.where(bright, random.uniform(160, 220, bright.shape), random.uniform(35, 140, bright.shape))
    down, across = 1 - 2 * (np.mgrid[:4, :4] % 2)
    signs = random.choice([-1, 1], bright.shape).repeat(2, axis=1).repeat(2, axis=2)
    bars = signs * np.where(texture[:, None, None] == 0, down, across)
    image = quarters.repeat(8, axis=1).repeat(8, axis=2) + 30 * bars.repeat(4, axis=1).repeat(4, axis=2)
    image += random.normal(0, 4, image.shape)
    return np.clip(np.rint(image), 0, 255).astype("float32")[..., None], shape, texture


def classes_of(image):
    """By which quarter is the brightest, and along which axis its bars differ more: right of all real images."""
    bars = np.asarray(image)[..., 0].reshape(-1, 2, 2, 4, 2, 2, 4).mean(axis=(3, 6))
    shape = bars.mean(axis=(2, 4)).reshape(-1, 4).argmax(axis=1)
    down, across = (np.abs(np.diff(bars, axis=axis)).sum(axis=(1, 2, 3, 4)) for axis in (2, 4))
    return shape, (across > down).astype(int)


def fit(model, loss, inputs, targets, epochs, rate, batch_size=32):
    num_steps = len(targets) // batch_size
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * num_steps, 0.02)
    model.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=num_steps, jit_compile=False)
    model.fit(inputs, targets, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


@pytest.fixture(scope="module")
def data():
    return images(SEED, 1280), images(1000 + SEED, 512)


def autoencoder(model, train, epochs=24):
    keras.utils.set_random_seed(SEED)
    # A deviation of about 12 greys to begin with, from which all of them learn faster.
    model.get_layer("decoder").layers[-2].bias.assign([0.0, 0.0, -3.0])
    loss = NegativeLogLikelihood(vqvae.density(), reduction="sum_over_batch_size")
    return fit(model, loss, train, train, epochs, 4e-3)


@pytest.fixture(scope="module")
def two_levels(data):
    keras.utils.set_random_seed(SEED)
    names = vqvae2.codebook_names(2)
    codebooks = [
        VectorQuantizer(num, momentum=MOMENTUM, metrics_name=name, name=name)
        for num, name in zip(NUM_CODES, names, strict=True)
    ]
    return autoencoder(vqvae2.vqvae2(SIDE, 1, codebooks=codebooks, **SIZES), data[0][0])


def bits_per_dim(model, image):
    """What an image takes given its codes: what both networks are trained on."""
    params = vqvae2.params(model, vqvae2.codes(model, image))
    return float(-np.mean(vqvae.density().log_prob(params, image)) / np.log(2))


def test_two_levels_reconstruct_better_than_one_of_as_many_bits(data, two_levels):
    (train, *_), (test, *_) = data
    bits = sum(np.prod(shape) * np.log2(num) for shape, num in zip(SHAPES, NUM_CODES, strict=True))
    keras.utils.set_random_seed(SEED)
    codebook = VectorQuantizer(round(2 ** (bits / 16)), momentum=MOMENTUM, name="codebook")  # of 4 x 4 codes too
    one = autoencoder(vqvae.vqvae(SIDE, 1, codebook=codebook, **SIZES), train)
    assert vqvae2.code_shapes(one) == SHAPES[1:] and 16 * np.log2(codebook.num_embeddings) == bits
    found = {"two": bits_per_dim(two_levels, test), "one": bits_per_dim(one, test)}
    error = {
        name: np.square(np.asarray(vqvae2.decoded(model, vqvae2.codes(model, test))) - test).mean()
        for name, model in (("two", two_levels), ("one", one))
    }
    print(found, error)
    assert found["two"] < found["one"] - 0.05 and error["two"] < error["one"], (found, error)


def test_the_top_says_the_shape_and_the_bottom_the_texture(data, two_levels):
    """Each image is decoded from its own top and the bottom of another one, of another class."""
    test, shape, texture = data[1]
    assert np.array_equal(classes_of(test), (shape, texture))
    top, bottom = map(np.asarray, vqvae2.codes(two_levels, test))
    seen = classes_of(vqvae2.decoded(two_levels, [top, np.roll(bottom, 1, axis=0)]))
    found = {}
    for name, its, classes in zip(("shape", "texture"), seen, (shape, texture), strict=True):
        others = np.roll(classes, 1)
        unlike = classes != others
        found[name] = {"top": np.mean((its == classes)[unlike]), "bottom": np.mean((its == others)[unlike])}
    print(found)
    assert found["shape"]["top"] > 0.8 and found["texture"]["bottom"] > 0.8, found


@pytest.fixture(scope="module")
def priors(data, two_levels):
    """A network for each level, told the class; and what they read, to train on and held out."""
    parts = []
    for image, shape, texture in (images(2000 + SEED, 4096), data[1]):
        rows = np.asarray(code_levels.joined(vqvae2.codes(two_levels, image)))
        parts.append({"codes": rows, "label": 2 * shape + texture})
    sizes = {"filters": 16, "num_blocks": 2, "kernel_size": 3, "head_filters": 32, "num_classes": 8}
    known = {"num_maps": 1, "context_size": SHAPES[0], "num_context_codes": NUM_CODES[0], "num_context_blocks": 1}
    found = []
    for shape, num, how in zip(SHAPES, NUM_CODES, ({}, known), strict=True):
        keras.utils.set_random_seed(SEED)
        prior = pixelcnn.pixelcnn(*shape, num, **sizes, **how)
        inputs, codes = code_likelihood.pairs(prior, SHAPES)(parts[0])
        code_likelihood.compiled(prior)
        found.append(fit(prior, prior.loss, inputs, codes, 3, 1e-2, 64))
    return found, parts


def test_held_out_codes_are_nearly_as_likely_as_those_of_training(priors):
    found = {}
    for name, prior in zip(("top", "bottom"), priors[0], strict=True):
        code_likelihood.compiled(prior)
        pairs = [code_likelihood.pairs(prior, SHAPES)(part) for part in priors[1]]
        bits = [prior.evaluate(*pair, verbose=0, return_dict=True)["bits_per_code"] for pair in pairs]
        found[name] = dict(zip(("training", "held out"), bits, strict=True))
    print(found)
    for bits, num in zip(found.values(), NUM_CODES, strict=True):
        assert bits["training"] < 0.95 * np.log2(num), found
        assert abs(bits["held out"] - bits["training"]) < 0.07 * np.log2(num), found


def test_fewer_kept_have_a_higher_precision_and_a_lower_recall(data, two_levels, priors):
    """Kept by a classifier that has seen real images, in whose features both are measured."""
    (train, shape, texture), (test, *_) = data
    keras.utils.set_random_seed(SEED)
    inputs = keras.Input((SIDE, SIDE, 1))
    x = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
    for _ in range(2):
        x = keras.layers.Conv2D(16, 4, 2, padding="same", activation="relu")(x)
    features = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(x))
    classifier = keras.Model(inputs, keras.layers.Dense(8, activation="softmax")(features))
    fit(classifier, "sparse_categorical_crossentropy", train, 2 * shape + texture, 5, 5e-3, 64)
    network = keras.Model(inputs, [features, classifier.output])

    class Seen(types.SimpleNamespace):
        def of(self, which):
            return Seen(features=self.features[which], probabilities=self.probabilities[which])

    def look(image):
        return Seen(**dict(zip(("features", "probabilities"), map(np.asarray, network(image)), strict=True)))

    drawer = ImageDrawer(priors[0], two_levels)
    kept = drawn_and_kept(drawer.draw, look, np.arange(len(test)) % 8, (1.0, 0.5, 0.2))
    real = look(test).features
    found = {share: improved_precision_recall(real, seen.features) for share, (_, seen, _) in kept.items()}
    print(found)
    assert found[0.2].precision > found[1.0].precision + 0.03, found
    assert found[0.2].recall < found[1.0].recall - 0.06, found
