"""Sentences and what they are in another language: made on the spot, or in a file of one's own."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("load",))
