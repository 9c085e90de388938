import bz2
import errno
import gzip
import lzma
import os
import zipfile

import numpy as np
import pytest

from toolkit.data.text import files
from toolkit.data.text.corpus import load
from toolkit.data.text.readers import SPLITS
from toolkit.data.text.vocabulary import Vocabulary


def write(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


LINES = "".join(f"line {n} of the täxt, with some more words\n" for n in range(200))


def whole(corpus):
    return "".join(corpus.vocabulary.decode(corpus.tokens[split]) for split in SPLITS)


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


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig", "utf-32-be", "cp1252", "utf-7"])
def test_encodings(tmp_path, encoding):
    path = write(tmp_path / "a.txt", LINES, encoding)
    assert whole(load(f"text:{path}", encoding=encoding)) == LINES


# Second bytes of these characters are letters, a backslash or a bar in ASCII; iso2022_jp has states.
CHARACTERS = {
    "gbk": "丂丄丅丆丏丒",
    "gb18030": "㐂㐄丂𠀀",
    "big5": "功許蓋",
    "shift_jis": "ソ十表予",
    "iso2022_jp": "日本語",
    "hz": "中文",
    "utf-16-le": "Ċ\u0a0a日",  # bytes that look like ends of lines
}


@pytest.mark.parametrize("encoding", CHARACTERS)
@pytest.mark.parametrize("size", [7, 64])
def test_characters_are_never_cut(tmp_path, monkeypatch, encoding, size):
    """At no block's edge, and at no part's: without a space or an end of line, parts end anywhere."""
    monkeypatch.setattr(files, "_CHUNK", size)
    text = "".join(f"{number}{character}" for number in range(60) for character in CHARACTERS[encoding])
    path = write(tmp_path / "a.txt", text, encoding)
    for held_out in (0.1, 0.13, 0.21):
        corpus = load(f"text:{path}", encoding=encoding, held_out=held_out)
        assert sum(corpus.characters.values()) == len(text)
        everything = load(
            f"text:{path}", encoding=encoding, held_out=held_out, vocabulary=Vocabulary.of([text], "char")
        )
        assert whole(everything) == text


@pytest.mark.parametrize("encoding", ["zlib", "base64", "rot13", "hex", "bz2", "quopri", "uu", "idna", "punycode"])
def test_what_is_no_encoding_of_text_files(tmp_path, encoding):
    with pytest.raises(ValueError, match=f"--encoding={encoding} is no encoding of text files"):
        load(f"text:{write(tmp_path / 'a.txt', LINES)}", encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_byte_order_mark_is_no_token(tmp_path, encoding):
    mark = "" if encoding in ("utf-16", "utf-8-sig") else "\ufeff"
    path = write(tmp_path / "a.txt", mark + LINES + "\ufeff end\n", encoding)
    assert whole(load(f"text:{path}", encoding=encoding)) == LINES + "\ufffd end\n", "but only at the beginning"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_line_ends(tmp_path, monkeypatch, end, size):
    monkeypatch.setattr(files, "_CHUNK", size)
    text = LINES[: 2000 if size < 9 else None]
    path = write(tmp_path / "a.txt", text.replace("\n", end))
    plain = load(f"text:{write(tmp_path / 'b.txt', text)}")
    corpus = load(f"text:{path}")
    assert whole(corpus) == text and corpus.vocabulary == plain.vocabulary
    assert corpus.vocabulary.decode(corpus.tokens["train"])[-1] == "\n", "cut at a line's end"
    words = load(f"text:{path}", level="word")
    assert words.words == corpus.words and "<eos>" in words.vocabulary.tokens
    assert whole(load(f"text:{path}", level="byte")) == text.replace("\n", end)


def test_bytes_are_left_in_their_encoding(tmp_path):
    content = LINES.encode("utf-16")
    corpus = load(f"text:{write(tmp_path / 'a.txt', content)}", encoding="utf-16", level="byte")
    assert b"".join(corpus.tokens[split].tobytes() for split in SPLITS) == content


def test_zero_bytes_are_told(tmp_path):
    path = write(tmp_path / "a.txt", b"one\ntwo\0\n" * 100)
    for level in ("char", "word"):
        with pytest.raises(ValueError, match="a.txt, line 2: a zero byte, which no text has.*--encoding.*level=byte"):
            load(f"text:{path}", level=level)
    assert load(f"text:{path}", level="byte").characters["train"] > 700


def test_a_full_temporary_folder_is_no_damage(tmp_path, monkeypatch):
    path = write(tmp_path / "a.txt.gz", gzip.compress(LINES.encode()))

    def full(handle, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="The temporary folder .* is full. Set TMPDIR"):
        load(f"text:{path}")


@pytest.mark.parametrize("level", ["char", "byte"])
def test_tidied_lines_whatever_the_pieces(monkeypatch, level):
    text = "  a  b\tc \n\n d\ne f"
    for size in range(1, len(text) + 1):
        monkeypatch.setattr(files, "_CHUNK", size)
        part = files.Part("a text", files.Spooled([text.encode()]), tidy=True)
        pieces = list(part.chunks(level))
        assert pieces[0][:0].join(pieces) == ("a b c\n\nd\ne f\n" if level == "char" else b"a b c\n\nd\ne f\n")
