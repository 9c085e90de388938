"""A variational autoencoder in a file: what the model says."""

import keras
import numpy as np
import pytest

from toolkit import export, models
from toolkit.export.interpreter import tflite_caller
from toolkit.serving.image_latents import image_latents

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype("uint8")


@pytest.mark.slow  # the recipe's test exports too
@pytest.mark.parametrize("decoder", ["optimal", "per_pixel", "bernoulli"])
def test_an_export_is_what_the_model_is(decoder, tmp_path):
    keras.utils.set_random_seed(0)
    model = models.vae.vae(8, 3, units=4, latent_size=3, decoder=decoder)
    served = image_latents(model, measured=list(IMAGES), typical=list(IMAGES[:2]))
    card = export.write(tmp_path / "export", **served.arguments(), quantize="int8").card
    assert card["code"] == 3 and (card.get("scale_of_the_decoder", 0) > 0) == (decoder != "bernoulli")
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    mean, log_variance = map(np.asarray, models.vae.posterior(model, IMAGES.astype("float32")))
    found = [call("encode", image=image[None]) for image in IMAGES]
    np.testing.assert_allclose(np.concatenate([each["mean"] for each in found]), mean, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([each["scale"] for each in found]), np.exp(log_variance / 2), rtol=1e-4)
    again = np.concatenate([call("decode", code=each[None])["image"] for each in mean])
    assert np.abs(again - np.asarray(models.vae.decoded(model, mean))).max() <= 0.51
    moved = np.repeat(mean[:1], 9, axis=0)
    moved[:, 2] = np.linspace(-2, 2, 9)
    images = call("traverse", image=IMAGES[:1], dimension=np.array([2], "int32"))["images"]
    assert np.abs(images - np.asarray(models.vae.decoded(model, moved))).max() <= 0.51
    drawn = [call("sample", temperature=np.ones(1, "float32"))["image"] for _ in range(2)]
    assert drawn[0].shape == (1, 8, 8, 3) and (drawn[0] != drawn[1]).any()
    prior = np.asarray(models.vae.decoded(model, np.zeros((1, 3))))
    assert np.abs(call("sample", temperature=np.zeros(1, "float32"))["image"] - prior).max() <= 0.51
    measured = card["measured"]["model.tflite"]
    assert measured["squared_error"] == pytest.approx(np.mean((again.astype("float64") - IMAGES) ** 2))
