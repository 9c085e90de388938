from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy import special

from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.methods import sound_codes
from toolkit.models import wavenet

RANDOM = np.random.default_rng(0)


def halved(waveform):
    """An encoder of two samples a code."""
    return np.asarray(waveform[: len(waveform) // 2 * 2], "int32").reshape(-1, 2).max(axis=1)


def test_pieces_hold_every_code_once_in_order():
    recordings = [
        SimpleNamespace(waveform=RANDOM.integers(1, 9, length), speaker=who) for who, length in ((2, 30), (0, 8))
    ]
    found = list(sound_codes.pieces(halved, recordings, num_places=4))
    assert [len(codes) for codes, *_ in found] == [4, 1]
    for (codes, speakers, lengths), recording in zip(found, recordings, strict=True):
        counted = np.concatenate([piece[:length] for piece, length in zip(codes, lengths, strict=True)])
        np.testing.assert_array_equal(counted, halved(recording.waveform))
        assert set(speakers) == {recording.speaker} and codes.shape[1] == 4
    assert found[0][2].tolist() == [4, 4, 4, 3]


def test_a_recording_without_a_code_has_a_piece_of_which_nothing_counts():
    codes, _, lengths = next(sound_codes.pieces(halved, [SimpleNamespace(waveform=np.zeros(1), speaker=1)], 3))
    assert codes.tolist() == [[0, 0, 0]] and lengths.tolist() == [0]


def test_pairs_are_the_codes_before_and_those_that_count():
    prior = wavenet.wavenet([1, 2], 4, 4, num_levels=300, codes=True, num_speakers=3)
    batch = {"codes": RANDOM.integers(0, 300, (2, 5)), "label": np.array([2, 0]), "length": np.array([5, 2])}
    inputs, codes, weights = sound_codes.pairs(prior)(
        {name: ops.convert_to_tensor(each.astype("int32")) for name, each in batch.items()}
    )
    np.testing.assert_array_equal(codes, batch["codes"])
    np.testing.assert_array_equal(inputs["audio"], np.pad(batch["codes"], ((0, 0), (1, 0)))[:, :-1])
    assert inputs["speaker"].numpy().tolist() == [2, 0]
    assert weights.numpy().tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]


def test_what_codes_take_is_the_mean_over_those_that_count():
    prior = wavenet.wavenet([1, 2], 4, 4, num_levels=9, codes=True)
    batch = {"codes": RANDOM.integers(0, 9, (3, 5)), "label": np.zeros(3), "length": np.array([5, 2, 4])}
    batch = {name: each.astype("int32") for name, each in batch.items()}
    signature = {name: tf.TensorSpec((None, *each.shape[1:]), each.dtype) for name, each in batch.items()}
    plan = shuffled_plan(3, 2, seed=0, shuffle=False)
    batches = Batches(lambda rows: {name: each[rows] for name, each in batch.items()}, plan, signature, num_examples=3)
    inputs, codes, _ = sound_codes.pairs(prior)({name: ops.convert_to_tensor(each) for name, each in batch.items()})
    log_probs = special.log_softmax(np.asarray(prior(inputs), "float64"), axis=-1)
    counted = np.arange(5)[None] < batch["length"][:, None]
    nats = -np.take_along_axis(log_probs, np.asarray(codes)[..., None], -1)[..., 0][counted].mean()
    assert sound_codes.measured(prior, batches) == pytest.approx(nats / np.log(2), rel=1e-4)


@pytest.mark.parametrize("length", [5, 6, 7])
def test_units_stand_in_the_middle_of_their_codes(length):
    recording = SimpleNamespace(waveform=np.arange(length), units=np.arange(100, 100 + length))
    ceiling = lambda sound: sound[::2]  # noqa: E731
    codes, units = sound_codes.codes_and_units(ceiling, 2, [recording, recording])
    assert len(codes) == len(units) == 2 * -(-length // 2)
    assert units[: len(units) // 2].tolist() == [100 + min(1 + 2 * n, length - 1) for n in range(len(units) // 2)]
