import pytest

from toolkit.data.translation import load
from toolkit.data.translation.report import examine


def from_file(tmp_path, lines, **how):
    (tmp_path / "a.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in lines))
    return examine(load(f"tsv:{tmp_path / 'a.tsv'}", **how), batch_size=8).report


def sentences(count=100, last=lambda number: f"b{number % 7}"):
    return [(f"a{number} x {number % 3}", f"y {last(number)} z{number % 30}") for number in range(count)]


def test_figures_count_the_words(tmp_path):
    found = from_file(tmp_path, sentences())
    pairs, words = found.sections["pairs"], found.sections["vocabulary"]
    assert pairs["pairs"] == {"train": 76, "validation": 4, "context": 10, "test": 10}
    assert set(pairs["words_of_sentences_mean"].values()) == {3.0} == set(pairs["words_of_translations_mean"].values())
    assert words["words"] == {"sentences": 100 + 1 + 3, "translations": 1 + 7 + 30}
    assert words["seen_in_training"]["sentences"] == 76 + 1 + 3 and words["seen_once"]["sentences"] == 76
    shares = found.sections["words_of_the_test_by_training_pairs_that_have_them_%"]
    assert sum(shares.values()) == pytest.approx(100) and shares["in 16 or more"] > 30
    assert found.sections["batches"]["steps_in_an_epoch"] == 10 and not found.refusal
    assert "Ready: 76 pairs to train on" in str(found)


def test_the_invented_language_is_as_it_should_be():
    found = examine(load("embedded:400"), batch_size=32)
    assert not found.report.changes and list(found.frequent)[:2] in (["lo", "mi"], ["mi", "lo"])
    assert len(found.frequent) <= 100 and list(found.frequent.values())[0] == 400


@pytest.mark.parametrize(
    "lines, told",
    [
        ([*sentences(20)] * 5, "of the test sentences are training sentences"),
        ([(f"a{number}", "y") for number in range(100)], "Hardly a word of the test is rare"),
        ([(f"a{number}", f"b{number}") for number in range(100)], "of the target words come once at most"),
    ],
)
def test_what_looks_wrong(tmp_path, lines, told):
    assert any(told in change for change in from_file(tmp_path, lines).changes)
