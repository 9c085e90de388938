"""Videos of noise for tests, as files."""

import io

import numpy as np
from PIL import Image


def clip(seed, num_frames=6, height=10, width=12, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (num_frames, height, width, channels)).astype("uint8")


def stills(folder, frames, kind="png"):
    """A folder of frames, named so that letters would order 10 before 9."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame if frame.shape[-1] == 3 else frame[..., 0]).save(folder / f"f{number + 8}.{kind}")
    return folder


def gif(path, frames):
    """A GIF of grey frames, whose values a palette of 256 keeps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = (Image.fromarray(frame[..., 0]) for frame in frames)
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=others, duration=100)
    path.write_bytes(content.getvalue())
    return path


def folder(root, count=5, **how):
    for number in range(count):
        stills(root / f"clip{number:02}", clip(number, **how))
    return root


def everything(batches):
    return np.concatenate(list(batches.dataset(num_epochs=1).as_numpy_iterator()))
