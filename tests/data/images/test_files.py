"""One file: formats, modes and orientations against Pillow and NumPy."""

import concurrent.futures
import contextlib
import struct
import time

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from tests.data.images.pictures import noise, write
from toolkit.data.images import files
from toolkit.data.images.augmentation import Augmentation
from toolkit.data.images.folders import SUFFIXES

RED, GREEN = (250, 20, 30), (10, 200, 60)


def two_colors(mode="RGB"):
    """Red above green, 24 x 24."""
    pixels = np.zeros((24, 24, 3), "uint8")
    pixels[:12], pixels[12:] = RED, GREEN
    return Image.fromarray(pixels).convert(mode)


def read(path, channels=3, size=24):
    return files.pixels(str(path), (size, size, channels)).astype(int)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_formats(tmp_path, suffix):
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow has none")
    path = write(tmp_path / f"ä{suffix.upper()}", two_colors(), **({"quality": 95} if "j" in suffix else {}))
    tolerance = 0 if suffix in (".png", ".bmp", ".tif", ".tiff", ".ppm", ".pnm") else 6
    found = read(path)
    np.testing.assert_allclose(found[2:9], np.broadcast_to(RED, (7, 24, 3)), atol=tolerance)
    np.testing.assert_allclose(found[15:22], np.broadcast_to(GREEN, (7, 24, 3)), atol=tolerance)
    grey = read(path, channels=1)
    assert grey.shape == (24, 24, 1)
    np.testing.assert_allclose(grey[2:9], round(np.dot(RED, (0.299, 0.587, 0.114))), atol=tolerance + 1)


@pytest.mark.parametrize("mode, name", [("P", "a.png"), ("CMYK", "a.jpg"), ("CMYK", "a.tif"), ("YCbCr", "a.jpg")])
def test_color_modes(tmp_path, mode, name):
    image = two_colors().quantize(2) if mode == "P" else two_colors(mode)
    found = read(write(tmp_path / name, image))
    tolerance = 8 if name == "a.jpg" else 1
    np.testing.assert_allclose(found[4], np.broadcast_to(RED, (24, 3)), atol=tolerance)
    np.testing.assert_allclose(found[20], np.broadcast_to(GREEN, (24, 3)), atol=tolerance)


def test_grey_modes(tmp_path):
    ramp = np.arange(0, 256, dtype="uint8").reshape(16, 16)
    expected = ramp[..., None].astype(int)
    saved = {
        "8 bits": write(tmp_path / "a.png", ramp),
        "16 bits": write(tmp_path / "b.png", ramp.astype("uint16") * 257),
        "16 bits of a TIFF": write(tmp_path / "b.tif", ramp.astype("uint16") * 257),
        "32 bits": write(tmp_path / "c.tif", ramp.astype("int32")),
        "floats to 1": write(tmp_path / "d.tif", (ramp / 255).astype("float32")),
        "floats to 255": write(tmp_path / "e.tif", ramp.astype("float32")),
        "palette": write(tmp_path / "f.png", Image.fromarray(ramp).convert("P")),
    }
    for name, path in saved.items():
        np.testing.assert_array_equal(read(path, 1, 16), expected, err_msg=name)
        np.testing.assert_array_equal(read(path, 3, 16), np.repeat(expected, 3, -1), err_msg=name)
    bits = write(tmp_path / "g.png", Image.fromarray(ramp > 99))
    np.testing.assert_array_equal(read(bits, 1, 16), 255 * (expected > 99))
    for values, words in (
        (np.float32(ramp) - 3, "-3 to 252; expected 0 to 1"),
        (ramp.astype("int32") * 1000, "0 to 255000"),
    ):
        with pytest.raises(ValueError, match=rf"h.tif cannot be read as an image: its pixels are {words}"):
            read(write(tmp_path / "h.tif", values), 1, 16)


def twelve_bits(values):
    """A TIFF of 12 bits a pixel: of each two, three bytes."""
    even, odd = values.reshape(-1, 2).T.astype(int)
    content = np.stack([even >> 4, (even & 15) << 4 | odd >> 8, odd & 255], 1).astype("uint8").tobytes()
    height, width = values.shape
    tags = {256: width, 257: height, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(content)}
    directory = b"".join(struct.pack("<HHII", number, 4, 1, value) for number, value in tags.items())
    return (
        b"II*\0" + struct.pack("<I", 8 + len(content)) + content + struct.pack("<H", len(tags)) + directory + bytes(4)
    )


def test_numbers_of_12_bits_keep_their_grey_levels(tmp_path):
    ramp = np.arange(4096, dtype="uint16").reshape(64, 64)
    expected = np.rint(ramp / (4095 / 255)).astype(int)[..., None]
    assert len(np.unique(expected)) == 256
    for name, values in (("a.png", ramp), ("a.tif", ramp), ("b.tif", ramp.astype("int32"))):
        np.testing.assert_array_equal(read(write(tmp_path / name, values), 1, 64), expected, err_msg=name)
    # What the file says of its bits counts more than what is in it, and what is over 12 bits is of 16.
    dark = tmp_path / "dark.tif"
    dark.write_bytes(twelve_bits(ramp // 32))
    np.testing.assert_array_equal(read(dark, 1, 64), np.rint(ramp // 32 / (4095 / 255)).astype(int)[..., None])
    (tmp_path / "dark.pgm").write_bytes(b"P5 64 64 65535\n" + (ramp // 32).astype(">u2").tobytes())
    assert read(tmp_path / "dark.pgm", 1, 64).max() == 0
    np.testing.assert_array_equal(
        read(write(tmp_path / "c.png", ramp * 16), 1, 64), np.rint(ramp * 16 / 257)[..., None]
    )


def test_large_images_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    """As many as there are threads would take as many times the memory."""
    path, at_once, most = write(tmp_path / "a.png", noise(0, 40, 50)), [], []
    monkeypatch.setattr(files, "_LARGE", 1000)

    def look(image, shape, square=files._square):
        at_once.append(image)
        most.append(len(at_once))
        time.sleep(0.01)
        at_once.pop()
        return square(image, shape)

    monkeypatch.setattr(files, "_square", look)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: read(path), range(8)))
    assert max(most) == 1 and len(most) == 8


def test_the_bound_that_the_process_has_set_in_pillow_is_as_it_was(tmp_path, monkeypatch):
    path, damaged = write(tmp_path / "a.png", noise(0, 60, 60)), tmp_path / "b.png"
    damaged.write_bytes(path.read_bytes()[:200])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow itself would not open it
    for names, expected in ((path, None), (damaged, ValueError)):
        with pytest.raises(expected) if expected else contextlib.nullcontext():
            files.read(names, 8)
        assert Image.MAX_IMAGE_PIXELS == 1000
    # Of several at once, in whatever order they end: lifted until the last.
    one, other = files.opened(path), files.opened(path)
    one.__enter__(), other.__enter__()
    for each, expected in ((one, None), (other, 1000)):
        each.__exit__(None, None, None)
        assert Image.MAX_IMAGE_PIXELS == expected
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(lambda _: read(path), range(100)))) == 100
    assert Image.MAX_IMAGE_PIXELS == 1000
    with files.opened(path):
        Image.MAX_IMAGE_PIXELS = 2000  # by who knows nothing of us
    assert Image.MAX_IMAGE_PIXELS == 2000


def test_what_is_transparent_is_white(tmp_path):
    pixels = np.zeros((8, 8, 4), "uint8")
    pixels[:4, :, 3] = 255
    pixels[6:] = 0, 0, 0, 128
    color = write(tmp_path / "a.png", pixels)
    expected = np.repeat([0, 0, 0, 0, 255, 255, 127, 127], 8).reshape(8, 8, 1)
    np.testing.assert_array_equal(read(color, 1, 8), expected)
    np.testing.assert_array_equal(read(color, 3, 8), np.repeat(expected, 3, -1))
    grey = write(tmp_path / "b.png", pixels[..., 2:])
    np.testing.assert_array_equal(read(grey, 1, 8), expected)
    palette = Image.fromarray((pixels[..., 3] // 128).astype("uint8"))
    palette.putpalette([9, 9, 9, 0, 0, 0])
    for transparency in (0, b"\x00\xff"):
        found = read(write(tmp_path / "c.png", palette.convert("P"), transparency=transparency), 1, 8)
        np.testing.assert_array_equal(found[:6], expected[:6])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path, orientation):
    upright = np.kron(noise(1, 3, 4), np.ones((20, 20, 1), "uint8"))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "a.jpg", "a.tif"):
        path = write(tmp_path / name, upright, exif=exif)
        turned = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        left, top = ((side - 60) // 2 for side in turned.size)
        expected = np.asarray(turned.crop((left, top, left + 60, top + 60))).astype(int)
        np.testing.assert_array_equal(read(path, size=60), expected)


def test_damaged_words_about_an_image_do_no_harm(tmp_path):
    path = write(tmp_path / "a.png", two_colors(), exif=b"Exif\x00\x00nonsense")
    np.testing.assert_array_equal(read(path), np.asarray(two_colors()))


def test_a_large_photograph_is_decoded_small(tmp_path):
    rough = Image.fromarray(noise(0, 20, 15)).resize((1200, 1600), Image.Resampling.BICUBIC)
    path = write(tmp_path / "a.jpg", rough, quality=95)
    expected = rough.crop((0, 200, 1200, 1400)).resize((100, 100), Image.Resampling.BILINEAR)
    assert np.abs(read(path, size=100) - np.asarray(expected).astype(int)).mean() < 2


@pytest.mark.parametrize("size", [(60, 40), (40, 60), (200, 7), (3, 3)])
def test_the_shorter_side_is_resized_and_the_middle_cut_out(tmp_path, size):
    picture = Image.fromarray(noise(0, size[1], size[0]))
    scale = 20 / min(size)
    whole = picture.resize([round(side * scale) for side in size], Image.Resampling.BILINEAR)
    left, top = ((side - 20) // 2 for side in whole.size)
    expected = np.asarray(whole.crop((left, top, left + 20, top + 20))).astype(int)
    found = read(write(tmp_path / "a.png", picture), size=20)
    if all(round(side * scale) == side * scale and round(side * scale) % 2 == 0 for side in size):
        np.testing.assert_array_equal(found, expected)
    else:  # Pillow's whole is rounded to whole pixels
        assert np.corrcoef(found.reshape(-1), expected.reshape(-1))[0, 1] > 0.9


def test_read_is_what_validation_sees(tmp_path):
    path = write(tmp_path / "a.png", noise(0, 40, 50))
    area = Augmentation(crop="area")
    side = area.stored_size(14)
    whole = files.pixels(path, (side, side, 3))
    np.testing.assert_array_equal(files.read(path, 14, augmentation=area), whole[1:-1, 1:-1][:14, :14])
    np.testing.assert_array_equal(files.read(path, 14), files.pixels(path, (14, 14, 3)))


def test_files_that_a_person_names(tmp_path):
    one, two = (write(tmp_path / name, noise((12, 16, 3))) for name in ("one.png", "two.png"))
    paths, found = files.read_named(f"{one}, {two}", 8)
    assert paths == [one, two]
    np.testing.assert_array_equal(found, [files.read(one, 8), files.read(two, 8)])
    with pytest.raises(FileNotFoundError, match="--images: .*three.png: no such file"):
        files.read_named(f"{one},{tmp_path}/three.png,{tmp_path}/four.png", 8)
