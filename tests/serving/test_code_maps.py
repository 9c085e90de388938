"""A prior and its decoder in a file: what the models draw."""

import keras
import numpy as np
import pytest

from toolkit import export, models
from toolkit.export.interpreter import tflite_caller
from toolkit.generation.code_levels import CodeLevelsGenerator
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
    served = code_maps([prior], autoencoder, label_names=names, measured=[(codes, 1) for codes in CODES])
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


@pytest.mark.slow
def test_an_export_of_two_levels(tmp_path):
    """A PixelSNAIL for the top, and below it a network that is told its codes."""
    keras.utils.set_random_seed(0)
    autoencoder = models.vqvae2.vqvae2(16, 1, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4)
    attention = {"attention_every": 1, "num_heads": 2, "num_output_blocks": 1}
    sizes = {"filters": 8, "num_blocks": 2, "class_names": ("cat", "dog"), "num_context_blocks": 1}
    top = models.pixelsnail.pixelsnail(2, 2, 512, **attention, **sizes)
    bottom = models.pixelcnn.pixelcnn(4, 4, 512, head_filters=8, num_maps=1, context_size=(2, 2), **sizes)
    rows = RANDOM.integers(0, 512, (2, 20))
    served = code_maps([top, bottom], autoencoder, label_names=("cat", "dog"), measured=[(row, 1) for row in rows])
    card = export.write(tmp_path / "export", **served.arguments()).card
    assert (card["codes_top"], card["codes_bottom"]) == (
        {"shape": [2, 2], "number": 512},
        {"shape": [4, 4], "number": 512},
    )
    generator, label, one = CodeLevelsGenerator([top, bottom]), np.array([1], "int32"), np.ones(1, "float32")
    noise = RANDOM.uniform(size=(1, 20)).astype("float32")
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    noises = {"noise_top": noise[:, :4].reshape(1, 2, 2), "noise_bottom": noise[:, 4:].reshape(1, 4, 4)}
    found = call("sample_from_noise", temperature=one, label=label, **noises)
    levels = {name: found[name] for name in ("codes_top", "codes_bottom")}
    row = np.concatenate([each.reshape(1, -1) for each in levels.values()], axis=1)
    np.testing.assert_array_equal(row, generator.generate(label, noise=noise))
    drawn = np.asarray(models.vqvae2.decoded(autoencoder, list(levels.values())))
    assert np.abs(found["image"] - drawn).max() <= 0.51
    np.testing.assert_array_equal(call("decode", **levels)["image"], found["image"])
    fresh = [call("sample", temperature=one, label=label)["codes_bottom"] for _ in range(2)]
    assert (fresh[0] != fresh[1]).any()
    bits = np.asarray(generator.score(rows, np.array([1, 1]))["nats"]).mean() / np.log(2) / 20
    assert card["measured"]["model.tflite"] == {"bits_per_code": pytest.approx(bits, rel=1e-4), "images": 2}


def test_priors_of_other_levels_are_refused():
    autoencoder = models.vqvae.vqvae(8, 1, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4)
    prior = models.pixelcnn.pixelcnn(4, 4, 512, filters=8, num_blocks=1, head_filters=8)
    with pytest.raises(ValueError, match=r"expected them to write codes of \(\(2, 2\),\); they write \(\(4, 4\),\)"):
        code_maps([prior], autoencoder)
