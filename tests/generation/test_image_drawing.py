"""What is drawn is what the priors write, decoded; in blocks too."""

import keras
import numpy as np
import pytest

from toolkit.generation import image_drawing
from toolkit.generation.code_levels import CodeLevelsGenerator
from toolkit.generation.image_drawing import ImageDrawer
from toolkit.models import pixelcnn, vqvae, vqvae2

SIZES = {"units": 8, "residual_units": 8, "num_residual_blocks": 1, "embedding_dim": 4}
OF_PRIOR = {"filters": 4, "num_blocks": 1, "head_filters": 4, "class_names": ("cat", "dog")}


@pytest.fixture(scope="module", name="networks")
def of_two_levels():
    keras.utils.set_random_seed(0)
    top = pixelcnn.pixelcnn(2, 2, 512, **OF_PRIOR)
    bottom = pixelcnn.pixelcnn(4, 4, 512, num_maps=1, context_size=(2, 2), **OF_PRIOR)
    return [top, bottom], vqvae2.vqvae2(16, 1, **SIZES)


def test_images_of_two_levels(networks, monkeypatch):
    priors, autoencoder = networks
    monkeypatch.setattr(image_drawing, "_TOGETHER", 2)
    drawer, labels = ImageDrawer(priors, autoencoder), np.array([0, 1, 1])
    assert drawer.class_names == ["cat", "dog"]
    rows = CodeLevelsGenerator(priors).write(3, label=labels, temperature=0.8, seed=4)
    levels = rows[:, :4].reshape(3, 2, 2), rows[:, 4:].reshape(3, 4, 4)
    found = drawer.draw(labels, temperature=0.8, seed=4)
    np.testing.assert_allclose(found, vqvae2.decoded(autoencoder, levels), atol=1e-3)
    assert np.abs(found - drawer.draw(labels, temperature=0.8, seed=5)).max() > 1e-3


def test_the_top_alone(networks):
    (top, _), autoencoder = networks
    codes = CodeLevelsGenerator([top]).write(2, label=1, seed=0).reshape(2, 2, 2)
    found = ImageDrawer([top], autoencoder).draw([1, 1])
    np.testing.assert_allclose(found, vqvae2.decoded(autoencoder, [codes, None]), atol=1e-3)


def test_one_level(networks):
    autoencoder = vqvae.vqvae(8, 1, **SIZES)
    drawer = ImageDrawer(networks[0][:1], autoencoder)
    codes = np.random.default_rng(3).integers(0, 512, (5, 2, 2))
    np.testing.assert_allclose(drawer.decode(codes), vqvae.decoded(autoencoder, codes), atol=1e-3)
    np.testing.assert_array_equal(drawer.draw_uniform(5, seed=3), drawer.decode(codes))
