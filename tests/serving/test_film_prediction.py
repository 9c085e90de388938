"""Predicted frames in a file: what the models predict."""

import keras
import numpy as np
import pytest

from tests.generation.film_networks import networks
from toolkit import export
from toolkit.export.interpreter import tflite_caller
from toolkit.generation.film_prediction import FilmPredictor
from toolkit.serving.film_prediction import film_prediction

VIDEOS = np.random.default_rng(0).integers(0, 256, (3, 5, 8, 8, 1)).astype("uint8")


@pytest.mark.slow  # the recipe's test exports too
def test_an_export_is_what_the_models_are(tmp_path):
    keras.utils.set_random_seed(0)
    prior, autoencoder = networks()
    served = film_prediction(prior, autoencoder, num_frames=2, measured=list(VIDEOS))
    card = export.write(tmp_path / "export", **served.arguments()).card
    how = {"num_frames": 2, "noise": np.zeros((3, 2, 2, 2), "float32")}
    expected = FilmPredictor(prior, autoencoder).generate(VIDEOS[:, 1:3].astype("float32"), 0.0, **how)
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    how = {"temperature": np.zeros(1, "float32"), "noise": np.zeros((1, 2, 2, 2), "float32")}
    found = np.concatenate([call("predict_from_noise", frames=each[None, 1:3], **how)["frames"] for each in VIDEOS])
    assert np.abs(found - np.asarray(expected)).max() <= 0.51
    error = np.mean((found.astype("float64") - VIDEOS[:, 3:]) ** 2)
    assert card["measured"]["model.tflite"] == {"squared_error": pytest.approx(error, rel=1e-6), "videos": 3}
