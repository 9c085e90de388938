"""Where videos come from: --data=READER:REST."""

import os
import pathlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from toolkit.data.images.folders import SPLIT_WORDS, Tree, tree
from toolkit.data.videos.clips import ArrayClip, Clip, files_as_clips
from toolkit.data.videos.sprites import LEAST_SIDE, MOST_SIDE, sprites
from toolkit.files import arrays, binary, limits
from toolkit.files.names import natural_order, printable

AXES = ("auto", "time_first", "clips_first")
LAYOUT = "expected FOLDER/CLIP/*.png or FOLDER/*.gif, perhaps in FOLDER/train, FOLDER/validation and FOLDER/test"
_DEFAULT_CLIPS, _MOST_CLIPS, _MOST_MAPPED = 1000, 100_000, 1_000_000
_SPRITE_FRAMES, _SPRITE_SIDE = 20, 32
_TOGETHER = 256


class Found(NamedTuple):
    """What a reader found.

    Args:
        clips: By split, the videos; splits that are not there are cut off the training part.
        channels: Those that they have, 1 or 3.
        left_out: What is not read, each with its path and why.
        notes: What else is to be told.
    """

    clips: dict[str, Sequence[Clip]]
    channels: int
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _embedded(rest, *, image_size, channels, num_frames, seed, **_):
    found = re.fullmatch("(?:sprites(?::([0-9]{1,9}))?)?", rest)
    number = int(found[1] or _DEFAULT_CLIPS) if found else 0
    if not 3 <= number <= _MOST_CLIPS:
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded:sprites or embedded:sprites:CLIPS, 3 to {_MOST_CLIPS:,}."
        )
    size, channels = image_size or _SPRITE_SIDE, channels or 1
    if not LEAST_SIDE <= size <= MOST_SIDE:
        raise ValueError(f"--image_size={size}: sprites are drawn in {LEAST_SIDE} to {MOST_SIDE} pixels.")
    length = max(_SPRITE_FRAMES, num_frames)
    shape = (number, length, size, size, channels)
    limits.check(int(np.prod(shape, dtype=float)), f"--data=embedded:{rest}", limits.half_of_memory())
    frames = np.empty(shape, "uint8")
    for start in range(0, number, _TOGETHER):
        indices = np.arange(start, min(start + _TOGETHER, number))
        how = {"num_frames": length, "image_size": size, "channels": channels, "seed": seed}
        frames[start : start + _TOGETHER] = sprites(indices, **how).frames
    return Found({"train": [ArrayClip(f"sprites {index}", clip) for index, clip in enumerate(frames)]}, channels)


def _npy(rest, *, axes, **_):
    if not rest:
        raise FileNotFoundError("--data=npy: expected npy:FILE, a .npy of videos such as Moving MNIST's.")
    path = binary.expanded(rest)
    found = arrays.mapped(path, "a .npy of videos")
    where = printable(path)
    shown = f"{where}: {found.dtype} of shape {found.shape}"
    expected = "uint8 (frames, clips, height, width[, 1 or 3]), as Moving MNIST, or (clips, frames, ...)"
    if found.ndim not in (4, 5) or (found.ndim == 5 and found.shape[4] not in (1, 3)):
        raise ValueError(f"{shown}; expected {expected}.")
    if found.ndim == 4 and found.shape[3] in (1, 3):
        raise ValueError(f"{shown} is one video only, or none; expected {expected}.")
    if found.dtype != np.uint8:
        raise ValueError(f"{shown}; expected {expected}. Save it as numbers of 0 to 255: array.astype('uint8').")
    if axes == "auto" and found.shape[0] == found.shape[1]:
        raise ValueError(f"{shown}: are there frames or clips first? Say so: --axes=time_first or --axes=clips_first.")
    time_first = found.shape[0] < found.shape[1] if axes == "auto" else axes == "time_first"
    clips = (found if found.ndim == 5 else found[..., None]).swapaxes(0, 1 if time_first else 0)
    if len(clips) > _MOST_MAPPED:
        raise ValueError(f"{shown} would be {len(clips):,} clips; at most {_MOST_MAPPED:,} are allowed.")
    note = f"{len(clips)} clips of {clips.shape[1]} frames, {'time' if time_first else 'clips'} first"
    if axes == "auto":
        other = AXES[1 + time_first]
        note = f"taken for {note}, as clips are more than frames; else --axes={other}"
    named = [ArrayClip(f"{where}, clip {number},", clip) for number, clip in enumerate(clips)]
    return Found({"train": named}, clips.shape[-1], notes=(note,))


def _folder(rest, **_):
    path = binary.expanded(rest)
    if not rest or not os.path.lexists(path):
        raise FileNotFoundError(f"--data=folder:{rest[:200]}: no such folder; {LAYOUT}.")
    if not path.is_dir():
        raise ValueError(f"--data=folder:{printable(rest)} is no folder; {LAYOUT}. Unpack what is packed.")
    root = tree(path)
    parts = {folder.path: SPLIT_WORDS.get(folder.name.lower()) for folder in root.filled}
    if not root.images and all(parts.values()) and "train" in parts.values():
        if len(set(parts.values())) < len(parts):
            raise ValueError(f"--data=folder:{printable(rest)}: of each part only one folder can be; {LAYOUT}.")
        found = {parts[folder.path]: _clips(folder) for folder in root.filled}
    else:
        found = {"train": _clips(root)}
    return Found(found, 3, tuple(root.everything("left_out")))


def _clips(folder: Tree) -> list[Clip]:
    """The videos in a folder and below it, in order."""
    if not folder.images and not folder.filled:
        why = "".join(f"; {each}" for each in folder.left_out[:1])
        raise ValueError(f"{printable(folder.path)} holds no frames{printable(why)}; {LAYOUT}. Remove what is empty.")
    found = files_as_clips(folder.path, folder.images)
    for inner in sorted(folder.folders, key=lambda each: natural_order(each.name)):
        found += _clips(inner)
    return found


READERS = {"embedded": _embedded, "npy": _npy, "folder": _folder}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "folder", "npy" or None.
    """
    return "folder" if path.is_dir() else "npy" if path.suffix == ".npy" else None
