"""Words in figures as they are written: a name is no mathematics, and what cannot be shown ends nothing."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextlib.contextmanager
def as_written(figure: "Figure") -> Iterator[None]:
    """Makes a figure show its words as they are, while it is drawn: to be used round all that draws one.

    Names of classes and tokens are other people's: between two "$" matplotlib reads mathematics, half characters end
    it, and of each that its face lacks it warns. Numbers of logarithmic axes, which matplotlib writes as mathematics
    itself, stay such.

    Args:
        figure: The figure; its texts are changed.

    Yields:
        Nothing.

    Example:

    >>> from toolkit.visualize.images import grid
    >>> import io, numpy
    >>> figure = grid(numpy.zeros((1, 4, 4)), [r"$\\frac"])
    >>> with as_written(figure):
    ...     figure.savefig(io.BytesIO(), format="svg")
    """
    from matplotlib.text import Text
    from matplotlib.ticker import LogFormatter

    axes = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    for axis in axes:
        labels = [label.get_text() for label in axis.get_ticklabels()]
        if labels != list(map(_whole, labels)):
            axis.set_ticklabels(map(_whole, labels))  # drawing would write the old ones again
    for text in figure.findobj(Text):
        text.set_parse_math(False)
        text.set_text(_whole(text.get_text()))
    for axis in axes:
        if isinstance(axis.get_major_formatter(), LogFormatter):
            for label in axis.get_ticklabels():
                label.set_parse_math(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        warnings.filterwarnings("ignore", "Matplotlib currently does not support", UserWarning)
        yield


def _whole(text):
    """Half characters, as in a file's name of other bytes than UTF-8, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
