import numpy as np
import pytest

from toolkit import data
from toolkit.data.translation import embedded


@pytest.fixture(scope="module")
def pairs():
    return data.translation.load("embedded:60")


def test_numbers_are_the_words(pairs):
    sentences = embedded.invented(60, seed=0)
    for part in embedded.PARTS:
        assert pairs.source.decode_batch(pairs.sentences[part]) == [each.source for each in sentences[part]]
        assert pairs.target.decode_batch(pairs.translations[part]) == [each.target for each in sentences[part]]


def test_inputs_are_the_words_before_the_targets(pairs):
    found = pairs.arrays("train")
    start, end = pairs.target.numbers["<start>"], pairs.target.numbers["<end>"]
    for before, target in zip(found["before"], found["target"], strict=True):
        length = int(np.sum(target >= 0))
        assert before[0] == start and target[length - 1] == end and np.all(target[length:] == -1)
        np.testing.assert_array_equal(before[1:length], target[: length - 1])
        assert not np.any(before[length:])


def test_occurrences_count_the_training_pairs(pairs):
    trained = [each.target.split() for each in embedded.invented(60, seed=0)["train"]]
    for row, counts in zip(pairs.translations["test"], pairs.occurrences["test"], strict=True):
        for number, count in zip(row, counts, strict=True):
            word = pairs.target.tokens[number]
            assert count == (sum(word in words for words in trained) if number > 3 else -1)


def test_occurrences_of_numbers_are_those_of_the_whole_number():
    found = data.translation.load("embedded:mapping:200")
    sources = [each.events for each in embedded.mapping(200, seed=0)["train"]]
    tested = embedded.mapping(200, seed=0)["test"]
    for pair, counts in zip(tested, found.occurrences["test"], strict=True):
        for event, count in zip(pair.events, counts, strict=False):
            assert count == (sum(event in each for each in sources) if event else -1)


def test_as_many_words_as_asked_for():
    found = data.translation.load("embedded:2000:60")
    assert len(found.source.tokens) == 60 + 1 + 4 and len(found.target.tokens) == 60 + 2 + 4


def test_batches_are_each_pair_once_an_epoch(pairs):
    batches = pairs.batches("train", 16)
    inputs, target = batches.arrays()
    np.testing.assert_array_equal(inputs["target"], target)
    expected = pairs.arrays("train")
    for name, each in inputs.items():
        assert sorted(map(tuple, each)) == sorted(map(tuple, expected[name]))
    assert data.translation.load("embedded:60").contents == pairs.contents
    assert data.translation.load("embedded:61").contents != pairs.contents


def test_a_file_of_ones_own(tmp_path):
    lines = [f"Go {'on ' * (number % 3)}{number}!\tVa {number} !\tCC-BY 2.0" for number in range(60)]
    (tmp_path / "fra.txt").write_text("\n".join([*lines, "", "a " * 40 + "\tb"]), encoding="utf-8")
    found = data.translation.load(str(tmp_path / "fra.txt"), held_out=0.5)
    assert {part: len(each) for part, each in found.sentences.items()} == {
        "train": 29, "validation": 1, "context": 15, "test": 15,
    }  # fmt: skip
    everything = [text for part in embedded.PARTS for text in found.source.decode_batch(found.sentences[part])]
    assert sorted(everything) == sorted(f"go {'on ' * (number % 3)}{number} !" for number in range(60))
    seen = found.occurrences["train"]
    assert seen[found.translations["train"] == found.target.numbers["va"]].min() == 29


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("embedded:5", "of 20 to 1,000,000"),
        ("embedded:mapping:", "expected embedded"),
        ("embedded:other", "expected embedded"),
        ("embedded:mapping:40:50", "expected embedded"),
        ("embedded:40:9", "and 40 to 10,000 words"),
    ],
)
def test_what_is_not_there(source, message):
    with pytest.raises(ValueError, match=message):
        data.translation.load(source)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("one\teins\ntwo\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"pairs.tsv, line 2: expected a sentence, a tab and its translation; got 'two'"
    ):
        data.translation.load(f"tsv:{path}")
    path.write_text("one\teins\n" * 19, encoding="utf-8")
    with pytest.raises(ValueError, match="expected 20 to 1,000,000 pairs of at most 30 words; got 19"):
        data.translation.load(f"tsv:{path}")
    with pytest.raises(FileNotFoundError, match="expected tsv:FILE"):
        data.translation.load("tsv:")
