import numpy as np
import pytest
from scipy import signal

from tests import checks
from toolkit.layers import LogMelSpectrogram


def test_gate():
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 330)).astype("float32")
    checks.check_layer(lambda: LogMelSpectrogram(1000, hop=20, num_mels=6, frame_length=64, name="mels"), audio)


def mel(hertz):
    return 2595 * np.log10(1 + hertz / 700)


@pytest.mark.parametrize("hop, length", [(80, 256), (100, 100), (64, 200)])
def test_is_scipys_spectrogram_in_mel_bands(hop, length):
    """By another way to the spectra, frame by frame, and bands drawn by interpolation between three points."""
    rate, time = 8000, 1003
    audio = np.random.default_rng(0).uniform(-1, 1, time)
    found = np.asarray(LogMelSpectrogram(rate, hop, 20, length)(audio[None].astype("float32")))[0]
    assert found.shape == (-(-time // hop), 20)
    padded = np.pad(audio, (max(0, (length - hop) // 2), length + hop))
    window = signal.get_window("hann", 2 * length)[1::2]  # its points lie between those of the usual one
    hertz = np.arange(length // 2 + 1) * rate / length
    edges = 700 * (10 ** (np.linspace(mel(60), mel(rate / 2), 22) / 2595) - 1)
    bands = np.stack([np.interp(hertz, edges[n : n + 3], [0, 1, 0]) for n in range(20)], axis=1)
    for number, row in enumerate(found):
        frame = padded[number * hop : number * hop + length] * window
        power = np.abs(np.fft.rfft(frame) * 2 / window.sum()) ** 2
        np.testing.assert_allclose(row, np.log(power @ bands + 1e-6), atol=2e-3)


def test_a_tone_is_in_its_band_and_in_its_frames():
    rate, layer = 8000, LogMelSpectrogram(8000, 80)
    audio = np.zeros((1, 4000), "float32")
    audio[0, 1600:2400] = np.sin(2 * np.pi * 1000 * np.arange(800) / rate)
    found = np.asarray(layer(audio))[0]
    band = np.abs(mel(1000) - np.linspace(mel(60), mel(4000), 42)[1:-1]).argmin()
    assert abs(int(found[25].argmax()) - band) <= 1
    loud = found[:, band] > found[:, band].max() - 3
    assert set(np.flatnonzero(loud)) >= set(range(21, 29)) and not loud[:19].any() and not loud[31:].any()


def test_errors():
    with pytest.raises(ValueError, match="hop and num_mels at least 1"):
        LogMelSpectrogram(8000, 0)
    with pytest.raises(ValueError, match="num_mels=80 bands are too narrow for frames of 100 samples"):
        LogMelSpectrogram(8000, 80, 80, 100)
