"""VQ-VAE-2: its sizes are the paper's, its parts are those of the whole, only the codes go through, from above down."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit import layers
from toolkit.models.vqvae import pixels, vqvae
from toolkit.models.vqvae2 import code_shapes, codebook_names, codebooks, codes, decoded, level_names, params, vqvae2

SMALL = {"units": 8, "residual_units": 8, "num_residual_blocks": 1, "embedding_dim": 4}
IMAGES = np.random.default_rng(0).uniform(0, 255, (3, 16, 16, 1)).astype("float32")


def network(num_levels=2, **how):
    keras.utils.set_random_seed(0)
    return vqvae2(16, 1, num_levels=num_levels, **(SMALL | how))


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.slow)])
def model(request):
    return network(request.param)


@pytest.mark.parametrize(
    ("side", "num_levels", "sides"),
    [(256, 2, (32, 64)), (1024, 3, (64, 128, 256))],
    ids=["ImageNet", "three levels"],
)
def test_published_sizes(side, num_levels, sides, unfilled):
    model = vqvae2(side, num_levels=num_levels)
    assert model.output_shape == (None, side, side, 3, 3)
    assert code_shapes(model) == tuple((each, each) for each in sides)
    assert [layer.embeddings.shape for layer in codebooks(model)] == [(1, 512, 64)] * num_levels
    kernels = [layer.kernel_size[0] for layer in model.get_layer("encoder").layers if hasattr(layer, "kernel_size")]
    assert kernels == [4, 4, 3, 3, 1, 3, 1] + [4, 3, 3, 1, 3, 1] * (num_levels - 1)


def test_weights_of_two_levels(unfilled):
    """Counted from the paper's figure: encoder, both levels' vectors, the upsampling, decoder."""

    def convolution(size, channels, filters):
        return size**2 * channels * filters + filters

    residual = 2 * (convolution(3, 128, 64) + convolution(1, 64, 128))
    encoder = convolution(4, 3, 64) + convolution(4, 64, 128) + convolution(4, 128, 128)
    encoder += 2 * (convolution(3, 128, 128) + residual)
    top = convolution(1, 128, 64)
    bottom = convolution(3, 64, 128) + residual + convolution(4, 128, 64) + convolution(1, 128 + 64, 64)
    decoder = convolution(3, 128, 128) + residual + convolution(4, 128, 64) + convolution(4, 64, 9)
    trained = sum(np.prod(w.shape) for w in vqvae2(256).trainable_weights)
    assert trained == encoder + top + bottom + convolution(4, 64, 64) + decoder


def test_the_parts_are_those_of_the_whole(model, tmp_path):
    found = codes(model, IMAGES)
    assert [each.shape[1:] for each in found] == list(code_shapes(model))
    np.testing.assert_allclose(decoded(model, found), pixels(model(IMAGES)), atol=1e-3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(IMAGES), model(IMAGES))
    for left, right in zip(found, codes(again, IMAGES), strict=True):
        np.testing.assert_array_equal(left, right)


def test_levels_have_names():
    assert level_names(network(2)) == ["top", "bottom"]
    assert level_names(network(3)) == ["top", "middle", "bottom"]
    assert level_names(vqvae(8, 1, units=8, residual_units=8, embedding_dim=4)) == [""]


def test_several_codebooks():
    each = [
        layers.VectorQuantizer(16, num_codebooks=number, name=name) for number, name in zip((2, 1), NAMES, strict=True)
    ]
    several = network(codebooks=each)
    assert code_shapes(several) == ((2, 2, 2), (4, 4))
    found = codes(several, IMAGES)
    np.testing.assert_allclose(decoded(several, found), pixels(several(IMAGES)), atol=1e-3)


NAMES = codebook_names(2)


def test_nothing_but_the_codes_goes_through():
    """Images with the same codes are decoded alike, however unlike they are."""
    again = np.asarray(network(codebooks=[layers.VectorQuantizer(1, name=name) for name in NAMES])(IMAGES))
    np.testing.assert_array_equal(again[0], again[1])


def test_each_level_is_told_those_above(model):
    """Another codebook of the top changes what the levels below choose; that of the bottom only its own codes."""
    before, weights = codes(model, IMAGES), model.get_weights()
    top, *_, bottom = codebooks(model)
    bottom.codebook.assign(-bottom.codebook)
    after = codes(model, IMAGES)
    assert [np.array_equal(*each) for each in zip(before, after, strict=True)] == [True] * (len(before) - 1) + [False]
    model.set_weights(weights)
    top.codebook.assign(30 * top.codebook[:, ::-1])
    assert not any(np.array_equal(*each) for each in zip(before, codes(model, IMAGES), strict=True))
    model.set_weights(weights)


def test_all_levels_are_decoded_and_any_can_be_left_out(model):
    found = codes(model, IMAGES)
    whole = np.asarray(params(model, found))
    for number in range(len(found)):
        without = [None if each == number else level for each, level in enumerate(found)]
        layer = codebooks(model)[number]
        kept = np.array(layer.embeddings)  # a copy: assigning writes in place
        assert np.abs(np.asarray(params(model, without)) - whole).max() > 0
        layer.codebook.assign(np.zeros_like(kept))
        np.testing.assert_allclose(params(model, without), params(model, found), atol=1e-6)
        layer.codebook.assign(kept)


def test_trains(model):
    """Every weight has a gradient, and a step of `fit` moves each level's codebook and counts its codes."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(IMAGES))) + sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.any(gradient) for gradient in gradients)
    again = keras.models.clone_model(model)
    again.compile("sgd", lambda _, params: tf.reduce_mean(tf.square(params)), jit_compile=False)
    before = [np.array(layer.embeddings) for layer in codebooks(again)]
    names = [layer.name for layer in codebooks(again)]
    history = again.fit(IMAGES, IMAGES, verbose=0).history
    assert all(np.any(np.asarray(layer.embeddings) != old) for layer, old in zip(codebooks(again), before, strict=True))
    assert {f"{name}_perplexity" for name in names} <= set(history)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"image_size": 20}, "image_size=20 is no multiple of 8, which 2 levels ask for"),
        ({"image_size": 24, "num_levels": 3}, "image_size=24 is no multiple of 16, which 3 levels"),
        ({"image_size": 32, "num_levels": 1}, "num_levels must be 2 or 3; got 1"),
        ({"image_size": 32, "units": 0}, "units must be at least 1; got 0"),
        (
            {"image_size": 32, "codebooks": [layers.VectorQuantizer(4, name="a")]},
            "expected layers named codebook_top, ",
        ),
    ],
)
def test_sizes_that_cannot_be(how, told):
    with pytest.raises(ValueError, match=told):
        vqvae2(**how)


def test_levels_that_do_not_fit(model):
    found = codes(model, IMAGES)
    number = len(found)
    with pytest.raises(ValueError, match=f"expected codes of {number} levels, of one at least; got 0 of {number}"):
        params(model, number * [None])
    with pytest.raises(ValueError, match=f"expected codes of {number} levels, of one at least; got 1 of 1"):
        decoded(model, found[:1])
