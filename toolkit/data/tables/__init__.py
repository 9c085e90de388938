"""Tables of numbers, one column of which is to be told from the others: UCI's, CSV with a header, and made ones."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("load",))
