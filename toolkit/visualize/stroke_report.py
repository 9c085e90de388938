"""What was found in handwriting, to be looked at before a training."""

from typing import Any

from toolkit.visualize import charts, strokes


def pictures(found: Any, max_points: int, max_characters: int | None = None) -> dict[str, Any]:
    """Draws what a data check has found.

    Args:
        found: What `data.strokes.examine` returned: `drawings`, `points`, `characters`, `alphabet`.
        max_points: Points beyond which a line is left out.
        max_characters: Characters beyond which a text is left out; None: texts are not read.

    Returns:
        Figures by name.
    """
    drawn = {name: strokes.lines(*zip(*lines, strict=True)) for name, lines in found.drawings.items()}
    drawn["points"] = charts.histogram(found.points, "points in a line", limit=max_points)
    if max_characters is not None:
        drawn["characters"] = charts.histogram(found.characters, "characters in a text", limit=max_characters)
        drawn["alphabet"] = charts.bars(found.alphabet, "characters of the training lines")
    return drawn
