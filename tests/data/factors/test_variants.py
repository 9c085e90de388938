import numpy as np
import pytest
from PIL import Image

from toolkit.data.factors.variants import KINDS, Variant, background

SPRITES = np.where(np.random.default_rng(0).random((40, 12, 16, 1)) < 0.3, 255, 0).astype("uint8")
WHITE = SPRITES[..., 0] == 255
SEEDS = np.arange(100, 140)
PICTURE = np.random.default_rng(1).integers(0, 256, (20, 30, 3)).astype("uint8")


def made(kind, images=SPRITES, seeds=SEEDS, seed=0):
    found = Variant(kind, PICTURE if kind == "scream" else None, seed)(images, seeds).numpy()
    assert found.dtype == np.float32 and found.shape == (*images.shape[:3], 3) and 0 <= found.min() <= found.max() <= 1
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_depends_on_its_own_seed_alone(kind):
    found = made(kind)
    np.testing.assert_array_equal(found[7:9], made(kind, SPRITES[7:9], SEEDS[7:9]))
    assert (found != made(kind, seed=1)).any(axis=(1, 2, 3)).all()
    again = made(kind, np.repeat(SPRITES[:1], 2, axis=0), SEEDS[:2])
    assert (again[0] != again[1]).any()


def test_color_scales_each_channel_of_the_sprite():
    found, scales = made("color"), []
    assert not found[~WHITE].any()
    for image, white in zip(found, WHITE, strict=True):
        (scale,) = np.unique(image[white], axis=0)
        scales.append(scale)
    scales = np.array(scales)
    assert (
        scales.min() >= 0.5 and scales.max() < 1 and scales.min(axis=0).max() < 0.56 and scales.max(axis=0).min() > 0.94
    )
    assert np.abs(np.corrcoef(scales.T) - np.eye(3)).max() < 0.4  # three channels of 40 images


def test_noise_is_uniform_and_independent_where_it_is_black():
    black = np.zeros((64, 32, 32, 1), "uint8")
    noise = made("noisy", black, np.arange(64)).astype("float64")
    assert noise.mean() == pytest.approx(0.5, abs=0.005) and noise.var() == pytest.approx(1 / 12, abs=0.002)
    counts = np.histogram(noise, 16, (0, 1))[0] / noise.size
    np.testing.assert_allclose(counts, 1 / 16, atol=0.002)
    noise -= 0.5
    for other in (
        noise[1:],
        noise[:, 1:],
        noise[:, :, 1:],
        noise[..., 1:],
    ):  # images, rows, columns, channels that meet
        first = noise[tuple(slice(length) for length in other.shape)]
        assert abs((first * other).mean()) * 12 < 0.015
    assert (made("noisy")[WHITE] == 1).all()


def test_scream_is_a_patch_and_a_color_inverted_where_the_sprite_is():
    found = made("scream").astype("float64")
    mixed = np.where(WHITE[..., None], 1 - found, found)
    patches = np.lib.stride_tricks.sliding_window_view(PICTURE / 255, (12, 16), axis=(0, 1)).transpose(0, 1, 3, 4, 2)
    places, colors = [], []
    for image in mixed:
        added = 2 * image - patches  # of each of 9 x 15 places: of the right one it is the same everywhere
        spread = added.std(axis=(2, 3)).max(axis=2)
        place = np.unravel_index(spread.argmin(), spread.shape)
        assert spread[place] < 1e-5
        places.append(place)
        colors.append(added[place].mean(axis=(0, 1)))
    assert len({*places}) > 25 and {top for top, _ in places} == set(range(9))  # the last rows of the picture too
    assert np.min(colors) > -1e-5 and np.max(colors) < 1 and np.std(colors) > 0.2


def test_a_background_is_reduced_as_the_studys(tmp_path):
    Image.fromarray(np.full((600, 700, 3), (200, 100, 0), "uint8")).save(tmp_path / "scream.png")
    found = background(tmp_path / "scream.png")
    assert found.dtype == np.uint8 and found.shape == (274, 320, 3) and (found == [200, 100, 0]).all()
    Image.new("L", (80, 70), 9).save(tmp_path / "small.png")
    assert background(tmp_path / "small.png").shape == (70, 80, 3)
    Image.new("L", (2000, 300)).save(tmp_path / "wide.png")
    with pytest.raises(ValueError, match="wide.png has 350 x 5[0-9] pixels.*expected 64 or more each way"):
        background(tmp_path / "wide.png")
    with pytest.raises(FileNotFoundError, match="none.png"):
        background(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: Variant("colour"), "expected one of color, noisy, scream"),
        (lambda: Variant("scream"), "a background is what scream has"),
        (lambda: Variant("noisy", PICTURE), "a background is what scream has"),
        (lambda: Variant("scream", PICTURE / 255), "expected uint8 .height, width, 3.; got float64"),
        (lambda: made("color", np.zeros((40, 4, 4, 3), "uint8")), "images of one channel; these have 3"),
        (lambda: made("scream", np.zeros((40, 24, 4, 1), "uint8")), "20 x 30 pixels are too few for images of 24 x 4"),
    ],
)
def test_what_cannot_be(wrong, told):
    with pytest.raises(ValueError, match=told):
        wrong()
