"""What this machine offers, and what to type where something is missing: `python -m toolkit.doctor`."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
