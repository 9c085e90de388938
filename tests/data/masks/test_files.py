import numpy as np
import pytest
from PIL import Image

from tests.data.masks.pairs import image, numbers, save
from toolkit.data.masks.files import Arrays, Pair, palette_of, voc_palette


def pair(folder, mask, picture=None, **how):
    picture = save(folder / "images" / "a.png", image(0) if picture is None else picture)
    return Pair(str(picture), str(mask if hasattr(mask, "parts") else save(folder / "masks" / "a.png", mask, **how)))


def test_the_palette_is_vocs():
    """Of the development kit's documentation."""
    palette = voc_palette()
    assert palette[:6] == ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128))
    assert palette[15] == (192, 128, 128) and palette[20] == (0, 64, 128) and len(set(palette)) == 256


def test_numbers_as_files_have_them(tmp_path):
    expected = numbers(3)
    made = {
        "grey": save(tmp_path / "a.png", expected),
        "palette": save(tmp_path / "b.png", expected.copy(), palette=True),
        "16 bits": save(tmp_path / "c.png", expected.astype("uint16")),
        "32 bits": save(tmp_path / "d.tif", expected.astype("int32")),
        "grey, opaque": save(tmp_path / "e.png", np.stack([expected, np.full_like(expected, 255)], -1)),
        "GIF": save(tmp_path / "f.gif", expected.copy(), palette=True),
    }
    for name, path in made.items():
        found = pair(tmp_path, path)
        assert found.size() == (20, 24)
        picture, labels = found.read()
        np.testing.assert_array_equal(labels, expected, err_msg=name)
        np.testing.assert_array_equal(picture, image(0))
    bits = save(tmp_path / "g.png", Image.fromarray(expected > 1))
    np.testing.assert_array_equal(pair(tmp_path, bits).read()[1], expected > 1)
    assert palette_of(made["palette"])[:21] == voc_palette()[:21] and palette_of(made["grey"]) == ()


def test_colors_become_numbers_by_a_palette(tmp_path):
    expected = numbers(3, most=20)
    expected[0, 0] = 255
    colors = np.array(voc_palette(), "uint8")[expected]
    for mask in (colors, np.concatenate([colors, np.full((20, 24, 1), 255, "uint8")], -1)):
        path = save(tmp_path / "masks" / "a.png", mask)
        found = Pair(pair(tmp_path, path).image, str(path), voc_palette())
        found.size()
        np.testing.assert_array_equal(found.read()[1], expected)
    shuffled = Image.fromarray(colors).quantize(64)  # places of a palette of its own
    path = save(tmp_path / "b.png", shuffled)
    assert (np.asarray(shuffled) != expected).any()
    np.testing.assert_array_equal(Pair(found.image, str(path), voc_palette()).read()[1], expected)
    own = ((9, 9, 9), (0, 128, 0))
    path = save(tmp_path / "c.png", np.array(own, "uint8")[expected[:, :, None] % 2][:, :, 0])
    np.testing.assert_array_equal(Pair(found.image, str(path), own).read()[1], expected % 2)
    with pytest.raises(ValueError, match=r"c.png cannot be read as a mask: it has the colour \(9, 9, 9\), which the"):
        Pair(found.image, str(path), voc_palette()).read()


def test_the_size_wanted(tmp_path):
    """The image as Pillow makes it smaller, the mask by the nearest pixel: no other number."""
    found = pair(tmp_path, numbers(1))
    picture, labels = found.read((10, 12))
    expected = Image.fromarray(image(0)).resize((12, 10), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(picture, np.asarray(expected))
    places = [np.floor((np.arange(n) + 0.5) * 2).astype(int) for n in (10, 12)]
    np.testing.assert_array_equal(labels, numbers(1)[np.ix_(*places)])
    packed = np.concatenate([image(0), numbers(1)[..., None]], -1)
    for one, other in zip(Arrays("a", packed).read((10, 12)), (picture, labels), strict=True):
        np.testing.assert_array_equal(one, other)
    assert Arrays("a", packed).size() == (20, 24)


def test_grey_images_are_repeated(tmp_path):
    picture, _ = pair(tmp_path, numbers(0), picture=image(0)[..., 0]).read()
    np.testing.assert_array_equal(picture, np.repeat(image(0)[..., :1], 3, -1))


def test_a_turned_photo_and_its_upright_mask(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "images" / "a.png", image(0), exif=exif)
    mask = save(tmp_path / "masks" / "a.png", numbers(0, (24, 20)))
    found = Pair(str(tmp_path / "images" / "a.png"), str(mask))
    assert found.size() == (24, 20)
    np.testing.assert_array_equal(found.read()[0], np.rot90(image(0), -1))
    raw = Pair(found.image, str(save(tmp_path / "raw.png", numbers(0))))
    with pytest.raises(
        ValueError, match="raw.png cannot be read as a mask: it is 24 x 20, and its image .* is 20 x 24"
    ):
        raw.size()


@pytest.mark.parametrize(
    "mask, words",
    [
        (numbers(0, (20, 25)), r"it is 25 x 20, and its image .*images/a.png is 24 x 20; a mask has the class of each"),
        (image(5), "it has colours .RGB. instead of one number a pixel.*saved as RGB; give --from_palette"),
        (np.full((20, 24), 300, "uint16"), "its numbers are 300 to 300, of 16 bits or more: instances, or depth"),
        (np.stack([numbers(0), numbers(0)], -1), "its pixels are partly transparent"),
        (np.full((20, 24), 0.5, "float32"), "its pixels are fractions; expected one whole number"),
    ],
)
def test_what_is_no_mask(tmp_path, mask, words):
    path = save(tmp_path / "masks" / ("a.tif" if mask.dtype == np.float32 else "a.png"), mask)
    found = pair(tmp_path, path)
    with pytest.raises(ValueError, match=rf"masks/a.(png|tif) cannot be read as a mask: {words}"):
        found.size()
        found.read()


def test_a_mask_with_loss_is_refused(tmp_path):
    found = pair(tmp_path, save(tmp_path / "masks" / "a.jpg", numbers(0)))
    with pytest.raises(ValueError, match="a.jpg cannot be read as a mask: a JPEG changes numbers.*save it as PNG"):
        found.size()
