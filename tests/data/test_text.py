import bz2
import codecs
import gzip
import lzma
import pathlib
import subprocess
import sys
import types
import zipfile

import numpy as np
import pytest

from toolkit.data import text
from toolkit.data.text import Vocabulary, load, streams


def write(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


LINES = "".join(f"line {n} of the täxt, with some more words\n" for n in range(200))


def whole(corpus):
    return "".join(corpus.vocabulary.decode(corpus.tokens[split]) for split in text.SPLITS)


@pytest.mark.parametrize("level", ["char", "byte"])
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_nothing_is_lost_whatever_the_pieces(tmp_path, monkeypatch, level, chunk):
    """Pieces that end within a character or a word are put together."""
    monkeypatch.setattr(text, "_CHUNK", chunk)
    corpus = load(f"text:{write(tmp_path / 'a.txt', LINES)}", level=level)
    assert b"".join(corpus.vocabulary.decode(corpus.tokens[s]).encode() for s in text.SPLITS) == LINES.encode()
    assert sum(corpus.words.values()) == len(LINES.split()) + 200
    size = len(LINES.encode()) if level == "byte" else len(LINES)
    assert sum(corpus.characters.values()) == size
    assert (
        abs(corpus.characters["test"] / size - 0.1) < 0.01 and abs(corpus.characters["validation"] / size - 0.05) < 0.01
    )


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_words(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(text, "_CHUNK", chunk)
    corpus = load(f"text:{write(tmp_path / 'a.txt', LINES)}", level="word")
    train = corpus.vocabulary.decode(corpus.tokens["train"])
    expected = LINES[: len(train)].replace(" \n", "\n")
    assert train.split() == expected.split() and corpus.tokens["train"].dtype == np.uint8
    assert corpus.vocabulary.tokens[:2] == ("<unk>", "<eos>") or "<eos>" in corpus.vocabulary.tokens[:10]
    assert corpus.unknown["train"] == 0 < corpus.unknown["test"]  # line numbers that were never seen


def test_vocabulary_is_of_the_training_part(tmp_path):
    train, test = write(tmp_path / "a", "abab\n" * 50), write(tmp_path / "b", "abz\n" * 5)
    corpus = load(f"text:{train},{test}")
    assert corpus.vocabulary.tokens == ("<unk>", "\n", "a", "b")
    assert corpus.unknown == {"train": 0, "validation": 0, "test": 0.25}
    assert corpus.vocabulary.decode(corpus.tokens["test"][:4]) == "ab\ufffd\n"


def test_words_by_frequency_and_the_rare_ones_unknown():
    vocabulary = Vocabulary.of(["b a a <unk> c\n", "a b\nd <unk>"], "word", max_tokens=4)
    assert vocabulary.tokens == ("<unk>", "a", "<eos>", "b")
    assert vocabulary.encode("a <unk> d\nb").tolist() == [1, 0, 0, 2, 3]
    assert vocabulary.unknown("a d e d\n") == ["d", "e"]


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
    write(tmp_path / "ptb.valid.txt", "a b\n")
    with pytest.raises(ValueError, match=r"one file for train, NAME.train.txt; there is no such, but ptb.valid.txt"):
        load(f"ptb:{tmp_path}")


def test_packed_files(tmp_path):
    plain = load(f"text:{write(tmp_path / 'a.txt', LINES)}")
    for suffix, module in ((".gz", gzip), (".bz2", bz2), (".xz", lzma)):
        path = write(tmp_path / f"a.txt{suffix}", module.compress(LINES.encode()))
        np.testing.assert_array_equal(load(f"text:{path}").tokens["test"], plain.tokens["test"])
        write(path, module.compress(LINES.encode())[:-20])
        with pytest.raises(ValueError, match=rf"a.txt{suffix} is damaged"):
            load(f"text:{path}")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("enwik8", LINES)
    assert whole(load(f"text:{tmp_path / 'a.zip'}")) == LINES
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("other", LINES)
    with pytest.raises(ValueError, match="holds 2 files; expected one"):
        load(f"text:{tmp_path / 'a.zip'}")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_encodings(tmp_path, encoding):
    path = write(tmp_path / "a.txt", LINES, encoding)
    assert whole(load(f"text:{path}", encoding=encoding)) == LINES


def test_errors_name_file_and_place(tmp_path):
    path = write(tmp_path / "a.txt", "first\nsecond\n" + "ä\n", "latin-1")
    with pytest.raises(ValueError, match=r"a.txt, byte 13 \(line 3\): b'\\xe4\\n' is not utf-8.*--encoding"):
        load(f"text:{path},{path},{path}")
    with pytest.raises(ValueError, match="ends within a character of utf-8"):
        load(f"text:{write(path, b'ab' + codecs.BOM_UTF8[:2])},{path},{path}")
    with pytest.raises(ValueError, match="--encoding=utf-99: Python knows no such encoding"):
        load(f"text:{write(path, LINES)}", encoding="utf-99")
    with pytest.raises(ValueError, match="a.txt is empty"):
        load(f"text:{write(path, '')}")
    with pytest.raises(ValueError, match="the train part is empty"):
        load(f"text:{write(path, 'x')}")
    with pytest.raises(ValueError, match="nothing.txt: no such file"):
        load(f"text:{tmp_path / 'nothing.txt'}")
    with pytest.raises(ValueError, match="one, two or three files; got 4"):
        load("text:a,b,c,d")
    for wrong in ("embedded:german", "embedded:python:many"):
        with pytest.raises(ValueError, match="expected embedded, embedded:python"):
            load(wrong)
    with pytest.raises(ValueError, match="--held_out=0.9"):
        load("embedded", held_out=0.9)
    with pytest.raises(ValueError, match="--level=letter"):
        load("embedded", level="letter")
    with pytest.raises(ValueError, match="has 86 tokens; a batch of 4 streams of 100 needs 400"):
        load("embedded:english:100").splits(4, 100)


def test_embedded():
    english, python = load("embedded"), load("embedded:python:300000")
    assert sum(english.characters.values()) > 400_000 and len(english.vocabulary.tokens) > 90
    assert "import" in python.vocabulary.decode(python.tokens["train"])
    again = load("embedded")
    np.testing.assert_array_equal(again.tokens["train"], english.tokens["train"])


def test_tensorflow_datasets(monkeypatch):
    """By its interface: a builder with splits of examples that have a text."""
    parts = {"train": [b"one\n", b"two"] * 50, "test": [b"three"] * 5}
    builder = types.SimpleNamespace(
        download_and_prepare=lambda: None,
        info=types.SimpleNamespace(features={"text": None}, splits=parts),
        as_dataset=lambda split: [{"text": content} for content in parts[split]],
    )
    stand_in = types.SimpleNamespace(builder=lambda name: builder, as_numpy=lambda dataset: dataset)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", stand_in)
    corpus = load("tfds:any")
    assert corpus.vocabulary.decode(corpus.tokens["test"]) == "t\ufffd\ufffdee\n" * 5
    builder.info.features = {"image": None}
    with pytest.raises(ValueError, match="has no text: its features are image"):
        load("tfds:any")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match="pip install tensorflow-datasets"):
        load("tfds:any")
    with pytest.raises(ValueError, match="expected tfds:NAME"):
        load("tfds:")


@pytest.mark.parametrize("num_tokens, batch_size, length", [(103, 4, 10), (80, 4, 10), (7, 3, 5), (1000, 1, 33)])
def test_every_token_is_a_target_once_after_the_one_before_it(num_tokens, batch_size, length):
    tokens = np.random.default_rng(0).integers(1, 50, num_tokens).astype("uint8")
    rows, read = [[] for _ in range(batch_size)], [[] for _ in range(batch_size)]
    for step, batch in enumerate(streams(tokens, batch_size, length).dataset(num_epochs=1).as_numpy_iterator()):
        assert set(batch["continues"]) == {float(step > 0)}
        for row in range(batch_size):
            counted = batch["targets"][row] >= 0
            rows[row].extend(batch["targets"][row][counted])
            read[row].extend(batch["tokens"][row][counted])
    assert np.concatenate(rows).astype(int).tolist() == tokens.tolist()
    assert np.concatenate(read).astype(int).tolist() == [0, *tokens[:-1]]


def test_states_begin_anew():
    tokens = np.arange(100)
    flags = [b["continues"][0] for b in streams(tokens, 2, 5, reset_every=4).dataset(num_epochs=1).as_numpy_iterator()]
    assert flags == [0, 1, 1, 1, 0, 1, 1, 1, 0, 1]


def test_vocabulary_is_kept_and_compared(tmp_path):
    vocabulary = Vocabulary.of(["abc"], "char")
    path = write(tmp_path / "v.json", text.json.dumps({"vocabulary": vocabulary.as_dict()}))
    assert Vocabulary.read(path) == vocabulary and vocabulary.differs(vocabulary) == ""
    other = Vocabulary.of(["abd"], "char")
    assert vocabulary.differs(other) == "4 tokens and 4: only the first has 'c'; only the second has 'd'"
    assert "chars" in vocabulary.differs(Vocabulary.of([], "byte"))
    assert vocabulary.differs(Vocabulary("char", vocabulary.tokens[::-1])) == "the same tokens in another order"
    with pytest.raises(ValueError, match="does not hold a vocabulary"):
        Vocabulary.read(write(path, "[]"))


def test_shown():
    vocabulary = Vocabulary.of(["a \n\t\x07"], "char")
    assert vocabulary.shown(vocabulary.encode("a \n\t\x07z")) == ["a", "\u2423", "\u21b5", "\u21e5", "\u00b7", "\ufffd"]


@pytest.mark.slow
def test_a_hundred_megabytes_within_a_gigabyte(tmp_path):
    """As enwik8: one process reads it and every split's first batch."""
    line = "The <page> of [[Wikipédia]] number {} has some text that goes on for a while, as they do.\n"
    with open(tmp_path / "big.txt", "w") as file:
        number = 0
        while file.tell() < 100_000_000:
            file.write("".join(line.format(n) for n in range(number, number + 10_000)))
            number += 10_000
    program = (
        "import re, sys; from toolkit.data import text\n"
        "corpus = text.load('text:' + sys.argv[1], level=sys.argv[2])\n"
        "assert sum(corpus.characters.values()) > 95_000_000\n"
        "corpus.splits(32, 100).train.flat_batch(10)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"  # the highest so far
    )
    for level in ("byte", "char"):
        command = [sys.executable, "-c", program, str(tmp_path / "big.txt"), level]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=pathlib.Path(__file__).parents[2]
        )
        assert int(done.stdout.split()[-1]) < 1_000_000  # kB
