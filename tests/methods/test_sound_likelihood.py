import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.methods import sound_likelihood
from toolkit.models import wavenet

BATCH = {
    "audio": np.random.default_rng(0).uniform(-1, 1, (3, 50)).astype("float32"),
    "mask": np.arange(50)[None] < np.array([[50], [31], [12]]),
    "speaker": np.array([0, 1, 1], "int32"),
    "units": np.random.default_rng(1).integers(0, 5, (3, 50)).astype("int32"),
}


def test_inputs_lie_one_sample_before_their_targets():
    network = wavenet.wavenet([1, 2], 4, 4, num_speakers=2, num_units=5, hop=20)
    inputs, levels, weights = sound_likelihood.pairs(network)(BATCH)
    np.testing.assert_array_equal(inputs["audio"][:, 1:], BATCH["audio"][:, :-1])
    assert not np.asarray(inputs["audio"])[:, 0].any() and inputs["speaker"] is BATCH["speaker"]
    np.testing.assert_array_equal(inputs["units"], BATCH["units"][:, [10, 30, 49]])
    np.testing.assert_array_equal(levels, network.get_layer("levels")(BATCH["audio"]))
    np.testing.assert_array_equal(weights, BATCH["mask"])
    alone = wavenet.wavenet([1, 2], 4, 4)
    assert list(sound_likelihood.pairs(alone)(BATCH)[0]) == ["audio"]


def test_what_sound_takes_is_the_mean_over_all_that_counts():
    """Of batches that are not alike long."""
    network = wavenet.wavenet([1, 2], 4, 4, num_levels=16)
    signature = {name: tf.TensorSpec((None, *each.shape[1:]), each.dtype) for name, each in BATCH.items()}
    batches = Batches(
        lambda rows: {name: each[rows] for name, each in BATCH.items()},
        shuffled_plan(3, 2, seed=0, shuffle=False),
        signature,
        num_examples=3,
    )
    found = sound_likelihood.measured(network, batches)
    inputs, levels, _ = sound_likelihood.pairs(network)(BATCH)
    log_probs = special.log_softmax(np.asarray(network(inputs), "float64"), axis=-1)
    nats = -np.take_along_axis(log_probs, np.asarray(levels)[..., None], -1)[..., 0][BATCH["mask"]].mean()
    assert found == {"bits_per_sample": pytest.approx(nats / np.log(2), rel=1e-4)}


@pytest.mark.parametrize("output", ["categorical", "logistic_mixture"])
def test_loss_is_of_the_samples_that_count(output):
    keras.utils.set_random_seed(0)
    network = wavenet.wavenet([1, 2], 4, 4, num_levels=16, output=output, num_mixtures=2)
    inputs, levels, weights = sound_likelihood.pairs(network)(BATCH)
    how = {"sample_weight": weights, "verbose": 0, "return_dict": True}
    found = sound_likelihood.compiled(network).evaluate(inputs, levels, **how)
    params = np.asarray(network(inputs))
    if output == "categorical":
        log_probs = special.log_softmax(params.astype("float64"), axis=-1)
    else:
        family = sound_likelihood.density(network)
        log_probs = np.stack([np.asarray(family.log_prob(params, np.full((3, 50), n))) for n in range(16)], axis=-1)
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, atol=1e-4)
    nats = -np.take_along_axis(log_probs, np.asarray(levels)[..., None], -1)[..., 0][BATCH["mask"]].mean()
    np.testing.assert_allclose(found["loss"], nats, rtol=1e-4)
    np.testing.assert_allclose(found["bits_per_sample"], nats / np.log(2), rtol=1e-4)
