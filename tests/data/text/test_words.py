import pytest

from toolkit.data.text.words import split_words


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_pieces_do_not_matter(size):
    text = "the  cat\tsat\n\non a hat\n"
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    words = [word for found in split_words(pieces) for word in found]
    assert words == ["the", "cat", "sat", "<eos>", "<eos>", "on", "a", "hat", "<eos>"]


def test_last_word_needs_no_white_space():
    assert list(split_words(["a ha", "t"])) == [["a"], [], ["hat"]] and list(split_words([])) == [[]]
