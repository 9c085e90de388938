"""Audio files as waveforms, and waveforms as spectrograms."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
