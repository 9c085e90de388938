"""What a person reads: plain functions on arrays, or Keras metrics. Keras and NumPy only."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
