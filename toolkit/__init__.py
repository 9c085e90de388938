"""Layers, models and recipes for the classic papers on structured output and generation, in Keras 3."""

from toolkit.lazy import attach

__version__ = "0.1.0"
__getattr__, __dir__ = attach(__name__, __path__)
