import pytest

from toolkit.settings import networks


def test_two_kinds_of_noise_exclude_each_other():
    with pytest.raises(ValueError, match="--weight_noise=0.1 and --adaptive_weight_noise exclude each other"):
        networks.WeightNoise(weight_noise=0.1, adaptive_weight_noise=True)
    assert networks.WeightNoise(weight_noise=0.1).weight_noise == 0.1


def test_layers_that_would_fill_any_memory():
    with pytest.raises(ValueError, match="--units=8192 in --num_layers=64 are 34 billion weights; at most 2"):
        networks.Recurrent(units=8192, num_layers=64)
    assert networks.Recurrent(units=8192, num_layers=3).units == 8192


def test_graves_networks_choose_among_his_optimizers():
    network = networks.StrokesNetwork()
    assert (network.units, network.num_layers, network.num_mixtures) == (160, 2, 10)
    with pytest.raises(ValueError, match="--optimizer must be one of adam, rmsprop; got 'sgd'"):
        networks.StrokesNetwork(optimizer="sgd")


def test_stacks_of_blocks():
    network = networks.CausalNetwork(num_layers=6, num_stacks=2)
    assert network.dilations == [1, 2, 4, 1, 2, 4] and network.context == 14
    assert networks.CausalNetwork(num_layers=2, kernel_size=3).context == 6
    for how in ({"num_layers": 5, "num_stacks": 2}, {"num_layers": 25, "num_stacks": 1}):
        with pytest.raises(ValueError, match="must be --num_stacks=. times 1 to 24 blocks"):
            networks.CausalNetwork(**how)


def test_frames_are_apart_from_the_blocks():
    assert "hop" not in networks.CausalNetwork().blocks() and networks.Frames().hop == 80


def test_a_variational_autoencoder_is_asked_for_by_its_arguments_names():
    found = networks.LatentNetwork(network="dense", latent_size=7).sizes()
    assert found == {"network": "dense", "units": 16, "latent_size": 7}
