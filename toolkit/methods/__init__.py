"""Algorithms round a model that `fit` cannot express."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
