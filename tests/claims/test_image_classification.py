"""What the papers of the image networks say, on scikit-learn's digits at small width."""

import functools
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from recipes import image_classification as recipe
from toolkit import data, training
from toolkit.models.googlenet import googlenet
from toolkit.models.image_blocks import Convolution
from toolkit.models.resnet import resnet

pytestmark = pytest.mark.claims


@functools.cache
def digits():
    """Training images (n, 8, 8, 3), 0 to 255, their labels, and the images' statistics."""
    images = data.images.load("embedded", image_size=8, batch_size=64)
    (shown, labels), *_ = [
        [np.concatenate(part) for part in zip(*images.blocks(split, 2000), strict=True)] for split in ("train",)
    ]
    return shown.astype("float32"), labels, images.statistics()


def test_a_default_run_gives_the_figure_that_is_printed(tmp_path):
    """Another processor rounds otherwise, which is another seed: it may be three images below the spread of six."""
    low = float(re.search(r"the digits, .*: ([\d.]+) to [\d.]+ % of 359 test images", recipe.__doc__)[1])
    run = training.Run(recipe.Settings(workdir=str(tmp_path)), "image_classification", load=recipe.load)
    recipe.train(run), recipe.evaluate(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["test_images"] == 359
    assert found["top_1_accuracy_percent"] > low - 1.0


def test_two_small_convolutions_see_what_a_large_one_sees_with_fewer_weights():
    """Simonyan and Zisserman 2015, section 2.3: 5 x 5 pixels, 18 C^2 instead of 25 C^2 weights."""
    channels = 7
    inputs = keras.Input((11, 11, channels))
    conv = Convolution(normalized=False)
    x = conv(inputs, channels, 3, "first", activation=None)
    small = keras.Model(inputs, conv(x, channels, 3, "second", activation=None))
    large = keras.Model(inputs, conv(inputs, channels, 5, "only", activation=None))
    seen = []
    for model in (small, large):
        x = tf.random.normal((1, 11, 11, channels))
        with tf.GradientTape() as tape:
            tape.watch(x)
            middle = tf.reduce_sum(model(x)[0, 5, 5])
        seen.append(np.abs(tape.gradient(middle, x)[0]).sum(-1) > 0)
    expected = np.zeros((11, 11), bool)
    expected[3:8, 3:8] = True
    np.testing.assert_array_equal(seen[0], expected)
    np.testing.assert_array_equal(seen[1], expected)
    kernels = [sum(v.shape.num_elements() for v in m.trainable_variables if v.name == "kernel") for m in (small, large)]
    assert kernels == [18 * channels**2, 25 * channels**2]


def training_loss(depth, shortcuts):
    """The loss over the training images after six epochs."""
    x, y, statistics = digits()
    keras.utils.set_random_seed(0)
    model = resnet(depth, (8, 8, 3), 10, width=8, stem="small", shortcuts=shortcuts)
    model.get_layer("standardize").adapt(*statistics)
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return model.fit(x, y, batch_size=64, epochs=6, verbose=0).history["loss"][-1]


@pytest.mark.slow
def test_more_layers_hurt_a_plain_network_and_not_a_residual_one():
    """He et al. 2016, figures 1 and 6: it is the training loss that gets worse, so it is not overfitting."""
    plain, residual = ([training_loss(depth, shortcuts) for depth in (20, 44)] for shortcuts in (False, True))
    assert plain[1] > plain[0] + 0.5
    assert residual[1] < residual[0] + 0.1
    assert max(residual) < plain[0]


def test_auxiliary_heads_raise_the_gradient_in_early_layers():
    """Szegedy et al. 2015, section 5: they are to "increase the gradient signal that gets propagated back"."""
    x, y, statistics = digits()
    model = googlenet((8, 8, 3), 10, width=8, stem="small", auxiliary=True)
    model.get_layer("standardize").adapt(*statistics)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    early = next(layer.kernel for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    norms = {0.0: [], 0.3: []}
    for first in range(0, 640, 64):
        with tf.GradientTape(persistent=True) as tape:
            outputs = model(x[first : first + 64], training=False)
            losses = {name: loss(y[first : first + 64], logits) for name, logits in outputs.items()}
            totals = {
                weight: losses["logits"] + weight * (losses["auxiliary_1"] + losses["auxiliary_2"]) for weight in norms
            }
        for weight, total in totals.items():
            norms[weight].append(float(tf.norm(tape.gradient(total, early.value))))
    assert np.mean(norms[0.3]) > 1.1 * np.mean(norms[0.0])
    assert np.all(np.array(norms[0.3]) > np.array(norms[0.0]))
