"""Waveforms as spectrograms, plain or on the mel scale: what tensorflow-io's functions of these names compute, in
TensorFlow alone, so that they run on every version."""

from toolkit.lazy import tensorflow as tf


def spectrogram(waveform: "tf.Tensor", fft_length: int, frame_length: int, frame_step: int) -> "tf.Tensor":
    """Magnitudes of the short-time Fourier transform, under Hann windows; the last frames are padded with zeros.

    Args:
        waveform: (..., samples).
        fft_length: Samples of each transform, at least `frame_length`, such as 512.
        frame_length: Samples in a window, such as 400 (25 ms at 16 kHz).
        frame_step: Samples from one window to the next, such as 160 (10 ms).

    Returns:
        float32 of shape (..., ceil(samples / frame_step), fft_length // 2 + 1).

    Raises:
        ValueError: Where the transform is shorter than the window.

    Example:

    >>> spectrogram(tf.zeros([16000]), fft_length=512, frame_length=400, frame_step=160).shape
    TensorShape([100, 257])
    """
    if fft_length < frame_length:
        raise ValueError(f"fft_length={fft_length} must be at least frame_length={frame_length}.")
    return tf.abs(tf.signal.stft(waveform, frame_length, frame_step, fft_length, pad_end=True))


def mel_spectrogram(
    spectrogram: "tf.Tensor", sample_rate: int, num_mels: int, lowest_hertz: float, highest_hertz: float
) -> "tf.Tensor":
    """Sums a spectrogram's channels in triangular bands that are equally wide on the mel scale.

    Args:
        spectrogram: What `spectrogram` returned, (..., frames, channels).
        sample_rate: The waveform's, in Hz.
        num_mels: Bands, such as 80.
        lowest_hertz: Frequency at which the first band begins.
        highest_hertz: Frequency at which the last band ends; at most half the sample rate.

    Returns:
        float32 of shape (..., frames, num_mels).

    Raises:
        ValueError: Where the bands leave what the sample rate can hold.

    Example:

    >>> mel_spectrogram(tf.zeros([100, 257]), 16000, num_mels=80, lowest_hertz=80, highest_hertz=7600).shape
    TensorShape([100, 80])
    """
    bands = tf.signal.linear_to_mel_weight_matrix(
        num_mels, spectrogram.shape[-1], sample_rate, lowest_hertz, highest_hertz
    )
    return tf.matmul(spectrogram, bands)
