"""What looks wrong in handwriting: lines of which a person should see some, and lines that are there twice."""

from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.data.strokes.lines import Line

# Within a stroke, an offset this many times the line's median looks like points that are missing.
JUMP = 20.0


def suspicious(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """Finds lines that look wrong.

    Args:
        lines: Any, each of one point at least.

    Returns:
        By what is wrong: "single_point"; "no_movement", of more points; "jump_in_a_stroke", an offset `JUMP` times as
        long as the line's median one while the pen is down; "last_stroke_not_ended".

    Example:

    >>> dot = Line(np.array([[0, 0, 1]], "float32"))
    >>> {kind: len(found) for kind, found in suspicious([dot]).items() if found}
    {'single_point': 1}
    """
    found = {"single_point": [], "no_movement": [], "jump_in_a_stroke": [], "last_stroke_not_ended": []}
    for line in lines:
        lengths = np.hypot(*line.offsets[1:, :2].astype("float64").T)
        down = lengths[line.offsets[:-1, 2] < 0.5]
        down = down[down > 0]
        if len(line.offsets) == 1:
            found["single_point"].append(line)
        elif not lengths.any():
            found["no_movement"].append(line)
        if len(down) and down.max() > JUMP * np.median(down):
            found["jump_in_a_stroke"].append(line)
        if line.offsets[-1, 2] < 0.5:
            found["last_stroke_not_ended"].append(line)
    return found


def copies(parts: Mapping[str, Sequence[Line]], text: bool) -> dict[str, dict[str, int]]:
    """Counts lines that are there before; those that do not move are all alike, and left aside.

    Args:
        parts: By split, its lines; "train" among them.
        text: Whether texts are compared too.

    Returns:
        By split, "copies" of lines of the same one; "copies_of_train", and with text "texts_also_in_train", of all but
        training.
    """
    others = [name for name in parts if name != "train"]
    moving = {
        name: [line.offsets.tobytes() for line in lines if line.offsets[1:, :2].any()] for name, lines in parts.items()
    }
    trained = set(moving["train"])
    found = {
        "copies": {name: len(keys) - len(set(keys)) for name, keys in moving.items()},
        "copies_of_train": {name: sum(key in trained for key in moving[name]) for name in others},
    }
    if text:
        texts = {line.text for line in parts["train"]}
        found["texts_also_in_train"] = {name: sum(line.text in texts for line in parts[name]) for name in others}
    return found
