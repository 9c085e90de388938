"""Images with the class of each pixel: readers of them, random changes that move both together, what looks wrong."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("examine", "load", "noise"))
