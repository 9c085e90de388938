import io

import numpy as np
import pytest

from toolkit.visualize import charts, classification, images
from toolkit.visualize.lettering import as_written

NAMES = [r"$\frac{$", "$5 and $6", "a\udce9b", "犬 🐈", "one\ntwo", "\x07", "<&>--", r"$\mathdefault{", ""]


def figures(names):
    count = len(names)
    shown = np.zeros((count, 8, 8))
    return {
        "confusion": lambda: classification.confusion(np.eye(count, dtype=int), names),
        "explained": lambda: classification.explained(shown, shown, np.eye(count), names, np.roll(np.arange(count), 1)),
        "grid": lambda: images.grid(shown, names),
        "bars": lambda: charts.bars(dict(zip(names, range(1, count + 1), strict=True)), names[0]),
        "histogram": lambda: charts.histogram({name: np.arange(9) for name in names[:4]}, names[1]),
        "curves": lambda: charts.curves({name: [(0, 1), (1, 2)] for name in names}, names[0], names[2]),
    }


def drawn(figure, kind):
    file = io.BytesIO()
    with as_written(figure):
        figure.savefig(file, format=kind, dpi=30)
    return file.getvalue()


@pytest.mark.parametrize("which", figures(NAMES))
def test_every_figure_of_any_name_is_drawn(which):
    assert b"<svg" in drawn(figures(NAMES)[which](), "svg")


def test_as_pixels_too():
    assert drawn(figures(NAMES)["bars"](), "png")[:4] == b"\x89PNG"


def test_names_are_no_mathematics_and_logarithms_are():
    """matplotlib writes into an SVG's comment the words of each text, or the parts of its mathematics."""
    found = drawn(charts.bars({"$x$": 3, "b": 2000}, "words"), "svg").decode()
    assert "<!-- $x$ -->" in found and r"<!-- $\mathdefault{10^{3}}$ -->" in found
    figure = charts.bars({"$x$": 3, "b": 2000}, "words")
    with as_written(figure):
        figure.canvas.draw()
        ticks = figure.axes[0].yaxis.get_ticklabels()
        assert all(label.get_parse_math() for label in ticks if label.get_text())
        assert not any(label.get_parse_math() for label in figure.axes[0].xaxis.get_ticklabels())
