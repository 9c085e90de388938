import keras
import numpy as np
import pytest

from toolkit.layers import LocalResponseNormalization
from toolkit.models.alexnet import alexnet, zfnet


def shapes(model):
    return {name: tensor.shape for name, tensor in model.output.items()}


@pytest.mark.parametrize("size", [224, 227])
@pytest.mark.parametrize("network", [alexnet, zfnet])
def test_features_before_the_dense_layers(network, size):
    model = network((size, size, 3), width=12, include_top=False)
    assert model.output["level_5"].shape == (None, 6, 6, 32)


def test_levels():
    """The sizes of Krizhevsky et al., figure 2, and of Zeiler and Fergus, figure 3."""
    for network, sizes in (
        (alexnet, {"level_2": (55, 24), "level_3": (27, 64), "level_4": (13, 64), "level_5": (6, 64)}),
        (
            zfnet,
            {"level_1": (110, 24), "level_2": (55, 24), "level_3": (26, 64), "level_4": (13, 64), "level_5": (6, 64)},
        ),
    ):
        levels = shapes(network(width=24, include_top=False))
        assert levels == {name: (None, size, size, channels) for name, (size, channels) in sizes.items()}


@pytest.mark.parametrize("network", [alexnet, zfnet])
def test_output_stride(network):
    levels = shapes(network((64, 64, 3), width=8, include_top=False, output_stride=8))
    assert [shape[1] for shape in levels.values()][-3:] == [8, 8, 8]


def test_where_normalization_stands():
    """AlexNet: convolution, ReLU, normalization, pooling. ZFNet: convolution, ReLU, pooling, normalization."""
    for network, before in ((alexnet, "relu"), (zfnet, "pool")):
        model = network(width=8)
        layers = [layer for layer in model.layers if isinstance(layer, LocalResponseNormalization)]
        assert len(layers) == 2 and all(before in layer.input.name or before in _maker(layer) for layer in layers)
        assert (layers[0].size, layers[0].bias, layers[0].alpha, layers[0].beta) == (5, 2.0, 1e-4, 0.75)


def _maker(layer):
    return layer.input._keras_history.operation.name


def test_groups_see_half_of_the_channels():
    """The second half of the first convolution's filters reaches the second half of the next one's alone."""
    model = alexnet((64, 64, 3), width=8)
    for name in ("conv_2", "conv_4", "conv_5"):
        first, second = (model.get_layer(f"{name}_group_{number}") for number in (1, 2))
        inputs = model.get_layer("conv_3" if name == "conv_4" else "conv_1").filters if name != "conv_5" else 32
        assert first.kernel.shape[2] == second.kernel.shape[2] == inputs // 2
    assert not any("group" in layer.name for layer in alexnet((64, 64, 3), width=8, num_groups=1).layers)


def test_width_takes_all_along():
    model = alexnet(num_classes=10, width=24)
    filters = [model.get_layer(name).filters for name in ("conv_1", "conv_2_group_1", "conv_3", "conv_5_group_2")]
    assert filters == [24, 32, 96, 32] and model.get_layer("hidden").units == 1024
    assert alexnet((32, 32, 3), width=1, stem="small").get_layer("conv_1").filters == 2


def test_dropout_of_a_half_in_training_alone():
    model = alexnet((64, 64, 3), num_classes=10, width=8)
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    images = np.random.default_rng(0).uniform(0.0, 255.0, (1, 64, 64, 3))
    assert rates == [0.5, 0.5]
    assert np.abs(np.asarray(model(images, training=True)) - np.asarray(model(images))).max() > 0
    np.testing.assert_array_equal(model(images), model(images))


@pytest.mark.parametrize("network", [alexnet, zfnet])
def test_dense_layers_need_a_size(network):
    with pytest.raises(ValueError, match="height and width must be known"):
        network((None, None, 3), width=4)


def test_number_of_groups():
    with pytest.raises(ValueError, match="num_groups must be 1 or 2; got 3"):
        alexnet(num_groups=3)
