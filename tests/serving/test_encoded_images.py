"""What lies on disk, against the codes and the likelihood of each image by the network itself."""

import numpy as np
import pytest

from toolkit import data, layers, methods, models
from toolkit.serving import encoded_images

SIZES = {"units": 8, "residual_units": 8, "num_residual_blocks": 1, "embedding_dim": 4}


@pytest.fixture(scope="module", name="images")
def digits():
    return data.images.load("embedded:120", image_size=8, channels=1, batch_size=32)


def nats(model, pixels):
    """-log p of each image given its codes, the mean."""
    levels = np.rint(pixels).astype("int32")
    log_probs = models.vqvae.density().log_prob(np.asarray(model(pixels)), levels)
    return -np.asarray(log_probs).sum(axis=(1, 2, 3)).mean()


def test_codes_of_one_level_keep_their_shape(tmp_path, images):
    codebook = layers.VectorQuantizer(16, num_codebooks=2, name="codebook")
    model = models.vqvae.vqvae(8, 1, codebook=codebook, **SIZES)
    train = encoded_images.write(tmp_path / "codes", model, images, source="embedded:120")
    found = data.codes.load(tmp_path / "codes", batch_size=32)
    assert train.shape == (images.splits.train.num_examples, 2, 2, 2)
    assert (found.shape, found.levels, found.num_codes) == ((2, 2, 2), ((2, 2, 2),), 16)
    data.codes.check_codebook(found, np.asarray(codebook.embeddings), "here")
    for split in data.codes.SPLITS[1:]:
        pixels, labels = getattr(images.splits, split).arrays()
        kept = getattr(found.splits, split).arrays()
        np.testing.assert_array_equal(kept["codes"], models.vqvae.codes(model, pixels))
        np.testing.assert_array_equal(kept["label"], labels)
        assert found.facts[f"{split}_reconstruction_nats"] == pytest.approx(nats(model, pixels), rel=1e-4)
    assert found.label_names == images.class_names and found.facts["data"] == "embedded:120"
    # Those that a prior would learn from are those that are counted.
    counts = sum(counts.sum() for _, _, counts in methods.image_codes.code_uses(model, train))
    assert counts == train.size


def test_codes_of_two_levels_are_one_row(tmp_path, images):
    model = models.vqvae2.vqvae2(8, 1, **SIZES)
    encoded_images.write(tmp_path / "codes", model, images, source="embedded:120")
    found = data.codes.load(tmp_path / "codes", batch_size=32)
    assert (found.shape, found.levels, found.num_codes) == ((5,), ((1, 1), (2, 2)), 512)
    pixels, _ = images.splits.test.arrays()
    top, bottom = (np.reshape(each, (len(pixels), -1)) for each in models.vqvae2.codes(model, pixels))
    np.testing.assert_array_equal(found.splits.test.arrays()["codes"], np.concatenate([top, bottom], axis=1))
    data.codes.check_codebook(found, np.asarray(models.vqvae2.embeddings(model)), "here")
