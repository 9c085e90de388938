import collections
import itertools

import numpy as np
import pytest

from toolkit.generation import ctc_decoding


def collapsed(path):
    """B of Graves et al. 2006: repeats once, then without blanks."""
    return tuple(c for c, _ in itertools.groupby(path) if c)


def probabilities_of_texts(logits):
    """Every text's probability: the sum over all paths that write it."""
    p = np.exp(logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True)))
    texts = collections.Counter()
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        texts[collapsed(path)] += np.prod(p[np.arange(len(p)), list(path)])
    return texts


@pytest.mark.parametrize("seed", range(6))
def test_beam_search_finds_the_likeliest_text(seed):
    logits = np.random.default_rng(seed).normal(0.0, 1.5, (5, 3)).astype("float32")
    (best, _), *_ = probabilities_of_texts(logits).most_common(1)
    assert ctc_decoding.beam_search(logits[None], "ab", 50) == ["".join("ab"[c - 1] for c in best)]


def test_greedy_is_the_best_path_collapsed():
    random = np.random.default_rng(0)
    logits = random.normal(size=(20, 15, 4)).astype("float32")
    expected = ["".join("abc"[c - 1] for c in collapsed(row)) for row in logits.argmax(axis=-1)]
    assert ctc_decoding.greedy(logits, "abc") == expected
    codes = np.asarray(ctc_decoding.greedy_codes(logits, "abc"))
    assert ["".join(map(chr, row[row > 0])) for row in codes] == expected
    assert not any(row[i] == 0 and row[i + 1] for row in codes for i in range(14)), "no gap"


def test_logits_of_another_alphabet():
    for decode in (ctc_decoding.greedy, ctc_decoding.beam_search):
        with pytest.raises(ValueError, match="blank and 2 characters; got"):
            decode(np.zeros((1, 4, 4)), "ab")
