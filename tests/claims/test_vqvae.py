"""What van den Oord et al. 2017 say of discrete codes of images, as far as it needs no recipe."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from toolkit.distributions import Categorical
from toolkit.generation.code_maps import CodeMapGenerator
from toolkit.layers import GatedPixelBlock, GaussianLatent, VectorQuantizer
from toolkit.losses import NegativeLogLikelihood, Precomputed
from toolkit.methods.vimco import VIMCO
from toolkit.metrics.frechet_distance import frechet_distance
from toolkit.models import pixelcnn, vqvae

pytestmark = pytest.mark.claims

SIDE, EMBEDDING_DIM = 16, 8
DIMS, PLACES = SIDE**2, (SIDE // 4) ** 2
SIZES = {"units": 24, "residual_units": 12, "num_residual_blocks": 1}
SEED, NUM_CODES = 0, 32


def shapes(seed, number):
    """Discs, squares and diamonds on a ground, in any greys, with noise: (number, 16, 16, 1), whole, 0 to 255."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    row, column = random.uniform(4, 12, (2, number, 1, 1))
    size, kind = random.uniform(2, 5, (number, 1, 1)), random.integers(0, 3, (number, 1, 1))
    down, across = np.abs(y - row), np.abs(x - column)
    distance = np.select([kind == 0, kind == 1], [np.hypot(down, across), np.maximum(down, across)], down + across)
    ground, paint = random.uniform(20, 110, (number, 1, 1)), random.uniform(140, 235, (number, 1, 1))
    image = ground + (paint - ground) * np.clip(size - distance + 0.5, 0, 1) + random.normal(0, 6, distance.shape)
    return np.clip(np.rint(image), 0, 255).astype("float32")[..., None]


def fields(seed, number):
    """Smooth random fields, of which each place has much of its own to tell: as `shapes`."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(number, SIDE + 12, SIDE + 12))
    smooth = ndimage.gaussian_filter(noise, (0, 1.7, 1.7))[:, 6:-6, 6:-6]
    image = 128 + 300 * smooth + random.normal(0, 2, smooth.shape)
    return np.clip(np.rint(image), 0, 255).astype("float32")[..., None]


def fit(model, loss, inputs, targets, epochs, rate, batch_size=32):
    num_steps = len(targets) // batch_size
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * num_steps, 0.02)
    model.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=num_steps, jit_compile=False)
    model.fit(inputs, targets, batch_size=batch_size, epochs=epochs, verbose=0)


def trained(latent, seed, train, num_codes=NUM_CODES, epochs=12):
    """An autoencoder with one kind of latent; the others have the same encoder and decoder."""
    keras.utils.set_random_seed(seed)
    if latent == "vimco":
        encoder = vqvae.encoder((SIDE, SIDE, 1), num_codes, num_downsamplings=2, **SIZES)
        decoder = vqvae.decoder((SIDE // 4, SIDE // 4, EMBEDDING_DIM), 1, num_upsamplings=2, **SIZES)
        model = VIMCO(encoder, decoder, vqvae.density(), num_samples=5)
        model(train[:1])
        loss, targets = Precomputed(), np.zeros(len(train))
    else:
        layer = {
            "vae": lambda: GaussianLatent(EMBEDDING_DIM, scale=1 / DIMS, name="codebook"),
            "vqvae": lambda: VectorQuantizer(num_codes, name="codebook"),
        }[latent]()
        model = vqvae.vqvae(SIDE, 1, embedding_dim=EMBEDDING_DIM, codebook=layer, **SIZES)
        loss, targets = NegativeLogLikelihood(vqvae.density(), reduction="sum_over_batch_size"), train
        decoder = model.get_layer("decoder")
    # A deviation of about 12 greys to begin with, from which all of them learn faster.
    decoder.layers[-2].bias.assign([0.0, 0.0, -3.0])
    fit(model, loss, train, targets, epochs, 8e-3)
    return model


def reconstruction(params, images):
    """Nats of each image."""
    return -np.sum(vqvae.density().log_prob(params, images), axis=(1, 2, 3))


def bits_per_dim(latent, model, images):
    """Each model's own bound."""
    if latent == "vimco":
        nats = np.asarray(model(images))
    elif latent == "vae":
        divergence = np.asarray(model.get_layer("codebook").divergence(model.get_layer("encoder")(images)))
        nats = reconstruction(model(images, training=True), images) + divergence
    else:
        nats = reconstruction(model(images), images) + PLACES * math.log(model.get_layer("codebook").num_embeddings)
    return nats.mean() / math.log(2) / DIMS


def perplexity(codes, num_codes):
    shares = np.bincount(np.ravel(codes), minlength=num_codes) / np.size(codes)
    return float(np.exp(-np.sum(shares * np.log(np.maximum(shares, 1e-12)))))


@pytest.fixture(scope="module")
def images():
    return shapes(SEED, 2048), shapes(1000 + SEED, 512)


@pytest.fixture(scope="module")
def models(images):
    return {latent: trained(latent, SEED, images[0]) for latent in ("vae", "vqvae")}


def test_bound_of_a_vae_is_at_most_a_vqvaes(models, images):
    found = {latent: bits_per_dim(latent, model, images[1]) for latent, model in models.items()}
    print(found)
    assert found["vae"] <= found["vqvae"], found
    assert perplexity(vqvae.codes(models["vqvae"], images[1]), NUM_CODES) > 10


def test_bound_of_a_vqvae_is_less_than_vimcos():
    """Where all codes have something to tell. Of `shapes` they have not: there VIMCO, which need not pay for codes that
    it leaves open, does as well."""
    train, test = fields(SEED, 2048), fields(1000 + SEED, 512)
    found = {latent: bits_per_dim(latent, trained(latent, SEED, train, 64, 8), test) for latent in ("vqvae", "vimco")}
    print(found)
    assert found["vqvae"] < found["vimco"] - 0.1, found


def likeness(model, images, seed):
    """Fréchet distances to test images of decoded codes: the images' own, those of a learnt prior, and any."""
    train, test = images
    layout = (SIDE // 4, SIDE // 4)
    codes = np.concatenate([np.asarray(vqvae.codes(model, block)) for block in np.split(train, 4)])
    keras.utils.set_random_seed(seed)
    prior = pixelcnn.pixelcnn(*layout, NUM_CODES, filters=32, num_blocks=3, kernel_size=3, head_filters=64)
    fit(prior, NegativeLogLikelihood(Categorical(NUM_CODES)), {"codes": codes}, codes, 10, 5e-3, batch_size=64)
    flat = test.reshape(len(test), -1) / 255
    axes = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:24].T  # principal components

    def distance(some):
        return frechet_distance(flat @ axes, np.asarray(vqvae.decoded(model, some)).reshape(len(some), -1) / 255 @ axes)

    number = len(test)
    return {
        "own": distance(codes[:number]),
        "prior": distance(CodeMapGenerator(prior).write(number, seed=seed)),
        "uniform": distance(np.random.default_rng(seed).integers(0, NUM_CODES, (number, *layout))),
    }


def test_samples_of_a_learnt_prior_resemble_data_more_than_uniform_codes(models, images):
    found = likeness(models["vqvae"], images, SEED)
    print(found)
    assert found["own"] < found["prior"] < found["uniform"] / 2, found


def of_codes(latent, filters=32):
    """A second VQ-VAE: of a map of codes it makes 3 of 512, 27 bits, and its decoder sees them and all codes before."""
    codes = keras.Input((SIDE // 4, SIDE // 4), dtype="int32")
    x = keras.layers.Conv2D(64, 3, padding="same", activation="relu")(keras.layers.Embedding(NUM_CODES, filters)(codes))
    x = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(x))
    x = keras.layers.BatchNormalization(center=False, scale=False)(keras.layers.Dense(24, use_bias=False)(x))
    encoder = keras.Model(codes, keras.layers.Reshape((1, 1, 24))(x))
    told = keras.Input((1, 1, 24))
    condition = keras.layers.Dense(2 * filters, activation="relu")(told)
    v = h = keras.layers.Embedding(NUM_CODES, filters)(codes)
    for number in range(3):
        v, h = GatedPixelBlock(filters, 3, "AB"[number > 0])(v, h, condition)
    logits = keras.layers.Dense(NUM_CODES)(keras.layers.Dense(64, activation="relu")(h))
    decoder = keras.Model([codes, told], logits)
    return keras.Model(codes, decoder([codes, latent(encoder(codes))])), encoder, decoder


def code_by_code(decoder, told):
    """The likeliest code at each place, given what is told and the codes before."""
    codes = np.zeros((len(told), SIDE // 4, SIDE // 4), "int32")
    for place in np.ndindex(codes.shape[1:]):
        codes[:, *place] = np.asarray(decoder([ops.convert_to_tensor(codes), told]))[:, *place].argmax(axis=-1)
    return codes


def test_a_second_vqvae_of_27_bits_beside_an_autoregressive_decoder_does_not_collapse(models, images):
    model, test = models["vqvae"], images[1]
    codes = [np.concatenate([np.asarray(vqvae.codes(model, part)) for part in np.split(each, 4)]) for each in images]
    found = {}
    for latent in (VectorQuantizer(512, num_codebooks=3), GaussianLatent(24, scale=1 / PLACES)):
        keras.utils.set_random_seed(SEED)
        second, encoder, decoder = of_codes(latent)
        fit(second, NegativeLogLikelihood(Categorical(NUM_CODES)), codes[0], codes[0], 15, 5e-3)
        nats = -np.sum(Categorical(NUM_CODES).log_prob(second(codes[1]), codes[1]), axis=(1, 2)).mean()
        found[type(latent).__name__] = nats / math.log(2)
        if isinstance(latent, VectorQuantizer):
            told = latent.encode(encoder(codes[1]))
            found["perplexities"] = [perplexity(told[..., place], 512) for place in range(3)]
            whole = np.asarray(vqvae.decoded(model, code_by_code(decoder, latent.decode(told))))
            found["share_of_variance"] = np.square(whole - test).mean() / test.var()
        else:
            found["nats_of_the_gaussian"] = float(ops.mean(latent.divergence(encoder(codes[1]))))
    print(found)
    # All that is left to be told are 27 bits and what the decoder adds; the image is recognisable.
    assert min(found["perplexities"]) > 20 and found["VectorQuantizer"] < found["GaussianLatent"] - 3, found
    assert found["share_of_variance"] < 0.5, found


def autoregressive(latent, num_levels=17, filters=16):
    """Digits of 8 x 8 by a decoder that sees all pixels before, and the latent."""
    levels = keras.Input((8, 8), dtype="int32")
    encoder = vqvae.encoder((8, 8, 1), EMBEDDING_DIM, num_downsamplings=2, **SIZES)
    features = encoder(ops.cast(levels[..., None], "float32") * (255 / (num_levels - 1)))
    condition = keras.layers.Conv2DTranspose(filters, 4, 4)(latent(features))
    v = h = keras.layers.Embedding(num_levels, filters)(levels)
    for number in range(4):
        v, h = GatedPixelBlock(filters, 3, "AB"[number > 0])(v, h, condition)
    logits = keras.layers.Dense(num_levels)(keras.layers.Dense(32, activation="relu")(h))
    return keras.Model(levels, logits), keras.Model(levels, features)


def collapse(seed, epochs=8):
    """With an autoregressive decoder: nats that a Gaussian latent tells, perplexity of codes, nats of the images."""
    from sklearn import datasets

    digits = datasets.load_digits().images.astype("int32")
    digits = digits[np.random.default_rng(seed).permutation(len(digits))]
    train, test = digits[:1536], digits[1536:]
    found = {}
    for latent in (GaussianLatent(EMBEDDING_DIM, scale=1 / 64), VectorQuantizer(NUM_CODES)):
        keras.utils.set_random_seed(seed)
        model, features = autoregressive(latent)
        fit(model, NegativeLogLikelihood(Categorical(17)), train, train, epochs, 8e-3)
        name = type(latent).__name__
        nats = -np.sum(Categorical(17).log_prob(model(test), test), axis=(1, 2)).mean()
        told = features(test)
        if name == "VectorQuantizer":
            found[name] = (nats, perplexity(latent.encode(told), NUM_CODES))
        else:
            found[name] = (nats, float(ops.mean(latent.divergence(told))))
    return found


def test_beside_an_autoregressive_decoder_a_gaussian_latent_collapses_and_codes_do_not(models, images):
    found = collapse(SEED)
    (nats_of_vae, told), (nats_of_vqvae, used) = found["GaussianLatent"], found["VectorQuantizer"]
    print(found)
    assert told < 0.5, found
    assert used > 5 and nats_of_vqvae < nats_of_vae - 1, found
    # The same latent beside a decoder that sees no pixels.
    encoded = models["vae"].get_layer("encoder")(images[1])
    assert ops.mean(models["vae"].get_layer("codebook").divergence(encoded)) > 10
