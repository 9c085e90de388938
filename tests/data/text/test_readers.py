import sys

import numpy as np
import pytest

from tests.data.data_sets import stand_in
from toolkit.data.text.corpus import load


def test_penn_treebank(tmp_path, test_data):
    for split in ("train", "valid", "test"):
        source = "test" if split == "test" else "valid"
        (tmp_path / f"ptb.{split}.txt").write_bytes((test_data / "text" / f"ptb.{source}.txt").read_bytes())
    words, characters = (load(f"ptb:{tmp_path}", level=level, max_tokens=10_000) for level in ("word", "char"))
    # As published: 73,760 and 82,430 words with the ends of lines.
    assert (words.words["validation"], len(words.tokens["validation"])) == (73_760, 73_760)
    assert (words.words["test"], len(words.tokens["test"])) == (82_430, 82_430)
    assert words.vocabulary.tokens[0] == "<unk>" and len(words.vocabulary.tokens) == 6022
    assert len(characters.vocabulary.tokens) == 51
    assert characters.words == words.words and characters.characters == words.characters
    lines = characters.vocabulary.decode(characters.tokens["test"]).split("\n")
    assert lines[0] == "no it was n't black monday" and lines[-1] == ""
    assert 5.3 < characters.characters["test"] / characters.words["test"] < 5.6


def test_ptb_folder_with_too_little(tmp_path):
    with pytest.raises(ValueError, match="expected the folder of ptb.train.txt"):
        load("ptb:")
    (tmp_path / "ptb.valid.txt").write_text("a b\n")
    with pytest.raises(ValueError, match=r"one file for train, NAME.train.txt; there is no such, but ptb.valid.txt"):
        load(f"ptb:{tmp_path}")


def test_embedded():
    english, python = load("embedded"), load("embedded:python:300000")
    assert sum(english.characters.values()) > 400_000 and len(english.vocabulary.tokens) > 90
    assert "import" in python.vocabulary.decode(python.tokens["train"])
    again = load("embedded")
    np.testing.assert_array_equal(again.tokens["train"], english.tokens["train"])


def test_tensorflow_datasets(monkeypatch):
    """By its interface: a builder with splits of examples that have a text."""
    parts, features = {"train": [b"one\n", b"two"] * 50, "test": [b"three"] * 5}, {"text": None}
    examples = {part: [{"text": content} for content in contents] for part, contents in parts.items()}
    stand_in(monkeypatch, examples, features)
    corpus = load("tfds:any")
    assert corpus.vocabulary.decode(corpus.tokens["test"]) == "t\ufffd\ufffdee\n" * 5
    features["image"] = features.pop("text")
    with pytest.raises(ValueError, match="has no text: its features are image"):
        load("tfds:any")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match="pip install tensorflow-datasets"):
        load("tfds:any")
    with pytest.raises(ValueError, match="expected tfds:NAME"):
        load("tfds:")
