import keras
import numpy as np
import pytest

from toolkit.distributions import LogisticMixture
from toolkit.models import wavenet


def test_published_size(unfilled):
    model = wavenet.wavenet()
    block = 2 * 32 * 64 + 64 + 32 * (32 + 512) + 32 + 512
    assert model.count_params() == 256 * 32 + 30 * block + 512 * 512 + 512 + 512 * 256 + 256
    assert [block.dilation_rate for block in wavenet.blocks(model)] == [2**n for n in range(10)] * 3
    assert wavenet.receptive_field(wavenet.DILATIONS) == 3070


def small(**how):
    return wavenet.wavenet([1, 2, 4], filters=6, skip_filters=8, **how)


@pytest.mark.parametrize("output", wavenet.OUTPUTS)
def test_shapes_conditions_and_files(output, tmp_path):
    model = small(output=output, num_mixtures=4, num_speakers=3, num_units=5, hop=20, num_context_layers=2)
    random = np.random.default_rng(0)
    inputs = {
        "audio": random.uniform(-1, 1, (2, 50)).astype("float32"),
        "speaker": np.array([0, 2]),
        "units": random.integers(0, 5, (2, 3)),
    }
    found = np.asarray(model(inputs))
    assert found.shape == (2, 50, 256 if output == "categorical" else 12)
    assert wavenet.distribution(model) == (None if output == "categorical" else LogisticMixture(4, 256))
    other = np.asarray(model({**inputs, "speaker": np.array([1, 2])}))
    assert (other[0] != found[0]).any() and (other[1] == found[1]).all()
    units = inputs["units"].copy()
    units[:, 2] = (units[:, 2] + 1) % 5
    other = np.asarray(model({**inputs, "units": units}))
    assert (other[:, 20:40] != found[:, 20:40]).any(), "a unit is heard before it begins: what follows is seen"
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(inputs), found)
    assert [block.name for block in wavenet.blocks(again)] == ["block_1", "block_2", "block_3"]


def test_a_networks_gradients_reach_every_weight():
    import tensorflow as tf

    model = small(num_speakers=3, num_units=5, hop=20)
    with tf.GradientTape() as tape:
        logits = model({"audio": np.ones((1, 40)), "speaker": np.array([1]), "units": np.array([[1, 2]])})
        loss = tf.reduce_sum(tf.square(logits))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.any(tf.convert_to_tensor(gradient)) for gradient in gradients)


def test_errors():
    with pytest.raises(ValueError, match="output must be one of categorical, logistic_mixture; got 'softmax'"):
        small(output="softmax")
    with pytest.raises(ValueError, match="dilations must name at least one"):
        wavenet.wavenet([])
    with pytest.raises(ValueError, match="hop must be at least 1"):
        small(hop=0)
    with pytest.raises(ValueError, match="kernel_size must be at least 2; got 1"):
        small(kernel_size=1)
    with pytest.raises(ValueError, match="codes have no order that output='logistic_mixture' could tell"):
        small(codes=True, output="logistic_mixture")


@pytest.mark.parametrize("how", [{}, {"codes": True, "num_levels": 9}, {"output": "logistic_mixture"}], ids=str)
def test_another_like_it(how):
    inventory = {"speakers": ["a", "b"], "units": ["_"], "unit_lengths": [9.0], "sample_rate": 1000}
    model = small(num_speakers=2, num_context_layers=2, num_units=5, hop=7, inventory=inventory, **how)
    arguments = wavenet.arguments(model)
    units = keras.Input((None,), dtype="int32", name="units")
    frames = keras.layers.Embedding(5, 16, name="unit_embedding")(units)
    other = wavenet.of_frames({"units": units}, frames, **arguments)
    assert [layer.get_config() for layer in model.layers] == [layer.get_config() for layer in other.layers]
