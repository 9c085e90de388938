"""Subclasses of keras.losses.Loss. Keras and NumPy only."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
