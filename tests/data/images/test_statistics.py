import numpy as np

from toolkit.data.images.statistics import mean_and_scale


def test_of_images_of_unlike_sizes_are_numpys_over_all_pixels():
    random = np.random.default_rng(0)
    images = [random.integers(0, 200 + 20 * number, (5 + number, 7, 3)).astype("uint8") for number in range(3)]
    pixels = np.concatenate([image.reshape(-1, 3) for image in images]).astype("float64")
    mean, scale = mean_and_scale(images)
    np.testing.assert_allclose(mean, pixels.mean(0), rtol=1e-6)
    np.testing.assert_allclose(scale, pixels.std(0), rtol=1e-6)


def test_one_colour_has_a_scale_of_one():
    assert [each.tolist() for each in mean_and_scale([np.full((2, 2, 1), 9, "uint8")])] == [[9.0], [1.0]]
