"""Examples with a class, all in memory at once: mail as bags of words, made-up patients, images."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("load",))
