"""One pure step and one while loop: the same graph in Keras, SavedModel and TFLite."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
