"""What Nøkland and Eidnes 2019 say of blocks that learn from errors of their own."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from toolkit.methods import local_errors
from toolkit.methods.training_memory import WAYS, peak_memory
from toolkit.models.local_blocks import local_blocks

pytestmark = pytest.mark.claims

SEEDS = (0, 1, 2)


def trained(loss, train, test, *, architecture, epochs, seed, batch_size=100, rate=5e-4, **sizes):
    """A network trained as published, and its error on test images, in per cent."""
    (images, labels), (tried, answers) = train, test
    keras.utils.set_random_seed(seed)
    network = local_blocks(architecture, images.shape[1:], 10, loss=loss, **sizes)
    network.get_layer("standardize").adapt(images.mean((0, 1, 2)), images.std((0, 1, 2)))
    num_steps = len(images) // batch_size
    edges = [int(share * epochs * num_steps) for share in (0.5, 0.75, 0.89, 0.94)]
    falling = keras.optimizers.schedules.PiecewiseConstantDecay(edges, [rate / 4**n for n in range(5)])
    model = local_errors.compiled(network, keras.optimizers.Adam(falling), loss, seed=seed)
    whole = num_steps * batch_size
    targets = dict.fromkeys(network.output, np.eye(10, dtype="float32")[labels[:whole]])
    model.fit(images[:whole], targets, batch_size=batch_size, epochs=epochs, verbose=0)
    batches = [(tried[i : i + 500], answers[i : i + 500]) for i in range(0, len(tried), 500)]
    return network, 100 * (1 - local_errors.block_accuracies(network, batches, loss, seed=seed)["network"])


def digits():
    """Scikit-learn's, 1,300 to train on and 497 to test on: (images, labels) each."""
    found = load_digits()
    images = np.rint(found.images * (255 / 16)).astype("float32")[..., None]
    order = np.random.default_rng(0).permutation(len(images))
    return [(images[rows], found.target[rows]) for rows in (order[:1300], order[1300:])]


def test_local_errors_are_as_good_as_back_propagation():
    """A perceptron of 3 x 256 on digits: the mean error of three seeds."""
    train, test = digits()
    how = {"architecture": "mlp", "units": 256, "dropout": 0.1, "epochs": 40}
    errors = {
        loss: [trained(loss, train, test, seed=seed, **how)[1] for seed in SEEDS]
        for loss in ("global", "pred", "sim", "predsim")
    }
    print(f"\nerrors, %: { {loss: np.round(each, 2).tolist() for loss, each in errors.items()} }")
    for loss in ("pred", "sim", "predsim"):
        assert np.mean(errors[loss]) < np.mean(errors["global"]) + 0.5, loss
        assert np.mean(errors[loss]) < 2.5, loss


def test_images_come_to_be_as_alike_as_their_classes():
    """What sim asks for: more so after training, and than by back-propagation."""
    train, test = digits()
    how = {"architecture": "mlp", "units": 256, "dropout": 0.1, "seed": 0}

    def distances(network):
        found = local_errors.block_similarities(network, test[0][:200], test[1][:200])
        asked = found.pop("labels")
        return np.array([np.mean((each - asked) ** 2) for each in found.values()])

    before = distances(trained("sim", train, test, epochs=0, **how)[0])
    by_sim = distances(trained("sim", train, test, epochs=20, **how)[0])
    by_global = distances(trained("global", train, test, epochs=20, **how)[0])
    print(f"\nmean squared distance of similarities by block: {before}, of sim {by_sim}, of global {by_global}")
    assert (by_sim < 0.5 * before).all() and (by_sim < by_global).all()


def test_a_step_block_by_block_takes_as_much_memory_however_deep():
    """Back-propagation keeps an activation and more of each block; block by block, how a step's operations fall in
    time moves the peak by one activation at most, however many blocks there are."""
    depths, sizes = (2, 8), {"filters": 32, "image_size": 32, "batch_size": 128}
    activation = sizes["batch_size"] * sizes["image_size"] ** 2 * sizes["filters"] * 4 / 2**20  # MB, float32
    peaks = {way: [peak_memory(way, depth, **sizes) for depth in depths] for way in (WAYS[0], WAYS[1], WAYS[3])}
    print(f"\nmegabytes at {depths} blocks: { {way: np.round(each).tolist() for way, each in peaks.items()} }")
    grown = {way: (each[-1] - each[0]) / (depths[-1] - depths[0]) for way, each in peaks.items()}
    assert grown[WAYS[3]] < activation / 4 < grown[WAYS[1]] < grown[WAYS[0]]
