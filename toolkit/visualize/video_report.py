"""What was found in videos, to be looked at before a training."""

from typing import Any

from toolkit.visualize import charts, videos


def pictures(found: Any) -> dict[str, Any]:
    """Draws what a data check has found.

    Args:
        found: What `data.videos.examine` returned: `examples`, `titles`, `lengths`.

    Returns:
        Figures and pictures by name.
    """
    return {
        "videos": videos.filmstrip(found.examples, found.titles),
        "frames": charts.histogram(found.lengths, "frames of a video"),
    }
