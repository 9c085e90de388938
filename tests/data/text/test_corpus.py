import codecs
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from toolkit.data.text import files
from toolkit.data.text.corpus import load
from toolkit.data.text.readers import SPLITS


def write(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


LINES = "".join(f"line {n} of the täxt, with some more words\n" for n in range(200))


@pytest.mark.parametrize("level", ["char", "byte"])
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_nothing_is_lost_whatever_the_pieces(tmp_path, monkeypatch, level, chunk):
    """Pieces that end within a character or a word are put together."""
    monkeypatch.setattr(files, "_CHUNK", chunk)
    corpus = load(f"text:{write(tmp_path / 'a.txt', LINES)}", level=level)
    assert b"".join(corpus.vocabulary.decode(corpus.tokens[s]).encode() for s in SPLITS) == LINES.encode()
    assert sum(corpus.words.values()) == len(LINES.split()) + 200
    size = len(LINES.encode()) if level == "byte" else len(LINES)
    assert sum(corpus.characters.values()) == size
    assert (
        abs(corpus.characters["test"] / size - 0.1) < 0.01 and abs(corpus.characters["validation"] / size - 0.05) < 0.01
    )


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_words(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(files, "_CHUNK", chunk)
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
    with pytest.raises(FileNotFoundError, match="nothing.txt: no such file"):
        load(f"text:{tmp_path / 'nothing.txt'}")
    with pytest.raises(ValueError, match="text:a,b,c,d: expected text:FILE, text:TRAIN,TEST or"):
        load("text:a,b,c,d")
    for wrong in ("embedded:german", "embedded:python:many", "embedded:\u00b2", f"embedded:{'9' * 5000}"):
        with pytest.raises(ValueError, match="expected embedded, embedded:python"):
            load(wrong)
    with pytest.raises(ValueError, match="--held_out=0.9"):
        load("embedded", held_out=0.9)
    with pytest.raises(ValueError, match="--level=letter"):
        load("embedded", level="letter")
    with pytest.raises(ValueError, match="has 86 tokens; a batch of 4 streams of 100 needs 400"):
        load("embedded:english:100").splits(4, 100)


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
            command, capture_output=True, text=True, check=True, cwd=pathlib.Path(__file__).parents[3]
        )
        assert int(done.stdout.split()[-1]) < 1_000_000  # kB
