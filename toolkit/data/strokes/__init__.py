"""Handwriting as pen offsets: readers, batches, a report, single pieces in files."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
