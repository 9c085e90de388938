"""Images to codes and back in a file: what the model says."""

import json

import keras
import numpy as np
import pytest

from toolkit import export, layers, models
from toolkit.export.interpreter import tflite_caller
from toolkit.serving.image_codes import image_codes, picture

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype("uint8")


@pytest.mark.slow  # the recipe's test exports too
def test_an_export_is_what_the_model_is(tmp_path):
    keras.utils.set_random_seed(0)
    codebook = layers.VectorQuantizer(32, num_codebooks=2, name="codebook")
    model = models.vqvae.vqvae(
        8, 3, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4, codebook=codebook
    )
    served = image_codes(model, measured=list(IMAGES), typical=list(IMAGES[:2]))
    card = export.write(tmp_path / "export", **served.arguments(), quantize="int8").card
    assert card["codes"] == {"shape": [2, 2, 2], "number": 32}
    assert json.loads((tmp_path / "export" / "card.json").read_text())["codes"] == card["codes"]
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    codes = np.concatenate([call("encode", image=image[None])["codes"] for image in IMAGES])
    np.testing.assert_array_equal(codes, models.vqvae.codes(model, IMAGES.astype("float32")))
    again = np.concatenate([call("decode", codes=each[None])["image"] for each in codes])
    exact = np.asarray(models.vqvae.decoded(model, codes))
    assert np.abs(again - exact).max() <= 0.51
    measured = card["measured"]["model.tflite"]
    assert measured["squared_error"] == pytest.approx(np.mean((again.astype("float64") - IMAGES) ** 2))
    assert (measured["codes_as_keras_percent"], measured["images"]) == (100.0, 5)
    assert card["files"]["model_int8.tflite"]["calibrated_with"] == {"encode": 2, "decode": 2}


@pytest.mark.slow
def test_an_export_of_two_levels_is_what_the_model_is(tmp_path):
    keras.utils.set_random_seed(0)
    model = models.vqvae2.vqvae2(8, 3, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4)
    card = export.write(tmp_path / "export", **image_codes(model, measured=list(IMAGES)).arguments()).card
    assert card["codes_top"] == {"shape": [1, 1], "number": 512}
    assert card["codes_bottom"] == {"shape": [2, 2], "number": 512}
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    found = [call("encode", image=image[None]) for image in IMAGES]
    top, bottom = (np.concatenate([each[name] for each in found]) for name in ("codes_top", "codes_bottom"))
    for level, expected in zip((top, bottom), models.vqvae2.codes(model, IMAGES.astype("float32")), strict=True):
        np.testing.assert_array_equal(level, expected)
    again = np.concatenate([call("decode", **each)["image"] for each in found])
    assert np.abs(again - np.asarray(models.vqvae2.decoded(model, (top, bottom)))).max() <= 0.51
    assert card["measured"]["model.tflite"]["codes_as_keras_percent"] == 100.0


def test_whole_grey_levels():
    assert picture(np.array([-3.0, 0.4, 0.6, 254.6, 300.0])).numpy().tolist() == [0, 0, 1, 255, 255]
