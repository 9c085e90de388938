import sys

import numpy as np
import pytest

from toolkit.data.audio import files
from toolkit.data.audio.spectrograms import mel_spectrogram, spectrogram


def waveform():
    return np.random.default_rng(0).standard_normal(1000).astype("float32")


def test_is_the_transform_of_windowed_frames():
    samples = waveform()
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    padded = np.concatenate([samples, np.zeros(400)])
    expected = [np.abs(np.fft.rfft(padded[start : start + 400] * window, 512)) for start in range(0, 1000, 160)]
    np.testing.assert_allclose(spectrogram(samples, 512, 400, 160), expected, atol=1e-4)
    both = spectrogram(np.stack([samples, 2 * samples]), 512, 400, 160)
    np.testing.assert_allclose(both, np.stack([expected, 2 * np.array(expected)]), atol=2e-4)


def test_a_tone_is_in_the_band_of_its_mel():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype("float32")
    mels = mel_spectrogram(spectrogram(tone, 1024, 1024, 256), 16000, 40, 0.0, 8000.0)

    def mel(hertz):
        return 1127 * np.log1p(hertz / 700)

    centres = np.linspace(0, mel(8000), 42)[1:-1]
    assert mels.shape == (63, 40)
    assert (np.argmax(mels[2:-5], axis=1) == np.abs(centres - mel(1000)).argmin()).all()


def test_are_tensorflow_ios():
    files.has_native_decoders()  # imports it silently
    if "tensorflow_io" not in sys.modules:
        pytest.skip("tensorflow-io is not installed: it has no release for this Python")
    audio = sys.modules["tensorflow_io"].audio
    plain = spectrogram(waveform(), 512, 400, 160)
    np.testing.assert_allclose(plain, audio.spectrogram(waveform(), 512, 400, 160), atol=1e-5)
    mels = mel_spectrogram(plain, 16000, 20, 80.0, 7600.0)
    np.testing.assert_allclose(mels, audio.melscale(plain, 16000, 20, 80.0, 7600.0), rtol=1e-4)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="fft_length=256 must be at least frame_length=400"):
        spectrogram(waveform(), 256, 400, 160)
    with pytest.raises(ValueError, match="upper_edge_hertz"):
        mel_spectrogram(spectrogram(waveform(), 512, 400, 160), 16000, 20, 80.0, 9000.0)
