"""Drawn characters of many classes, each in few drawings: procedural glyphs, Omniglot; episodes of new classes."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("load",))
