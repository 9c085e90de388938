import numpy as np
import pytest
from scipy import signal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from toolkit.data.audio.formants import speak, speakers, utterances
from toolkit.data.audio.phonemes import PHONEMES, UNITS


def labels(said):
    return np.repeat(said.units, np.diff(said.ends, prepend=0))


def strongest(waveform, rate=8000, highest=4000):
    """The frequency at which a waveform's smoothed spectrum is strongest."""
    frequencies, power = signal.welch(waveform, rate, nperseg=256)
    return frequencies[np.argmax(np.where(frequencies <= highest, power, 0))]


def test_is_a_pure_function_of_its_seed():
    voice = speakers(2, seed=1)[1]
    first, same, other = (speak(["_", "a", "s", "_"], voice, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.waveform, same.waveform)
    assert len(other.waveform) != len(first.waveform)
    # One utterance does not depend on how many others there are.
    few, many = list(utterances(0.1, seed=2)), list(utterances(0.2, seed=2))
    np.testing.assert_array_equal(few[1].waveform, many[1].waveform)
    assert speakers(5, seed=7)[:3] == speakers(3, seed=7) and speakers(3, seed=8) != speakers(3, seed=7)


@pytest.mark.parametrize("rate", [4000, 8000, 16000, 22050])
def test_labels_cover_the_waveform_at_every_rate(rate):
    said = speak("_ p a t i m u _".split(), speakers(1)[0], sample_rate=rate)
    assert said.ends[-1] == len(said.waveform) == len(labels(said)) and (np.diff(said.ends) > 0).all()
    assert 0.5 < len(said.waveform) / rate < 1.5
    assert said.waveform.dtype == np.float32 and 0.5 < np.abs(said.waveform).max() <= 1


def test_labels_are_exact():
    """Noise and silence begin where the labels say, to a hundredth of a second."""
    said = speak("_ a s a S a _".split(), speakers(1)[0], seed=5)
    high = np.square(signal.sosfilt(signal.butter(6, 2200, "high", fs=8000, output="sos"), said.waveform))
    low = np.square(signal.sosfilt(signal.butter(6, 900, "low", fs=8000, output="sos"), said.waveform))
    voiced = np.isin(labels(said), ["a"])
    smooth = np.ones(160) / 160
    ratio = np.convolve(low, smooth, "same") / (np.convolve(high, smooth, "same") + np.convolve(low, smooth, "same"))
    inside = ~np.convolve(np.append(0, np.abs(np.diff(voiced.astype(int)))), np.ones(320), "same").astype(bool)
    inside &= labels(said) != "_"
    assert np.mean((ratio > 0.5)[inside] == voiced[inside]) > 0.97


def test_pitch_and_formants_are_the_speakers():
    low, high = sorted(speakers(6), key=lambda voice: voice.pitch)[::5]
    for voice in (low, high):
        said = speak(["a"] * 6, voice, seed=2)
        middle = said.waveform[1000:-1000].astype("float64")
        correlation = np.correlate(middle, middle, "full")[len(middle) - 1 :]
        lags = np.arange(8000 // 320, 8000 // 60)
        found = 8000 / lags[np.argmax(correlation[lags])]
        assert abs(np.log2(found / voice.pitch)) < voice.melody + 0.1
        # i has its first resonance low and the second one high, at the place that the vocal tract gives it.
        said = speak(["i"] * 6, voice, seed=2)
        band = signal.sosfilt(signal.butter(6, 1500, "high", fs=8000, output="sos"), said.waveform)
        assert abs(strongest(band, highest=2600 * voice.tract) / voice.tract - PHONEMES["i"].formants[1]) < 250


def test_neighbours_are_heard():
    """Before an i and before a u the same consonant sounds otherwise: its noise goes through another mouth."""
    voice = speakers(1)[0]
    bands = []
    for vowel in "iu":
        said = speak([vowel, "h", vowel], voice, seed=1)
        part = said.waveform[said.ends[0] : said.ends[1]]
        frequencies, power = signal.welch(part, 8000, nperseg=256)
        bands.append(power[(frequencies > 1800) & (frequencies < 2600)].sum() / power.sum())
    assert bands[0] > 5 * bands[1]


def test_nasals_lie_between_themselves_and_their_vowel():
    """In the middle of an n, where nothing of the vowel is heard any more."""
    centres = []
    for vowel in "iu":
        said = speak([vowel, "n", vowel], speakers(1)[0], seed=1)
        third = (said.ends[1] - said.ends[0]) // 3
        frequencies, power = signal.periodogram(said.waveform[said.ends[0] + third : said.ends[1] - third], 8000)
        band = (frequencies > 600) & (frequencies < 2300)
        centres.append((frequencies * power)[band].sum() / power[band].sum())
    assert centres[0] > centres[1] + 150


def test_what_cannot_be_said_is_refused():
    voice = speakers(1)[0]
    with pytest.raises(ValueError, match="'x' is no unit of the embedded speech. There are: _ a e i"):
        speak(["a", "x"], voice)
    with pytest.raises(ValueError, match="Expected at least one unit"):
        speak([], voice)
    with pytest.raises(ValueError, match="sample_rate=96000: expected 4,000 to 48,000"):
        speak(["a"], voice, sample_rate=96000)


def mel(waveform):
    """Log mel energies of frames of 32 ms, every 20 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, 128), 256)[::160] * np.hanning(256)
    frequencies = 1127 * np.log1p(np.fft.rfftfreq(256, 1 / 8000) / 700)
    edges = np.linspace(0, 1127 * np.log1p(4000 / 700), 26)
    bands = np.maximum(0, 1 - np.abs(frequencies[:, None] - edges[1:-1]) / (edges[1] - edges[0]))
    return np.log(np.abs(np.fft.rfft(frames)) ** 2 @ bands + 1e-6)


def test_units_and_speakers_are_told_apart_by_a_linear_model():
    features, units, voices, utterance = [], [], [], []
    for number, said in enumerate(utterances(2, num_speakers=6)):
        found = mel(said.waveform)
        features.append(np.concatenate([found, np.roll(found, 2, 0), np.roll(found, -2, 0)], axis=1))
        units.append(labels(said)[np.minimum(np.arange(len(found)) * 160, len(said.waveform) - 1)])
        voices.append(np.repeat(said.speaker.name, len(found)))
        utterance.append(np.repeat(number, len(found)))
    features, units, voices, utterance = map(np.concatenate, (features, units, voices, utterance))
    train = utterance // 6 % 4 != 0
    right = {}
    for what, targets in (("units", units), ("speakers", voices)):
        read = LinearDiscriminantAnalysis().fit(features[train], targets[train]).predict(features[~train])
        right[what] = np.mean(read == targets[~train])
        if what == "units":
            recalls = [np.mean(read[targets[~train] == unit] == unit) for unit in UNITS]
        else:
            votes = [
                np.unique(read[utterance[~train] == number], return_counts=True) for number in set(utterance[~train])
            ]
            named = [names[np.argmax(counts)] for names, counts in votes]
            truth = [f"speaker {number % 6}" for number in set(utterance[~train])]
            right["utterances"] = np.mean(np.array(named) == np.array(truth))
    # Chance: 0.19 (pauses), 0.21 and 1/6.
    assert right["units"] > 0.8 and min(recalls) > 0.02 and np.median(recalls) > 0.7, (right, recalls)
    assert right["speakers"] > 0.45 and right["utterances"] > 0.7, right
