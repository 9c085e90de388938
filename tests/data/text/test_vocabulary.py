import json

import numpy as np
import pytest

from toolkit.data.text.vocabulary import SPECIAL, Vocabulary


def test_words_by_frequency_and_the_rare_ones_unknown():
    vocabulary = Vocabulary.of(["b a a <unk> c\n", "a b\nd <unk>"], "word", max_tokens=4)
    assert vocabulary.tokens == ("<unk>", "a", "<eos>", "b")
    assert vocabulary.encode("a <unk> d\nb").tolist() == [1, 0, 0, 2, 3]
    assert vocabulary.unknown("a d e d\n") == ["d", "e"]


def test_a_size_without_room_for_the_special_tokens():
    how = {"special": ("<pad>", "<start>", "<end>")}
    with pytest.raises(ValueError, match="max_tokens must be at least 4, for <pad>, <start>, <end>, <unk>; got 2"):
        Vocabulary.of(["a b c"], "word", max_tokens=2, **how)
    assert len(Vocabulary.of(["a b c"], "word", max_tokens=4, **how).tokens) == 4


def test_vocabulary_is_kept_and_compared(tmp_path):
    vocabulary = Vocabulary.of(["abc"], "char")
    path = tmp_path / "v.json"
    path.write_text(json.dumps({"vocabulary": vocabulary.as_dict()}))
    assert Vocabulary.read(path) == vocabulary
    vocabulary.check_equal(vocabulary, "one", "two")
    for other, told in (
        (Vocabulary.of(["abd"], "char"), "4 tokens and 4: only the first has 'c'; only the second has 'd'."),
        (Vocabulary.of(["abcd"], "char"), "4 tokens and 5: only the second has 'd'."),
        (Vocabulary.of([], "byte"), "one is of chars, the other of bytes."),
        (Vocabulary("char", vocabulary.tokens[::-1]), "the same tokens in another order."),
    ):
        with pytest.raises(ValueError, match=f"^one has another vocabulary than two: {told}$"):
            vocabulary.check_equal(other, "one", "two")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "it holds list, expected fields"),
        ('{"level": "char"}', "it has no tokens"),
        ('{"level": 1, "tokens": []}', "level is int, expected str"),
        ('{"vocabulary": 3}', "it holds int, expected fields"),
        ('{"level": "letter", "tokens": ["<unk>"]}', "its level is 'letter'"),
        ('{"level": "char", "tokens": ["<unk>", 3]}', "not all of its tokens are text"),
        ('{"level": "char", "tokens": ["<unk>", "a", "a"]}', "a token twice"),
        ('{"level": "char", "tokens": ["a"]}', "no <unk> at its beginning"),
        ('{"level": "char", "tokens": ["<unk>", "ab"]}', "not all of its tokens are characters"),
        ('{"level": "byte", "tokens": ["a"]}', "not the 256 bytes"),
    ],
)
def test_files_that_hold_no_vocabulary(tmp_path, content, told):
    path = tmp_path / "v.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"v.json is not a vocabulary: .*{told}"):
        Vocabulary.read(path)


def test_bytes_of_a_command_line_are_themselves():
    vocabulary = Vocabulary.of([], "byte")
    assert vocabulary.encode(b"caf\xe9".decode("utf-8", "surrogateescape")).tolist() == list(b"caf\xe9")


def test_long_words_are_shown_by_their_beginning():
    assert Vocabulary.of(["a " + "b" * 999], "word").shown([1, 2]) == ["a", "b" * 40 + "\u2026"]


def test_shown():
    vocabulary = Vocabulary.of(["a \n\t\x07"], "char")
    assert vocabulary.shown(vocabulary.encode("a \n\t\x07z")) == ["a", "\u2423", "\u21b5", "\u21e5", "\u00b7", "\ufffd"]


@pytest.mark.parametrize("level, first", [("char", 4), ("word", 4), ("byte", 3)])
def test_padding_start_and_end_where_asked_for(level, first):
    """They come first and in their order; texts come back, and all else is as without them."""
    texts = ["a cat, ä <pad>", "", "the longest text of them all"]
    plain, special = Vocabulary.of([" ".join(texts)], level), Vocabulary.of(texts, level, special=SPECIAL[::-1])
    assert plain.special == () and special.special == special.tokens[:3] == SPECIAL == ("<pad>", "<start>", "<end>")
    assert len(special.tokens) == len(plain.tokens) + 3 - (level == "word")  # the word "<pad>" is no padding
    assert special.excluded == (0, 1) + (3,) * (level != "byte") and plain.excluded == (0,) * (level != "byte")
    batch = special.encode_batch(texts, start=True, end=True)
    sizes = [len(special.encode(text)) for text in texts]
    assert batch.shape == (3, max(sizes) + 2) and batch.dtype == np.int32
    for row, text, size in zip(batch, texts, sizes, strict=True):
        assert row[0] == 1 and row[size + 1] == 2 and not row[size + 2 :].any()
        np.testing.assert_array_equal(row[1 : size + 1], special.encode(text))
        assert (row[1 : size + 1] >= first - (level != "byte")).all()
    shown = [text.replace("<pad>", "<unk>") if level == "word" else text for text in texts]
    assert special.decode_batch(batch) == shown == special.decode_batch(special.encode_batch(texts))
    # What a network writes after the end is not the text's.
    assert special.decode_batch([[1, *special.encode("a"), 2, *special.encode("cat")]]) == ["a"]
    again = Vocabulary(**{**special.as_dict(), "tokens": tuple(special.as_dict()["tokens"])})
    np.testing.assert_array_equal(again.encode_batch(texts), special.encode_batch(texts))


def test_a_batch_is_cut_to_its_length():
    vocabulary = Vocabulary.of(["abc"], "char", special=("<pad>", "<end>"))
    assert vocabulary.tokens == ("<pad>", "<end>", "<unk>", "a", "b", "c")
    assert vocabulary.encode_batch(["abc", "z"], end=True, length=3).tolist() == [[3, 4, 1], [2, 1, 0]]
    assert vocabulary.encode_batch(["abc", ""], length=5).tolist() == [[3, 4, 5, 0, 0], [0] * 5]
    with pytest.raises(ValueError, match="has no <start>: ask Vocabulary.of"):
        vocabulary.encode_batch(["a"], start=True)
    with pytest.raises(ValueError, match="has no <end>, <pad>"):
        Vocabulary.of(["abc"], "char").encode_batch(["a"], end=True)
    with pytest.raises(ValueError, match="special must be of <pad>, <start>, <end>; got <mask>"):
        Vocabulary.of(["abc"], "char", special=["<mask>"])
    assert Vocabulary.of(["b a a"], "word", 4, special=["<pad>"]).tokens == ("<pad>", "<unk>", "a", "b")


def test_codes_go_to_an_exported_model_and_come_back():
    character, word = (Vocabulary.of(["a ä\n"], level) for level in ("char", "word"))
    numbers = character.encode("aä z")
    assert character.to_codes(numbers).tolist() == [97, 228, 32, 0]
    assert character.from_codes([97, 228, 32, 0]).tolist() == numbers.tolist()
    assert word.to_codes([2, 1]).tolist() == word.from_codes([2, 1]).tolist() == [2, 1]


def test_what_was_never_seen_is_told():
    vocabulary = Vocabulary.of(["some words and others\n"], "char")
    with pytest.raises(ValueError, match="--prompt='Größe': the network has never seen 'G', 'ö', 'ß'. It knows '.n ad"):
        vocabulary.encode_known("Größe", "--prompt")
    assert vocabulary.encode_known("words").tolist() == vocabulary.encode("words").tolist()
    with pytest.raises(ValueError, match="text='a b': the network has never seen 'b'. It knows 1 words"):
        Vocabulary.of(["a a"], "word").encode_known("a b")
