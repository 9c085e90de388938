import collections

import numpy as np

from toolkit.data.audio.phonemes import PAUSE, PHONEMES, UNITS, babble


def test_there_are_about_twenty_of_every_kind():
    kinds = collections.Counter(phoneme.kind for phoneme in PHONEMES.values())
    assert kinds.keys() == {"pause", "vowel", "liquid", "nasal", "fricative", "plosive"}
    assert 18 <= len(UNITS) <= 24 and UNITS[0] == PAUSE
    for phoneme in PHONEMES.values():
        assert list(phoneme.formants) == sorted(phoneme.formants)


def test_babble_has_every_unit_and_words_that_can_be_said():
    drawn = [babble(np.random.default_rng(seed), 3) for seed in range(100)]
    assert {unit for units in drawn for unit in units} == set(UNITS)
    for units in drawn:
        assert units[0] == units[-1] == PAUSE
        kinds = [PHONEMES[unit].kind for unit in units]
        assert not any(a == b == "pause" for a, b in zip(kinds, kinds[1:], strict=False))
        consonants = "".join("v" if kind == "vowel" else "_" if kind == "pause" else "c" for kind in kinds)
        assert "ccc" not in consonants
    assert babble(np.random.default_rng(5), 3) == drawn[5]
