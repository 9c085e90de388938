import numpy as np
import pytest

from toolkit.models.latent_discriminator import latent_discriminator


def test_is_the_papers():
    model = latent_discriminator(10)
    assert model.count_params() == 11 * 1000 + 5 * 1001 * 1000 + 1001
    assert [layer.negative_slope for layer in model.layers if hasattr(layer, "negative_slope")] == 6 * [
        pytest.approx(0.2)
    ]


@pytest.mark.parametrize("slope", [0.2, 0.0])
def test_by_hand(slope):
    model = latent_discriminator(2, units=3, num_layers=1, negative_slope=slope)
    codes = np.random.default_rng(0).normal(size=(5, 2)).astype("float32")
    kernel, bias, last, end = (np.asarray(each) for each in model.get_weights())
    hidden = codes @ kernel + bias
    expected = np.where(hidden > 0, hidden, slope * hidden) @ last + end
    np.testing.assert_allclose(model(codes), expected[:, 0], rtol=1e-5, atol=1e-6)


def test_sizes_are_checked():
    with pytest.raises(ValueError, match="num_layers must be at least 1; got 0"):
        latent_discriminator(3, num_layers=0)
