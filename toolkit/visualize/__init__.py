"""Arrays in, matplotlib figures out; knows no model."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
