"""Text of any size as tokens: characters, bytes or words, laid out in streams."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("load",))
