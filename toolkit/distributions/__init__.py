"""Densities as plain classes: log_prob, and of the mixtures sample and mean. Keras and NumPy only."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
