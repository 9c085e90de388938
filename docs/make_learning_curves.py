"""Draws a scalar of one or more runs over the steps: a picture of a page.

./run python docs/make_learning_curves.py --tag=loss --file=docs/pictures/RECIPE/NAME.png runs/one runs/other
"""

import argparse
import pathlib

from toolkit.training.learning_curves import learning_curves
from toolkit.visualize import charts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workdirs", nargs="+", type=pathlib.Path)
    parser.add_argument("--tag", default="loss", help="the scalar's name in TensorBoard")
    parser.add_argument("--file", required=True, type=pathlib.Path)
    asked = parser.parse_args()
    curves = {}
    for workdir in asked.workdirs:
        name = f"{workdir}, " if len(asked.workdirs) > 1 else ""
        curves |= {f"{name}{split}": points for split, points in learning_curves(workdir, asked.tag).items()}
    if not curves:
        parser.error(f"no scalar {asked.tag!r} in {', '.join(map(str, asked.workdirs))}")
    asked.file.parent.mkdir(parents=True, exist_ok=True)
    charts.curves(curves, "step", asked.tag.replace("_", " ")).savefig(asked.file, dpi=100)


if __name__ == "__main__":
    main()
