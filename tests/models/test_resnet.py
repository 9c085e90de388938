import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests import checks, jax_backend
from toolkit.models import image_blocks
from toolkit.models.resnet import block, preactivated_block, resnet

ROOT = pathlib.Path(__file__).parents[2]
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0.0, 255.0, (1, 97, 97, 3)).astype("float32")
CONV = image_blocks.Convolution()


def shapes(model):
    return {name: tensor.shape for name, tensor in model.output.items()}


def randomize(model):
    """Statistics and factors too, so that normalization does something."""
    for variable in model.weights:
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(RNG.uniform(0.5, 1.5, variable.shape))
        elif variable.name in ("beta", "moving_mean"):
            variable.assign(RNG.normal(0.0, 0.3, variable.shape))
    model.get_layer("standardize").adapt([127.5] * 3, [127.5] * 3)
    return model


@pytest.mark.parametrize(
    "depth, version",
    [(18, 1), (18, 2), pytest.param(50, 1, marks=pytest.mark.slow), pytest.param(50, 2, marks=pytest.mark.slow)],
)
def test_dilation_gives_the_strided_features_and_those_between(depth, version):
    how = {"input_shape": IMAGES.shape[1:], "width": 8, "include_top": False, "version": version}
    strided, dense = randomize(resnet(depth, **how)), resnet(depth, **how, output_stride=8)
    dense.set_weights(strided.get_weights())
    coarse, fine = strided(IMAGES), dense(IMAGES)
    assert coarse["level_5"].shape[1:3] == (4, 4) and fine["level_5"].shape[1:3] == (13, 13)
    for name, step in {"level_2": 1, "level_3": 1, "level_4": 2, "level_5": 4}.items():
        a, b = np.asarray(coarse[name]), np.asarray(fine[name])[:, ::step, ::step]
        np.testing.assert_allclose(b, a, atol=1e-5 * np.abs(a).max(), err_msg=name)


@pytest.mark.parametrize("version", [1, 2])
def test_levels(version):
    levels = shapes(resnet(50, width=4, include_top=False, version=version))
    sizes = {"level_1": (112, 4), "level_2": (56, 16), "level_3": (28, 32), "level_4": (14, 64), "level_5": (7, 128)}
    assert levels == {name: (None, size, size, channels) for name, (size, channels) in sizes.items()}


def test_narrow_networks_of_the_paper():
    """Section 4.2: 6n + 2 layers, 0.27 M weights for 20 layers, 0.85 M for 56."""
    counts = {depth: resnet(depth, (32, 32, 3), 10, width=16, stem="small").count_params() for depth in (20, 56)}
    assert [round(count / 1e6, 2) for count in counts.values()] == [0.27, 0.86]  # the shortcuts of 1 x 1 added
    model = resnet(20, (32, 32, 3), 10, width=16, stem="small", include_top=False)
    assert model.output["level_2"].shape == (None, 8, 8, 64)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len([layer for layer in convolutions if "shortcut" not in layer.name]) == 19


@pytest.mark.parametrize("bottleneck", [False, True])
def test_block_that_adds_nothing_is_the_identity(bottleneck):
    """The last normalization's factor is zero: y = ReLU(x)."""
    inputs = keras.Input((8, 8, 16))
    where = {"strides": 1, "dilation_rate": 1}
    model = keras.Model(inputs, block(inputs, 4 if bottleneck else 16, "b", CONV, where, bottleneck=bottleneck))
    model.get_layer("b_conv_3_bn" if bottleneck else "b_conv_2_bn").gamma.assign(np.zeros(16))
    x = RNG.normal(size=(2, 8, 8, 16)).astype("float32")
    np.testing.assert_allclose(model(x), np.maximum(x, 0.0), atol=1e-6)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_block_of_version_2_that_adds_nothing_is_the_identity(bottleneck):
    inputs = keras.Input((8, 8, 16))
    where = {"strides": 1, "dilation_rate": 1}
    model = keras.Model(
        inputs, preactivated_block(inputs, 4 if bottleneck else 16, "b", CONV, where, bottleneck=bottleneck)
    )
    last = model.get_layer("b_conv_3" if bottleneck else "b_conv_2")
    last.kernel.assign(np.zeros(last.kernel.shape))
    x = RNG.normal(size=(2, 8, 8, 16)).astype("float32")
    np.testing.assert_allclose(model(x), x, atol=1e-6)


@pytest.mark.parametrize("version", [1, 2])
def test_plain_network_has_no_additions(version):
    with_them = resnet(20, (32, 32, 3), 10, width=4, stem="small", version=version)
    plain = resnet(20, (32, 32, 3), 10, width=4, stem="small", version=version, shortcuts=False)
    assert plain.name == "plain20" + ("v2" if version == 2 else "")
    assert sum(isinstance(layer, keras.layers.Add) for layer in with_them.layers) == 9
    assert not any(isinstance(layer, keras.layers.Add) or "shortcut" in layer.name for layer in plain.layers)
    assert plain(np.ones((2, 32, 32, 3))).shape == (2, 10)


TRAINING = """
import sys
import keras, numpy as np
from toolkit.models.resnet import resnet
keras.utils.set_random_seed(0)
random = np.random.default_rng(0)
images, labels = random.uniform(0, 255, (70, 32, 32, 3)).astype("float32"), random.integers(0, 10, 70)
model = resnet(8, (32, 32, 3), 10, width=int(sys.argv[1]), stem="small")
model.get_layer("standardize").adapt([127.5] * 3, [64.0] * 3)
model.compile(keras.optimizers.SGD(0.001), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
for epochs in (1, 9):
    loss = model.fit(images, labels, batch_size=7, epochs=epochs, shuffle=False, verbose=0).history["loss"][0]
    kernels = [layer.kernel for layer in model.layers if layer.name.endswith("shortcut")]
    print(loss, *(float(np.abs(np.asarray(kernel)).sum()) for kernel in kernels))
"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [4, 8, 12])
def test_narrow_networks_train_with_onednn_as_without(width):
    """Each in a process of its own, which a write outside an array ends: see `layers.Subsampling2D`."""
    printed = {}
    for onednn in "01":
        environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": onednn, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", TRAINING, str(width)], env=environment, capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, done.stderr[-2000:]
        first, last = ([float(word) for word in line.split()] for line in done.stdout.splitlines()[-2:])
        assert np.isfinite(last).all() and last[0] < first[0]
        printed[onednn] = first
    np.testing.assert_allclose(printed["1"], printed["0"], rtol=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(not jax_backend.is_installed(), reason="JAX is not installed")
@pytest.mark.parametrize("version", [1, 2])
def test_on_jax(version):
    model = randomize(resnet(8, (9, 9, 3), 5, width=8, stem="small", version=version))
    model = keras.Model([model.input], model.output)  # the inputs come as a list
    images = IMAGES[:, :9, :9]
    checks.check_jax(model, (images,), [np.asarray(model([images]))])


@pytest.mark.parametrize(
    "how, match",
    [
        ({"depth": 51}, "depth must be one of 8, 14, 18, 20"),
        ({"version": 3}, "version must be 1 or 2"),
        ({"input_shape": (32, 32)}, "input_shape must be"),
    ],
)
def test_errors(how, match):
    with pytest.raises(ValueError, match=match):
        resnet(**{"depth": 8, "width": 4, **how})
