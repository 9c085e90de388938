"""A prior and its decoder in a file: what the models draw."""

import keras
import numpy as np
import pytest

from toolkit import export, models
from toolkit.export.interpreter import tflite_caller
from toolkit.generation.code_maps import CodeMapGenerator
from toolkit.serving.code_maps import code_maps

RANDOM = np.random.default_rng(0)
CODES = RANDOM.integers(0, 512, (3, 2, 2)).astype("int32")


@pytest.mark.slow  # the recipe's test exports too
@pytest.mark.parametrize("names", [("cat", "dog"), ()], ids=["of a class", "of none"])
def test_an_export_is_what_the_models_are(tmp_path, names):
    keras.utils.set_random_seed(0)
    autoencoder = models.vqvae.vqvae(8, 1, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4)
    prior = models.pixelcnn.pixelcnn(2, 2, 512, filters=8, num_blocks=2, head_filters=8, class_names=names)
    served = code_maps(prior, autoencoder, label_names=names, measured=[(codes, 1) for codes in CODES])
    card = export.write(tmp_path / "export", **served.arguments()).card
    assert card["labels"] == list(names)
    label = {"label": np.array([1], "int32")} if names else {}
    noise, one = RANDOM.uniform(size=(1, 2, 2)).astype("float32"), np.ones(1, "float32")
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    found = call("sample_from_noise", noise=noise, temperature=one, **label)
    np.testing.assert_array_equal(found["codes"], CodeMapGenerator(prior).generate(noise=noise, **label))
    drawn = np.asarray(models.vqvae.decoded(autoencoder, found["codes"]))
    assert np.abs(found["image"] - drawn).max() <= 0.51
    np.testing.assert_array_equal(call("decode", codes=found["codes"])["image"], found["image"])
    fresh = [call("sample", temperature=one, **label)["codes"] for _ in range(2)]
    assert (fresh[0] != fresh[1]).any()
    inputs = {"codes": CODES} | ({"label": np.ones(3, "int32")} if names else {})
    log_probs = np.asarray(keras.ops.log_softmax(prior(inputs)))
    expected = -np.take_along_axis(log_probs, CODES[..., None], axis=-1).mean() / np.log(2)
    assert card["measured"]["model.tflite"] == {"bits_per_code": pytest.approx(expected, rel=1e-4), "images": 3}
