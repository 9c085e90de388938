"""What images take, against the sum of log-probabilities in SciPy; perplexity and usage against NumPy."""

import keras
import numpy as np
import pytest
import scipy.stats

from toolkit import models
from toolkit.layers import VectorQuantizer
from toolkit.methods import image_codes

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1)).astype("float32")
BATCHES = [(IMAGES[:4], np.arange(4)), (IMAGES[4:], np.arange(2))]


@pytest.fixture(scope="module", name="model")
def network():
    keras.utils.set_random_seed(1)
    return models.vqvae.vqvae(8, 1, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4)


def nats_of(params, levels):
    """-log of what a logistic has between the borders of a level, the outermost ones open."""
    mean, scale = params[..., 1].astype("float64"), np.exp(params[..., 2].astype("float64"))
    borders = [(levels + side) * 2 / 255 - 1 for side in (-0.5, 0.5)]
    below, above = (scipy.stats.logistic.cdf(border, mean, scale) for border in borders)
    return -np.log(np.where(levels == 255, 1.0, above) - np.where(levels == 0, 0.0, below))


def test_what_images_take(model):
    found = image_codes.measured(model, BATCHES)
    params = np.asarray(model(IMAGES))
    nats = nats_of(params, IMAGES)
    assert found["reconstruction_bits_per_dim"] == pytest.approx(nats.mean() / np.log(2), rel=1e-4)
    assert found["bits_per_dim"] - found["reconstruction_bits_per_dim"] == pytest.approx(4 * 9 / 64)
    error = np.mean((np.clip((params[..., 1] + 1) * 127.5, 0, 255) - IMAGES) ** 2)
    assert found["squared_error"] == pytest.approx(error, rel=1e-4)
    assert found["share_of_variance_percent"] == pytest.approx(100 * error / IMAGES.var(), rel=1e-4)
    counts = np.bincount(np.asarray(models.vqvae.codes(model, IMAGES)).reshape(-1), minlength=512)
    assert found["codebook_perplexity"] == pytest.approx(np.exp(scipy.stats.entropy(counts)))
    assert found["codebook_usage_percent"] == pytest.approx(100 * np.mean(counts > 0))
    # `fit` is shown the same.
    image_codes.compiled(model)
    shown = model.evaluate(*image_codes.pair(IMAGES), verbose=0, return_dict=True)
    assert shown["reconstruction_bits_per_dim"] == pytest.approx(found["reconstruction_bits_per_dim"], rel=1e-5)
    with pytest.raises(ValueError, match="one image at least"):
        image_codes.measured(model, [])


@pytest.fixture(scope="module", name="several")
def network_of_two_levels():
    keras.utils.set_random_seed(1)
    return models.vqvae2.vqvae2(8, 1, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4)


def test_what_images_take_on_two_levels(several):
    found = image_codes.measured(several, BATCHES)
    top, bottom = models.vqvae2.codes(several, IMAGES)
    assert found["bits_per_dim"] - found["reconstruction_bits_per_dim"] == pytest.approx((1 + 4) * 9 / 64)
    assert found["reconstruction_bits_per_dim"] == pytest.approx(
        nats_of(np.asarray(several(IMAGES)), IMAGES).mean() / np.log(2), rel=1e-4
    )
    for name, known in (("squared_error", [top, bottom]), ("squared_error_of_top", [top, None])):
        error = np.mean((np.asarray(models.vqvae2.decoded(several, known)) - IMAGES) ** 2)
        assert found[name] == pytest.approx(error, rel=1e-4)
    assert found["squared_error"] != found["squared_error_of_top"]
    for name, codes in (("top", top), ("bottom", bottom)):
        counts = np.bincount(np.ravel(codes), minlength=512)
        assert found[f"codebook_{name}_perplexity"] == pytest.approx(np.exp(scipy.stats.entropy(counts)))
        assert found[f"codebook_{name}_usage_percent"] == pytest.approx(100 * np.mean(counts > 0))


def test_codes_of_two_levels_are_one_row(several):
    rows = np.concatenate([codes for codes, *_ in image_codes.encoded(several, BATCHES)])
    top, bottom = (np.asarray(each) for each in models.vqvae2.codes(several, IMAGES))
    np.testing.assert_array_equal(rows, np.concatenate([top.reshape(6, 1), bottom.reshape(6, 4)], axis=1))


def test_each_codebook_has_counts_of_its_own():
    """Two levels of two codebooks, the codes of the first of each even, of the second odd."""
    codebooks = [VectorQuantizer(6, num_codebooks=2, name=name) for name in models.vqvae2.codebook_names(2)]
    sizes = {"units": 8, "residual_units": 8, "num_residual_blocks": 1, "embedding_dim": 4}
    model = models.vqvae2.vqvae2(8, 1, codebooks=codebooks, **sizes)
    top, bottom = np.array([[0, 1]]), np.array([[2, 3], [2, 5], [4, 3], [0, 3]])
    rows = np.repeat(np.concatenate([top.reshape(1, -1), bottom.reshape(1, -1)], axis=1), 3, axis=0)
    found = {name: (vectors, counts.tolist()) for name, vectors, counts in image_codes.code_uses(model, rows)}
    assert {name: counts for name, (_, counts) in found.items()} == {
        "codebook_top_1": [3, 0, 0, 0, 0, 0],
        "codebook_top_2": [0, 3, 0, 0, 0, 0],
        "codebook_bottom_1": [3, 0, 6, 0, 3, 0],
        "codebook_bottom_2": [0, 0, 0, 9, 0, 3],
    }
    np.testing.assert_array_equal(found["codebook_bottom_2"][0], np.asarray(codebooks[1].embeddings)[1])


def test_codes_by_batches(model):
    parts = list(image_codes.encoded(model, BATCHES))
    codes, labels, nats, errors = (np.concatenate(each) for each in zip(*parts, strict=True))
    np.testing.assert_array_equal(codes, models.vqvae.codes(model, IMAGES))
    np.testing.assert_array_equal(labels, [0, 1, 2, 3, 0, 1])
    np.testing.assert_allclose(nats, nats_of(np.asarray(model(IMAGES)), IMAGES).sum(axis=(1, 2, 3)), rtol=1e-4)
    assert errors.shape == (6,)


def test_a_training_makes_images_likelier():
    keras.utils.set_random_seed(0)
    model = models.vqvae.vqvae(8, 1, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4)
    image_codes.compiled(model, keras.optimizers.Adam(0.01))
    images = np.repeat(np.repeat(np.random.default_rng(0).integers(60, 190, (64, 2, 2, 1)) * 1.0, 4, 1), 4, 2)
    history = model.fit(*image_codes.pair(images), epochs=8, batch_size=16, verbose=0).history
    assert history["reconstruction_bits_per_dim"][-1] < history["reconstruction_bits_per_dim"][0] - 1
    assert history["codebook_usage"][-1] > 0
