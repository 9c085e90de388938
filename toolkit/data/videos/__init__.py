"""Videos: moving sprites made of a seed, readers of arrays, folders and GIFs, windows of frames, what looks wrong."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("examine", "load"))
