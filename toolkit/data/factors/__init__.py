"""Images whose factors of variation are known: sprites made on the spot, dSprites, Shapes3D, SmallNORB."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("load",))
