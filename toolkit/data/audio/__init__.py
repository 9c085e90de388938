"""Speech as windows of samples; audio files as waveforms, and waveforms as spectrograms; a formant synthesiser."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("examine", "load", "read", "speak"))
