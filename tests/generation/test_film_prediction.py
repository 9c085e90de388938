"""Frames that are predicted are the decoded codes that the prior draws after the given ones'."""

import numpy as np
import pytest

from tests.generation.film_networks import networks
from toolkit import models
from toolkit.generation.code_films import CodeFilmGenerator
from toolkit.generation.code_maps import CodeMapGenerator
from toolkit.generation.film_prediction import FilmPredictor

FRAMES = np.random.default_rng(0).uniform(0, 255, (2, 4, 8, 8, 1)).astype("float32")


def test_frames_are_decoded_codes():
    prior, autoencoder = networks()
    predictor = FilmPredictor(prior, autoencoder)
    found = predictor.predict(FRAMES, 3, seed=5)
    assert (found.shape, found.dtype) == ((2, 3, 8, 8, 1), np.uint8)
    np.testing.assert_array_equal(found, predictor.predict(FRAMES, 3, seed=5))
    codes = np.stack([models.vqvae.codes(autoencoder, FRAMES[:, place]) for place in range(4)], axis=1)
    noise = np.random.default_rng(5).uniform(size=(2, 3, 2, 2))
    drawn = CodeFilmGenerator(CodeMapGenerator(prior)).generate(codes, num_frames=3, noise=noise.astype("float32"))
    for place in range(3):
        expected = np.rint(models.vqvae.decoded(autoencoder, drawn[:, place]))
        assert np.abs(found[:, place].astype(float) - expected).max() <= 1  # a pixel between two levels


def test_a_temperature_of_0_predicts_the_same_whatever_the_seed():
    prior, autoencoder = networks()
    random = np.random.default_rng(1)
    prior.set_weights([random.normal(size=weight.shape) for weight in prior.get_weights()])  # that no two are alike
    predictor = FilmPredictor(prior, autoencoder)
    still = predictor.predict(FRAMES, 2, temperature=0.0, seed=1)
    np.testing.assert_array_equal(still, predictor.predict(FRAMES[:, -2:], 2, temperature=0.0, seed=2))
    assert (predictor.predict(FRAMES, 2, seed=1) != predictor.predict(FRAMES, 2, seed=2)).any()
    graph = predictor.generate(FRAMES, 0.0, num_frames=2)
    assert np.abs(np.asarray(graph) - still).max() <= 1


def test_too_few_frames():
    with pytest.raises(ValueError, match="expected 2 frames before or more; got 1"):
        FilmPredictor(*networks()).predict(FRAMES[:, :1], 2)
