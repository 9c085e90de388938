"""Files of other people's making: read within bounds, refused by name; and our own, written whole or not at all."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
