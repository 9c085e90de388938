"""What a trained model offers a program: signatures, examples, calibration inputs and a measure of its files."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
