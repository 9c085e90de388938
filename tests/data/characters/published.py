"""Small sets of drawings as Omniglot's are published."""

import io
import zipfile

import numpy as np
from PIL import Image, ImageDraw

ALPHABETS = {"Greek": 3, "N_Ko": 2, "Futurama": 2}


def drawing(character, drawer, side=105):
    """Two lines, black on white in one bit a pixel, as PNG."""
    random = np.random.default_rng([character, 1])
    points = random.integers(10, side - 10, (4, 2)) + np.random.default_rng([character, drawer]).integers(-4, 5, (4, 2))
    image = Image.new("1", (side, side), 1)
    ImageDraw.Draw(image).line([tuple(map(int, point)) for point in points], fill=0, width=3)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def files(root, alphabets=None, num_drawers=4, first=1):
    """(name, content) of each drawing, characters numbered through all alphabets."""
    number = first
    for alphabet, count in (alphabets or ALPHABETS).items():
        for character in range(1, count + 1):
            for drawer in range(1, num_drawers + 1):
                name = f"{root}/{alphabet}/character{character:02}/{number:04}_{drawer:02}.png"
                yield name, drawing(number, drawer)
            number += 1


def zipped(path, alphabets=None, *, num_drawers=4, changed=None):
    """As published, with what macOS adds; `changed` contents by a name's end."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{path.stem}/", "")
        for name, content in files(path.stem, alphabets, num_drawers):
            archive.writestr(f"__MACOSX/{name.replace('/0', '/._0')}", b"\0")
            found = next((new for end, new in (changed or {}).items() if name.endswith(end)), content)
            archive.writestr(name, found)
    return path


def unpacked(folder, alphabets=None, num_drawers=4):
    """The folder that such a zip unpacks to."""
    for name, content in files(folder.name, alphabets, num_drawers):
        path = folder.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
