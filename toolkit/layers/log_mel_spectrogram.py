"""The log mel spectrogram: how loud each band of frequencies is, frame by frame."""

from typing import Any

import keras
import numpy as np
from keras import ops

_FLOOR = 1e-6  # the power below which all is silence: -60 dB of a full sine's


@keras.saving.register_keras_serializable(package="toolkit")
class LogMelSpectrogram(keras.layers.Layer):
    """log(M |F(w x)|² + 1e-6) of frames x of sound: Hann window w, Fourier transform F, triangular mel bands M.

    A frame lies around the middle of `hop` samples, so that a label of these goes with it. The transform is two strided
    convolutions, which every runtime has. It works in float32 under every dtype policy.

    Args:
        sample_rate: In Hz.
        hop: Samples from one frame to the next.
        num_mels: Bands, equally wide on the mel scale, from 60 Hz to half the sample rate.
        frame_length: Samples in a frame; None: 32 ms.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, time), in [-1, 1].

    Output shape: (batch, ceil(time / hop), num_mels), float32.

    Raises:
        ValueError: Where an argument is out of range, or no frequency of the transform lies in a band.

    Example:

    >>> LogMelSpectrogram(sample_rate=8000, hop=80, num_mels=40)(ops.zeros((2, 4010))).shape
    TensorShape([2, 51, 40])

    Reference: Davis, Mermelstein 1980, "Comparison of parametric representations", section II; the scale: O'Shaughnessy
    1987, 2595 log10(1 + f / 700).
    """

    def __init__(
        self, sample_rate: int, hop: int, num_mels: int = 40, frame_length: int | None = None, **kwargs
    ) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        length = round(0.032 * sample_rate) if frame_length is None else frame_length
        if sample_rate < 400 or hop < 1 or num_mels < 1 or length < 2:
            raise ValueError(
                "sample_rate must be at least 400, hop and num_mels at least 1 and frame_length at least 2; got "
                f"{sample_rate}, {hop}, {num_mels} and {length}."
            )
        self.sample_rate, self.hop, self.num_mels, self.frame_length = sample_rate, hop, num_mels, length
        # A frame of 0 to length - 1 around hop samples: so much stands before them, and the rest behind.
        self._before = max(0, (length - hop) // 2)
        self._transform, self._bands = _transform(length), _bands(sample_rate, length, num_mels)
        self.built = True

    def call(self, audio):
        audio = ops.cast(audio, "float32")[..., None]
        time = ops.shape(audio)[1]
        num_frames = -(-time // self.hop)
        behind = max(0, self.frame_length - self.hop - self._before) + self.hop
        x = ops.pad(audio, [[0, 0], [self._before, behind], [0, 0]])
        x = ops.conv(x, ops.convert_to_tensor(self._transform), self.hop, "valid")[:, :num_frames]
        half = self._transform.shape[-1] // 2
        power = ops.square(x[..., :half]) + ops.square(x[..., half:])
        return ops.log(ops.matmul(power, ops.convert_to_tensor(self._bands)) + _FLOOR)

    def compute_output_shape(self, input_shape) -> tuple:
        time = input_shape[1]
        return (input_shape[0], None if time is None else -(-time // self.hop), self.num_mels)

    def compute_output_spec(self, audio) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(audio.shape), dtype="float32")

    def get_config(self) -> dict:
        names = ("sample_rate", "hop", "num_mels", "frame_length")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _transform(length) -> Any:
    """Kernels (length, 1, 2 (length // 2 + 1)): cosines and then sines under a Hann window, so that a full sine has
    power 1."""
    time, number = np.arange(length)[:, None], np.arange(length // 2 + 1)[None]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(length) + 0.5) / length)
    angle = 2 * np.pi * ((time * number) % length) / length
    kernels = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * (2 * window / window.sum())[:, None]
    return kernels[:, None].astype("float32")


def _bands(sample_rate, length, num_mels) -> Any:
    """Triangles (length // 2 + 1, num_mels)."""
    hertz = np.arange(length // 2 + 1) * sample_rate / length
    lowest, highest = (2595 * np.log10(1 + edge / 700) for edge in (60.0, sample_rate / 2))
    edges = 700 * (10 ** (np.linspace(lowest, highest, num_mels + 2) / 2595) - 1)
    rising = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    bands = np.maximum(0, np.minimum(rising, falling)).astype("float32")
    if not bands.any(axis=0).all():
        raise ValueError(
            f"num_mels={num_mels} bands are too narrow for frames of {length} samples: take fewer, or longer frames."
        )
    return bands
