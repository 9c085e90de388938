"""Picture files that are damaged, giant or of another kind, byte by byte."""

import io
import struct
import zlib

from PIL import Image

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n9 9 scale\nshowpage\n%%EOF\n"


def encoded(kind, size=(20, 24), mode="RGB", **how):
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **how)
    return file.getvalue()


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, *chunks, color=2, bits=8):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def jpeg(width, height, **how):
    content = bytearray(encoded("JPEG", **how))
    start = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2"))
    content[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def gif(width, height, *, frames=1, at=0):
    frame = b"," + struct.pack("<HHHHB", at, at, 2, 2, 0) + b"\x02\x03\x84\x11\x05\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame * frames + b";"


def bmp(width, height, bits=24):
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info + bytes(300)


def tiff(width=20, height=24, *, tags=(), strip=1440, following=0):
    """Tags are (number, type, count, value)."""
    found = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    found += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, strip), *tags]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted({tag[0]: tag for tag in found}.values()))
    content = bytes(1500)
    directory = struct.pack("<H", len(entries) // 12) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8 + len(content)) + content + directory


def webp(width, height):
    canvas = struct.pack("<I", 0)[:4] + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    lossless = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(20)
    chunks = b"VP8X" + struct.pack("<I", 10) + canvas + b"VP8L" + struct.pack("<I", len(lossless)) + lossless + b"\0"
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def text_chunks(number, kind=b"zTXt"):
    packed = zlib.compress(bytes(5 << 20))
    return [chunk(kind, b"Comment\0\0" + (b"" if kind == b"zTXt" else b"\0\0\0") + packed)] * number


GIANT = "is allowed. Where that is right: --max_gigabytes="
NONE = "it is none of JPEG, PNG"
# ruff: noqa: E501
FILES = [
    ("an EPS", POSTSCRIPT, NONE),
    ("an EPS in DOS' form", b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 32, len(POSTSCRIPT)) + bytes(20) + POSTSCRIPT, NONE),
    *((f"a {kind}", encoded(kind), NONE) for kind in ("PCX", "TGA", "PDF", "SGI", "DDS", "ICNS", "JPEG2000")),
    ("a PSD", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(40), NONE),
    ("an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>", NONE),
    ("an XBM", encoded("XBM", mode="1"), NONE),
    ("a FITS", b"SIMPLE  =                    T" + bytes(3000), NONE),
    ("a WMF", b"\xd7\xcd\xc6\x9a\0\0" + bytes(100), NONE),
    ("a PNG of 10^10 pixels", png(100_000, 100_000), GIANT),
    ("a PNG of 2^62 pixels", png(2**31 - 1, 2**31 - 1), GIANT),
    ("a PNG of 400 million pixels of 16 bits", png(20_000, 20_000, color=0, bits=16), GIANT),
    ("a PNG without pixels", png(0, 0), "cannot be read"),
    ("a JPEG of 65500 x 65500", jpeg(65500, 65500), GIANT),
    ("a progressive JPEG of 65500 x 65500", jpeg(65500, 65500, progressive=True), GIANT),
    ("a JPEG larger than its content", jpeg(5000, 5000), ""),
    ("a JPEG without pixels", jpeg(0, 0), "cannot be read"),
    ("a GIF of 65535 x 65535", gif(65535, 65535), GIANT),
    ("a GIF whose frame lies far outside", gif(2, 2, at=65000), GIANT),
    ("a GIF of a million frames", gif(2, 2, frames=300_000), ""),
    ("a BMP of 10^10 pixels", bmp(100_000, 100_000), GIANT),
    ("a BMP of negative width", bmp(-5, 5), "cannot be read"),
    ("a BMP of 2^31 rows upside down", bmp(100, -(2**31)), ""),
    ("a TIFF of 10^10 pixels", tiff(100_000, 100_000), GIANT),
    ("a TIFF with a tag of 4 GB", tiff(tags=[(270, 2, 2**32 - 1, 8)]), ""),
    ("a TIFF with 4 billion strips", tiff(tags=[(273, 4, 2**32 - 1, 8)]), "cannot be read"),
    ("a TIFF of 60,000 channels", tiff(tags=[(277, 3, 1, 60_000)]), "cannot be read"),
    ("a TIFF whose strip begins after its end", tiff(tags=[(273, 4, 1, 2**31)]), "cannot be read"),
    ("a TIFF whose second page is the first", tiff(following=1508), ""),
    ("a TIFF with rows in one strip of 0", tiff(tags=[(278, 4, 1, 0)]), ""),
    ("a PPM of 10^18 pixels", b"P6 1000000000 1000000000 255\n" + bytes(100), GIANT),
    ("a PPM of a number of 10,000 digits", b"P6 " + b"9" * 10_000 + b" 1 255\n", "cannot be read"),
    ("a plain PGM cut short", b"P2 3000 3000 255\n1 2 3", "cannot be read"),
    ("a WebP larger than its content", webp(7000, 7000), "cannot be read"),
    ("a profile that unpacks to 5 MB", png(9, 9, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(5 << 20)))), ""),
    ("a text that unpacks to 5 MB", png(9, 9, *text_chunks(1)), "cannot be read"),
    ("an international text that unpacks to 5 MB", png(9, 9, chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(5 << 20)))), ""),
    ("100,000 texts", png(9, 9, *[chunk(b"tEXt", b"a\0b")] * 100_000), ""),
    ("EXIF that leads to itself", encoded("PNG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0"), "works"),
    ("a JPEG with a photo's preview", encoded("MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))]), "works"),
    ("a plain PGM", b"P2 3 3 255\n" + b"7 " * 9, "works"),
    ("a TIFF", tiff(strip=480), "works"),
    ("a PNG", png(9, 9), "works"),
]  # fmt: skip
