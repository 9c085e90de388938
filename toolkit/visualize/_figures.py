"""Where figures begin: of one resolution, and arranged by matplotlib."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110


def empty_figure(width: float, height: float, dpi: int = DPI) -> "Figure":
    """Makes a figure of a width and height in inches."""
    from matplotlib.figure import Figure

    # Not through pyplot: no display, no global list of figures that grows with each epoch.
    return Figure((width, height), dpi=dpi, layout="constrained")
