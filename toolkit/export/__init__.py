"""SavedModel and TFLite with named signatures, checked against the model they came from, and a card that says so."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
