import keras
import numpy as np
import pytest
from scipy import special

from toolkit.methods import unit_recognition
from toolkit.models.speech_classifier import speech_classifier
from toolkit.models.wavenet_recognizer import wavenet_recognizer

INVENTORY = {"speakers": ["a", "b"], "units": ["_", "x", "y"], "unit_lengths": [80] * 3, "sample_rate": 8000}


def recognizer(**how):
    keras.utils.set_random_seed(0)
    sizes = {"filters": 4, "skip_filters": 4, "hop": 20, "frame_filters": 4, "num_levels": 16}
    return wavenet_recognizer(3, [1, 2, 4], **(sizes | how))


def linear(**how):
    keras.utils.set_random_seed(0)
    return speech_classifier(INVENTORY, hop=20, **({"num_layers": 0} | how))


def batch():
    random = np.random.default_rng(0)
    return {
        "audio": random.uniform(-1, 1, (3, 110)).astype("float32"),
        "mask": np.arange(110)[None] < np.array([[110], [70], [45]]),
        "speaker": np.array([0, 1, 1], "int32"),
        "units": np.repeat(random.integers(0, 3, (3, 11)), 10, axis=1).astype("int32"),
    }


def test_pairs_are_the_units_of_whole_frames_and_the_samples_after():
    network, given = recognizer(), batch()
    audio, targets, weights = unit_recognition.pairs(network)(given)
    assert audio is given["audio"] and unit_recognition.samples_per_frame(network) == 20
    middles = [10, 30, 50, 70, 90]
    np.testing.assert_array_equal(targets["units"], given["units"][:, middles])
    np.testing.assert_array_equal(weights["units"], given["mask"][:, middles])
    levels = np.asarray(network.get_layer("levels")(given["audio"]))
    np.testing.assert_array_equal(np.asarray(targets["samples"])[:, :-1], levels[:, 1:])
    np.testing.assert_array_equal(np.asarray(weights["samples"])[:, :-1], given["mask"][:, 1:])
    assert not np.asarray(weights["samples"])[:, -1].any()


def test_losses_are_means_of_nats_over_what_counts():
    network = recognizer()
    audio, targets, weights = unit_recognition.pairs(network)(batch())
    unit_recognition.compiled(network, sample_loss_weight=0.3)
    found = network.evaluate(audio, targets, sample_weight=weights, verbose=0, return_dict=True)
    outputs, nats = network(audio), {}
    for name, each in outputs.items():
        log_probs = special.log_softmax(np.asarray(each, "float64"), axis=-1)
        chosen = np.take_along_axis(log_probs, np.asarray(targets[name])[..., None], -1)[..., 0]
        nats[name] = -chosen[np.asarray(weights[name]) > 0].mean()
    np.testing.assert_allclose(found["loss"], nats["units"] + 0.3 * nats["samples"], rtol=1e-4)
    np.testing.assert_allclose(found["samples_bits_per_sample"], nats["samples"] / np.log(2), rtol=1e-4)
    right = np.asarray(outputs["units"]).argmax(axis=-1) == np.asarray(targets["units"])
    np.testing.assert_allclose(found["units_accuracy"], right[np.asarray(weights["units"]) > 0].mean(), rtol=1e-5)


@pytest.mark.parametrize(
    "make, how",
    [
        (recognizer, {}),
        (recognizer, {"kernel_size": 3, "num_frame_layers": 1, "hop": 5}),
        (recognizer, {"num_frame_layers": 0}),
        (linear, {}),
        (linear, {"num_layers": 2, "filters": 4}),
    ],
)
def test_in_pieces_is_as_at_once(make, how, monkeypatch):
    network = make(**how)
    hop = unit_recognition.samples_per_frame(network)
    waveform = np.random.default_rng(1).uniform(-1, 1, 90 * hop + hop // 2).astype("float32")
    expected = special.log_softmax(np.asarray(network(waveform[None, : 90 * hop])["units"])[0], axis=-1)
    lengths = []
    for piece in (1 << 17, 25 * hop):
        monkeypatch.setattr(unit_recognition, "_PIECE", piece)
        listen, predict = unit_recognition.listener(network), keras.Model.predict

        def spy(self, audio, predict=predict, **how):
            lengths.append(audio.shape[1])
            return predict(self, audio, **how)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keras.Model, "predict", spy)
            found = listen(waveform)
        np.testing.assert_allclose(found, expected, atol=2e-5)
    assert len(lengths) == 1 + 4 and max(lengths[1:]) < lengths[0] == 90 * hop
    with pytest.raises(ValueError, match=f"one frame of {hop} samples at least; got {hop - 1} samples"):
        listen(waveform[: hop - 1])


def test_stretches_cover_all_and_what_is_said_leaves_pauses_out():
    units = np.random.default_rng(2).integers(0, 3, 200)
    found = unit_recognition.stretches(units)
    assert [start for start, *_ in found] + [200] == [0] + [end for _, end, _ in found]
    np.testing.assert_array_equal(np.concatenate([np.full(end - start, unit) for start, end, unit in found]), units)
    assert all(one[2] != other[2] for one, other in zip(found[:-1], found[1:], strict=True))
    assert unit_recognition.said(units) == [unit for *_, unit in found if unit]
    assert unit_recognition.said(np.zeros(5, int)) == [] == unit_recognition.stretches(np.zeros(0, int))


def test_measure_counts_frames_and_edits(monkeypatch):
    """Two recordings, of which it is known what is heard: by hand."""
    heard = {70: [1, 1, 0, 2, 2, 2, 0], 40: [2, 2, 1, 1]}

    def listener(model):
        return lambda waveform: np.eye(3)[heard[len(waveform) // 10 * 10]]

    monkeypatch.setattr(unit_recognition, "listener", listener)
    first = np.repeat([1, 1, 0, 2, 1, 2, 0], 10)  # said: x y x y; heard: x y: two edits
    second = np.append(np.repeat([2, 2, 2, 2], 10), [1] * 5)  # y x; heard: y x: none, of the last half frame
    sounds = [(np.zeros(len(units)), units) for units in (first, second)]
    found = unit_recognition.measure(recognizer(hop=10), sounds)
    assert found.frame_accuracy_percent == pytest.approx(100 * (6 + 2) / 11)
    assert found.unit_error_rate_percent == pytest.approx(100 * 2 / 6)
    assert found.matrix.tolist() == [[2, 0, 0], [0, 2, 1], [0, 2, 4]]
    with pytest.raises(ValueError, match="of some characters"):
        unit_recognition.measure(recognizer(hop=10), [])
