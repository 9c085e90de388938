import time

import pytest

from toolkit.data.text.words import split_words, whole_words


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_pieces_do_not_matter(size):
    text = "the  cat\tsat\n\non a hat\n"
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    words = [word for found in split_words(pieces) for word in found]
    assert words == ["the", "cat", "sat", "<eos>", "<eos>", "on", "a", "hat", "<eos>"]


def test_last_word_needs_no_white_space():
    assert list(split_words(["a ha", "t"])) == [["a"], ["hat"]] and list(split_words([])) == []


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_whole_words_are_cut_after_white_space_of_any_kind(size):
    text = "one\u3000two\rthree\x85 four\nfive"
    for whole in (text, text.encode("ascii", "replace")):
        pieces = list(whole_words(whole[start : start + size] for start in range(0, len(whole), size)))
        assert whole[:0].join(pieces) == whole and all(piece[-1:].isspace() for piece in pieces[:-1])
    assert len(list(whole_words(text[start : start + size] for start in range(0, len(text), size)))) > 1 or size > 99


def test_a_long_word_takes_time_by_its_length_and_has_an_end():
    start = time.perf_counter()
    assert list(split_words(["a"] * 500_000)) == [["a" * 500_000]]
    assert time.perf_counter() - start < 3, "each piece is read once"
    with pytest.raises(ValueError, match="more than 1,048,576 characters without white space"):
        list(split_words(["a" * (1 << 20)] * 2))
