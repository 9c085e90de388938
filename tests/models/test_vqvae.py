"""A VQ-VAE of images: its sizes are the paper's, its parts are those of the whole, only the codes go through."""

import keras
import numpy as np
import pytest

from toolkit import layers, models
from toolkit.models.vqvae import code_shape, codes, decoded, density, pixels, vqvae

SMALL = {"units": 8, "residual_units": 8, "num_residual_blocks": 1, "embedding_dim": 4}
IMAGES = np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 1)).astype("float32")


def network(**how):
    keras.utils.set_random_seed(0)
    return vqvae(8, 1, **(SMALL | how))


@pytest.mark.parametrize(
    ("side", "strides", "map_side"), [(32, 2, 8), (128, 2, 32), (32, 1, 16)], ids=["CIFAR-10", "ImageNet", "one stride"]
)
def test_published_sizes(side, strides, map_side):
    with keras.StatelessScope(initialize_variables=False):
        model = vqvae(side, 3, num_downsamplings=strides)
    assert model.output_shape == (None, side, side, 3, 3)
    assert code_shape(model) == (map_side, map_side)
    kernels = [layer.kernel_size for layer in model.get_layer("encoder").layers if hasattr(layer, "kernel_size")]
    # Strides of 4 x 4, one convolution, residual blocks of 3 x 3 and 1 x 1, and the vectors.
    assert kernels == [(4, 4)] * strides + [(3, 3)] + [(3, 3), (1, 1)] * 2 + [(1, 1)]


def test_the_parts_are_those_of_the_whole():
    model = network()
    found = codes(model, IMAGES)
    assert found.shape == (3, 2, 2)
    np.testing.assert_allclose(decoded(model, found), pixels(model(IMAGES)), atol=1e-3)
    several = network(codebook=layers.VectorQuantizer(16, num_codebooks=2, name="codebook"))
    assert code_shape(several) == (2, 2, 2)
    np.testing.assert_allclose(decoded(several, codes(several, IMAGES)), pixels(several(IMAGES)), atol=1e-3)


def test_nothing_but_the_codes_goes_through():
    """Images with the same codes are decoded alike, however unlike they are."""
    model = network(codebook=layers.VectorQuantizer(1, name="codebook"))
    again = np.asarray(model(IMAGES))
    np.testing.assert_array_equal(again[0], again[1])


def test_the_density_of_a_pixel():
    """The levels' probabilities sum to 1, and a mean of 0 is grey."""
    params = np.tile([0.0, 0.3, -2.0], (256, 1)).astype("float32")
    assert np.exp(density().log_prob(params, np.arange(256))).sum() == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(pixels(np.array([[0.0, 0.0, 1.0], [0.0, -3.0, 1.0], [9.0, 1.0, 0.0]])), [127.5, 0, 255])


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"image_size": 30}, "image_size=30 is no multiple of 4"),
        ({"image_size": 32, "units": 0}, "units must be at least 1; got 0"),
        ({"image_size": 32, "embedding_dim": 0}, "embedding_dim must be at least 1"),
    ],
)
def test_sizes_that_cannot_be(how, told):
    with pytest.raises(ValueError, match=told):
        models.vqvae.vqvae(**how)
