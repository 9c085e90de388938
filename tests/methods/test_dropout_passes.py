import keras
import numpy as np
import pytest

from toolkit.methods import dropout_passes as module
from toolkit.methods.dropout_passes import dropout_passes, with_dropout

IMAGES = np.random.default_rng(0).normal(size=(6, 4, 4, 2)).astype("float32")


def classifier(dropout=0.5, skip=False):
    """Batch normalization whose averages are not those of any batch, and dropout inside a model inside."""
    keras.utils.set_random_seed(0)
    block = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Conv2D(3, 3), keras.layers.BatchNormalization()])
    inputs = keras.Input((4, 4, 2))
    y = block(inputs)
    x = keras.layers.Dropout(dropout, name="dropout")(keras.layers.Flatten()(y))
    if skip:
        x = keras.layers.Add()([x, keras.layers.Reshape((12,))(y)])
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))
    block.layers[1].set_weights([each + 0.5 for each in block.layers[1].get_weights()])
    return model


@pytest.mark.parametrize("skip", [False, True])
def test_a_pass_is_inference_with_some_features_left_out(skip):
    """What is left of a feature is twice itself or nothing; batch normalization is as in inference and stays so."""
    model = classifier(skip=skip)
    head = model.get_layer("logits")
    before = [each.copy() for each in model.get_weights()]
    found = dropout_passes(model, 200, seed=1)(IMAGES)
    assert found.shape == (200, 6, 3)
    for one, two in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    flat = keras.Model(model.input, model.get_layer("dropout").input).predict(IMAGES, verbose=0)
    # All 4096 masks of the 12 features: each pass is one of them.
    masks = np.stack(np.meshgrid(*[[0.0, 2.0]] * 12), axis=-1).reshape(-1, 12) + skip
    kernel, bias = (np.asarray(each) for each in head.weights)
    possible = (masks[:, None] * flat[None, :1]) @ kernel + bias
    apart = np.abs(found[:, None, 0] - possible[None, :, 0]).max(axis=-1).min(axis=1)
    assert apart.max() < 1e-4
    # Each feature is in as often as not: the mean over passes nears the output without dropout.
    off = model.predict(IMAGES, verbose=0)
    spread = found.std(axis=0) / np.sqrt(200)
    assert (np.abs(found.mean(axis=0) - off) < 5 * spread).all()
    assert spread.min() > 0


def test_a_seed_draws_the_same_masks_and_another_others():
    first, again, other = (dropout_passes(classifier(), 3, seed=seed)(IMAGES) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0 and np.abs(first[0] - first[1]).max() > 0


def test_what_lies_before_the_first_dropout_is_computed_once():
    trunk, head = module._split(with_dropout(classifier()))
    assert trunk.output_shape == head.input_shape == (None, 12)
    whole, all_of_it = module._split(with_dropout(classifier(skip=True)))
    assert whole is None and all_of_it.input_shape == (None, 4, 4, 2)


def test_dropout_of_whole_channels_in_a_model_inside():
    inner = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.SpatialDropout2D(0.5)])
    inputs = keras.Input((4, 4, 2))
    model = with_dropout(keras.Model(inputs, inner(inputs)))
    found = model.predict(IMAGES, verbose=0)
    left = (found / IMAGES).reshape(6, 16, 2)
    assert set(np.unique(left.round(4))) == {0.0, 2.0} and np.ptp(left, axis=1).max() < 1e-4


def test_without_dropout_is_refused():
    with pytest.raises(ValueError, match="has no dropout, so that all passes"):
        with_dropout(classifier(dropout=0.0))
    with pytest.raises(ValueError, match="num_passes must be at least 1; got 0"):
        dropout_passes(classifier(), 0)
