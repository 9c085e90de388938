import numpy as np

from toolkit.generation import latent_traversals
from toolkit.models import vae


def made():
    return vae.vae(8, 3, network="dense", units=1, latent_size=4, decoder="optimal")


def test_one_number_moves_and_the_others_stay():
    model, code = made(), np.array([0.3, -1.0, 0.5, 2.0], "float32")
    found = latent_traversals.traversals(model, code, [3, 1], num_values=5, most=1.5)
    assert found.shape == (2, 5, 8, 8, 3)
    for row, number in enumerate((3, 1)):
        for step, value in enumerate((-1.5, -0.75, 0.0, 0.75, 1.5)):
            moved = code.copy()
            moved[number] = value
            np.testing.assert_allclose(found[row, step], vae.decoded(model, moved[None])[0], atol=1e-3)


def test_blocks_are_the_whole():
    model = made()
    images = np.random.default_rng(0).integers(0, 256, (205, 8, 8, 3))
    codes = latent_traversals.means(model, images)
    np.testing.assert_allclose(codes, vae.posterior(model, images.astype("float32"))[0], atol=1e-4)
    np.testing.assert_allclose(latent_traversals.decoded(model, codes), vae.decoded(model, codes), atol=1e-2)
