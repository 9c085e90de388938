"""Scenes of textured, coloured objects, made of a seed, with all that is true of them."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
