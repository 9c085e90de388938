"""Networks kept with their architecture: the package's layers are found, precision is let go, damage is named."""

import json

import keras
import numpy as np
import pytest

from toolkit import models
from toolkit.training import checkpoints, networks


def kept(folder, model, holders):
    found = {**holders, **networks.beside(networks.named(model), holders)}
    networks.keep(folder, networks.described(networks.named(model), found))
    checkpoints.save(folder / "best.npz", found, {"step": 7})


def test_a_network_of_this_packages_layers_comes_back_in_float32(tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = models.handwriting.synthesis(" abc", units=6, num_layers=2, num_mixtures=2, num_gaussians=2)
    keras.config.set_dtype_policy(before)
    model.compile("adam", "mse")
    kept(tmp_path, model, {"model": model})
    loaded = networks.load(tmp_path, tmp_path / "best.npz")["network"]
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    for left, right in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(left, right)
    assert checkpoints.progress_of(tmp_path / "best.npz") == {"step": 7}
    with np.load(tmp_path / "best.npz") as file:
        assert len(file.files) == len(model.variables) + 1, "no weight is kept twice"


def test_weights_that_no_checkpoint_would_hold_are_kept_beside(tmp_path):
    trained, fixed = (keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]) for _ in range(2))
    kept(tmp_path, {"trained": trained, "fixed": fixed}, {"model": trained})
    loaded = networks.load(tmp_path, tmp_path / "best.npz", "fixed")
    assert list(loaded) == ["fixed"]
    np.testing.assert_array_equal(loaded["fixed"].get_weights()[0], fixed.get_weights()[0])


def test_what_cannot_be_kept_or_read(tmp_path):
    class Own(keras.Model):
        def get_config(self):
            raise NotImplementedError

    with pytest.raises(ValueError, match="network 'network' cannot be kept, for Own does not say"):
        networks.described({"network": Own()}, {})
    with pytest.raises(FileNotFoundError, match=r"networks.json: no such file"):
        networks.load(tmp_path, tmp_path / "best.npz")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    kept(tmp_path, model, {"model": model})
    described = json.loads((tmp_path / networks.FILE).read_text())
    described["network"]["config"]["config"]["layers"][1]["config"]["units"] = 3
    (tmp_path / networks.FILE).write_text(json.dumps(described))
    with pytest.raises(ValueError, match="does not hold the weights of the 'network'"):
        networks.load(tmp_path, tmp_path / "best.npz")
    unknown = keras.Sequential([keras.Input((2,)), type("Mine", (keras.layers.Layer,), {})(), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="Mine is not registered"):
        networks.described({"network": unknown}, {"model": unknown})
    hidden = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="a lambda in it could not be read again"):
        networks.described({"network": hidden}, {"model": hidden})


def test_a_shipped_folder_is_no_workdir(tmp_path):
    assert not networks.is_shipped(tmp_path, "model")
    (tmp_path / "card.json").write_text("{}")
    assert not networks.is_shipped(tmp_path, "model")
    (tmp_path / "gan__judge.keras").touch()
    assert networks.is_shipped(tmp_path, "gan") and not networks.is_shipped(tmp_path, "model")


def test_shipped_networks_have_a_file_each(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    for stage, name in (("model", "network"), ("gan", "generator"), ("gan", "judge")):
        model.save(tmp_path / f"{networks.shipped_name(stage, name)}.keras")
    assert list(networks.shipped(tmp_path, "model")) == ["network"]
    assert set(networks.shipped(tmp_path, "gan")) == {"generator", "judge"}
    assert set(networks.shipped(tmp_path, "gan", "judge")) == {"judge"}
    for stage, name in (("prior", None), ("gan", "prior"), ("model", "prior")):
        with pytest.raises(ValueError, match=f"has no network .* of the stage '{stage}'"):
            networks.shipped(tmp_path, stage, name)


def test_a_network_begins_with_anothers_weights():
    one, same, other = (keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)]) for units in (1, 1, 2))
    networks.copy_weights(one, same, "--start_from=x")
    np.testing.assert_array_equal(one.get_weights()[0], same.get_weights()[0])
    with pytest.raises(ValueError, match="--start_from=x holds a network of other sizes"):
        networks.copy_weights(one, other, "--start_from=x")


def test_arrays_by_name_and_weights_that_are_of_nothing_known(tmp_path):
    holders = {"mean": [np.ones(2)], "pair": [np.zeros(1), np.ones(3)]}
    checkpoints.save(tmp_path / "kept.npz", holders, {})
    found = networks.arrays(tmp_path / "kept.npz")
    np.testing.assert_array_equal(found["mean"], np.ones(2))
    assert [array.shape for array in found["pair"]] == [(1,), (3,)]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    checkpoints.save(tmp_path / "model.npz", {"model": model}, {"step": 1, "sums": None})
    with pytest.raises(ValueError, match="give run.fit its `network`"):
        networks.arrays(tmp_path / "model.npz")
