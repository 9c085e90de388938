"""Videos: rows of frames as a picture, and several side by side as one film."""

from collections.abc import Sequence

import numpy as np

_GAP = 2  # pixels between frames, before they are magnified
_SMALLEST, _WIDEST = 64, 1800  # pixels: of a frame, where it is smaller; of a picture, for which frames are left out
_LINE, _LETTER = 16, 7  # pixels: height of a title, width of its letters
_PAPER, _INK = 255, 40


def filmstrip(
    clips: Sequence[np.ndarray], titles: Sequence[str] = (), *, num_frames: int | None = None, marked: int = 0
) -> np.ndarray:
    """Draws videos as rows of frames, one below the other; small frames magnified, so that each pixel is a square.

    Args:
        clips: Each (frames, height, width, channels) with 1 or 3 channels, 0 to 255; all frames of one size.
        titles: What stands above each row; none: nothing.
        num_frames: Frames of each row at most, evenly spaced over the clip; None: as many as the picture has room for.
        marked: First frames of each row that are set apart by a wider gap, as those that a prediction was given.

    Returns:
        uint8 (height, width, 3).

    Raises:
        ValueError: Where the clips are none, or there is not one title for each.

    Example:

    >>> filmstrip([np.zeros((4, 16, 16, 1)), np.zeros((2, 16, 16, 1))], ["given", "predicted"]).shape
    (184, 296, 3)
    """
    clips = _checked(clips, titles)
    height, width = clips[0].shape[1:3]
    scale = max(1, -(-_SMALLEST // max(height, width)))
    tall, wide, gap = scale * height, scale * width, scale * _GAP
    most = min(max(map(len, clips)), num_frames or max(1, _WIDEST // (wide + gap)))
    apart = gap if 0 < marked < most else 0
    step_down = tall + gap + (_LINE if titles else 0)
    picture = np.full((len(clips) * step_down + gap, most * (wide + gap) + gap + apart, 3), _PAPER, "uint8")
    for row, clip in enumerate(clips):
        top = (row + 1) * step_down - tall
        for column, number in enumerate(np.linspace(0, len(clip) - 1, min(most, len(clip))).round().astype(int)):
            left = gap + column * (wide + gap) + (apart if column >= marked else 0)
            picture[top : top + tall, left : left + wide] = _magnified(clip[number], scale)
    return _lettered(picture, titles, gap, step_down) if titles else picture


def animation(clips: Sequence[np.ndarray], *, columns: int = 4) -> np.ndarray:
    """Puts videos side by side in one film; one that ends before others shows its last frame.

    Args:
        clips: As in `filmstrip`.
        columns: Videos in a row.

    Returns:
        uint8 (frames, height, width, 3), as `training.Results.film` takes it.

    Raises:
        ValueError: Where the clips are none.

    Example:

    >>> animation([np.zeros((4, 32, 32, 1))] * 3).shape
    (4, 68, 200, 3)
    """
    clips = _checked(clips)
    height, width = clips[0].shape[1:3]
    scale = max(1, -(-_SMALLEST // max(height, width)))
    tall, wide, gap = scale * height, scale * width, scale * _GAP // 2
    columns = max(1, min(columns, len(clips)))
    rows = -(-len(clips) // columns)
    size = rows * (tall + gap) + gap, columns * (wide + gap) + gap
    film = np.full((max(map(len, clips)), *size, 3), _PAPER, "uint8")
    for place, clip in enumerate(clips):
        row, column = divmod(place, columns)
        top, left = gap + row * (tall + gap), gap + column * (wide + gap)
        for number, frame in enumerate(film):
            frame[top : top + tall, left : left + wide] = _magnified(clip[min(number, len(clip) - 1)], scale)
    return film


def _checked(clips, titles=()):
    """Clips of 3 channels, uint8."""
    clips = [np.asarray(clip) for clip in clips]
    shapes = [clip.shape for clip in clips]
    if not clips or any(len(s) != 4 or s[3] not in (1, 3) or not all(s) or s[1:3] != shapes[0][1:3] for s in shapes):
        raise ValueError(f"Expected clips (frames, height, width, 1 or 3), all of one size; got {shapes[:5]}.")
    if len(titles) not in (0, len(clips)):
        raise ValueError(f"Expected as many titles as clips, {len(clips)}; got {len(titles)}.")
    whole = [c if c.dtype == np.uint8 else np.clip(np.rint(c), 0, 255).astype("uint8") for c in clips]
    return [np.repeat(clip, 3, axis=-1) if clip.shape[3] == 1 else clip for clip in whole]


def _magnified(frame, scale):
    return frame.repeat(scale, axis=0).repeat(scale, axis=1)


def _lettered(picture, titles, gap, step_down):
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    letters = max(1, (picture.shape[1] - 2 * gap) // _LETTER)
    for row, title in enumerate(titles):
        text = title if len(title) <= letters else title[: max(0, letters - 3)] + "..."
        draw.text((gap, row * step_down + gap), text, fill=(_INK, _INK, _INK))
    return np.asarray(image)
