import numpy as np

from toolkit.data.text.corpus import load
from toolkit.data.text.report import examine


def words(seed, count):
    random = np.random.default_rng(seed)
    return "".join("".join(random.choice(list("abcdefgh "), 60)) + "\n" for _ in range(count))


def found_in(tmp_path, train, test, **how):
    for name, content in (("train", train), ("test", test)):
        (tmp_path / name).write_text(content)
    corpus = load(f"text:{tmp_path / 'train'},{tmp_path / 'test'}", level=how.pop("level", "char"))
    return examine(corpus, batch_size=how.get("batch_size", 4), sequence_length=50)


def test_counts(tmp_path):
    train = words(0, 100)
    found = found_in(tmp_path, train, words(1, 20))
    text = found.report.sections["text"]
    assert text["tokens"]["test"] == 20 * 61 == text["characters"]["test"]
    kept = train[: text["tokens"]["train"]]
    assert found.counts == {c: kept.count(c) for c in found.counts} and set(found.counts) == set(kept)
    assert found.frequent == {c.replace(" ", "\u2423").replace("\n", "\u21b5"): n for c, n in found.counts.items()}
    pieces, bits = found.beginnings["test"]
    assert len(pieces) == len(bits) == 400 and pieces[60] == "\u21b5"
    np.testing.assert_allclose(bits[60], -np.log2(kept.count("\n") / len(kept)))
    assert not found.report.changes and not found.report.refusal
    assert "bits a token by frequency alone" in str(found.report)


def test_what_looks_wrong(tmp_path):
    train = words(0, 100)
    found = found_in(tmp_path, train, train[:3000])
    assert any("100 % of the test text is in the training text" in change for change in found.report.changes)
    found = found_in(tmp_path, train, words(2, 20).upper())
    assert any("% of the test tokens are unknown" in change for change in found.report.changes)
    pieces, bits = found.beginnings["test"]
    assert all(bit == 0 for piece, bit in zip(pieces, bits, strict=True) if piece == "\ufffd") and "\ufffd" in pieces


def test_too_little_is_refused(tmp_path):
    found = found_in(tmp_path, words(0, 30), words(1, 5), batch_size=64)
    assert "a batch needs 3200" in found.report.refusal


def test_a_text_whose_words_are_none_is_told(tmp_path):
    train = words(0, 100).replace(" ", "a")
    found = found_in(tmp_path, train, words(1, 20), level="word")
    assert any("A word of the train text has 30 characters" in change for change in found.report.changes)
