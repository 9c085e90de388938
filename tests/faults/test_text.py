"""Texts of every kind that a stranger may have: encodings, marks, ends of lines, names, giants, and what is no text."""

import bz2
import gzip
import io
import lzma
import os
import tempfile
import zipfile

import numpy as np
import pytest

from tests.faults.hostile import check_answer, table, unchanged
from toolkit.data import text
from toolkit.data.text.vocabulary import Vocabulary

LINES = "A line, and another: words.\n" * 60


def load(source, **how):
    text.load(source, **how).tokens["train"][:5].tolist()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


NO_ENCODINGS = ["zlib", "base64", "rot13", "hex", "bz2", "uu", "quopri", "idna", "punycode", "unicode_escape",
                "raw_unicode_escape", "undefined", "charmap", "", "utf-99", "a\0b", "é", "../../passwd", "__init__",
                "x" * 9999, "-1"]  # fmt: skip


@pytest.mark.parametrize("encoding", table((repr(name[:20]), name) for name in NO_ENCODINGS))
def test_what_is_no_encoding(encoding, tmp_path):
    (tmp_path / "a.txt").write_text(LINES)
    assert check_answer(lambda: load("text:a.txt", encoding=encoding), ["--encoding="]) is not None


def contents():
    """(name, the file's bytes, encoding, level, what is expected)."""
    for encoding, characters in {
        "gbk": "丂丄中文", "gb18030": "㐂𠀀中", "big5": "功許蓋", "shift_jis": "ソ十表", "iso2022_jp": "日本語",
        "iso2022_kr": "한국", "euc_jp": "日本", "cp949": "한국", "hz": "中文", "utf-7": "ä+日", "cp1252": "äöü€",
        "koi8-r": "мир", "utf-16": "日a", "utf-16-be": "日a", "utf-32": "日a", "utf-8-sig": "äa", "mac-roman": "äa",
    }.items():  # fmt: skip
        content = (characters * 400).encode(encoding)
        yield f"{encoding} without a line's end", content, encoding, "char", "works"
        yield f"{encoding} as bytes", content, encoding, "byte", "works"
    for encoding in ("gbk", "shift_jis", "utf-16", "cp1252"):
        content = ("äé" if encoding == "cp1252" else "日本").encode(encoding) * 400
        yield f"{encoding} read as utf-8", content, "utf-8", "char", "is not utf-8"
    yield "utf-16 cut in a character", LINES.encode("utf-16")[:-1], "utf-16", "char", "ends within a character"
    yield "utf-8 cut in a character", (LINES + "日").encode()[:-1], "utf-8", "char", "ends within a character"
    yield "gbk cut in a character", (LINES + "中").encode("gbk")[:-1], "gbk", "char", "ends within a character"
    yield "surrogates in utf-8", LINES.encode() + b"\xed\xa0\x80" + LINES.encode(), "utf-8", "char", "is not utf-8"
    yield "half a pair in utf-16", b"\x00\xd8a\x00" + LINES.encode("utf-16-le"), "utf-16-le", "char", "is not utf-16-le"
    yield "half a pair in utf-7", b"+2AA-" + LINES.encode(), "utf-7", "char", "a half of a character"
    for name, end in {"CR": "\r", "CRLF": "\r\n", "mixed": "\r\n\r\r\n\n", "NEL": "\x85", "U+2028": "\u2028"}.items():
        for level in ("char", "word", "byte"):
            yield f"ends of lines {name}, {level}", LINES.replace("\n", end).encode(), "utf-8", level, "works"
    for name, content in {
        "a letter": b"a", "two letters": b"ab", "an end": b"\n", "a mark": b"\xef\xbb\xbf", "half of it": b"\xef\xbb",
    }.items():  # fmt: skip
        for level in ("char", "word", "byte"):
            yield f"only {name}, {level}", content, "utf-8", level, ""
    for name, content in {"spaces": b" ", "ends of lines": b"\n", "carriage returns": b"\r", "tabs": b"\t"}.items():
        for level in ("char", "word", "byte"):
            works = "works" if level != "word" or content in b"\n\r" else "the train part is empty"
            yield f"only {name}, {level}", content * 900, "utf-8", level, works
    yield "only zero bytes", bytes(900), "utf-8", "char", "line 1: a zero byte"
    yield "only zero bytes, words", bytes(900), "utf-8", "word", "line 1: a zero byte"
    yield "only zero bytes as bytes", bytes(900), "utf-8", "byte", "works"
    yield "one zero byte", LINES.encode() + b"\0", "utf-8", "char", "of its part: a zero byte"
    yield "utf-16 read as latin-1", LINES.encode("utf-16"), "latin-1", "char", "a zero byte"
    yield "marks within", ("\ufeff\ufeff" + LINES.replace("A", "\ufeff")).encode(), "utf-8", "char", "works"
    yield "a long word", b"a" * (3 << 20), "utf-8", "word", "more than 1,048,576 characters without white space"
    yield "a long line", b"a b " * (1 << 19), "utf-8", "word", "works"
    yield "a Chinese paragraph of words", ("中文" * 5000 + "\n").encode() * 20, "utf-8", "word", "works"
    yield "every byte", bytes(range(256)) * 20, "utf-8", "char", "a.txt"
    yield "every byte as bytes", bytes(range(256)) * 20, "utf-8", "byte", "works"
    yield "control characters", bytes(range(1, 32)) * 90, "ascii", "char", "works"
    yield "combining characters", ("a" + "\u0301" * 500 + "\n").encode() * 99, "utf-8", "char", "works"


@pytest.mark.parametrize("content, encoding, level, expected", table(contents()))
def test_contents(content, encoding, level, expected, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    with unchanged(tmp_path):
        check_answer(lambda: load("text:a.txt", encoding=encoding, level=level), ["a.txt"], expected)


NAMES = ["a text.txt", "a,b.txt", ",", "a\nb.txt", "-x.txt", "~.txt", "a:b.txt", "text:a", "%s{0}.txt", "$HOME",
         "naïve 日本.txt", "b\udce9.txt", ".hidden", "n" * 255, "a.txt.", "*.txt", "a.gzip"]  # fmt: skip


@pytest.mark.parametrize("name", table((repr(name[:20]), name) for name in NAMES))
def test_names(name, tmp_path):
    (tmp_path / name).write_text(LINES)
    check_answer(lambda: load(f"text:{tmp_path / name}"), [], "works")
    check_answer(lambda: load(f"text:./{name},./{name}") if "," not in name else None, [], "works")


FORMS = {
    "text:": "expected text:FILE", "text:,": "expected text:FILE", "text:a.txt,": "expected text:FILE",
    "text:,a.txt": "expected text:FILE", "text:a.txt,a.txt": "works", "text:a.txt,a.txt,a.txt": "works",
    "text:a.txt,a.txt,a.txt,a.txt": "expected text:FILE", "text:none.txt": "no such file",
    "text:a.txt,none.txt": "none.txt", "text:.": "is a folder", "text:/dev/null": "a device", "text:a\0b": "path",
    "text:~nosuchuser/a.txt": "no such user", "text:a.txt/b": "no such file", "text:" + "n" * 300: "too long",
    "text: a.txt": "no such file", "text:a.txt ": "no such file", "a.txt": "works", "text:a.txt;b.txt": "no such file",
    "ptb:": "expected the folder", "ptb:none": "expected the folder", "ptb:a.txt": "expected the folder",
    "ptb:a\0b": "expected the folder", "ptb:empty": "expected the folder", "ptb:~nosuchuser": "no such user",
    "embedded:²": "expected embedded", "embedded:-5": "expected embedded", "embedded:1e5": "expected embedded",
    "embedded:english:²": "expected embedded", "embedded:" + "9" * 400: "expected embedded",
    "embedded:english:10**9": "expected embedded", "embedded:klingon": "expected embedded", "embedded::": "",
    "embedded:english:99999999999": "works", "embedded:0": "is empty", "embedded:3": "is empty",
    "embedded: 5": "expected embedded", "embedded:nan": "expected embedded", "embedded:٣٣٣": "expected embedded",
    "embedded:english:5:5": "expected embedded",
    "tex:a.txt": "Did you mean 'text'", "": "no reader", ":": "no reader", ":a.txt": "no reader",
}  # fmt: skip


@pytest.mark.parametrize("source, expected", table((repr(source[:30]), source, told) for source, told in FORMS.items()))
def test_forms_of_data(source, expected, tmp_path):
    (tmp_path / "a.txt").write_text(LINES)
    (tmp_path / "empty").mkdir()
    check_answer(
        lambda: load(source), [*filter(None, source.partition(":")[2].split(",")), "--data=", "'a\\x00b'"], expected
    )


@pytest.mark.parametrize(
    "how, expected",
    table([
        *((f"held_out {value}", {"held_out": value}, "--held_out=") for value in (0, -1, 0.6, np.nan, np.inf, -np.inf)),
        ("held_out 1e-9", {"held_out": 1e-9}, "the validation part is empty"),
        ("held_out 0.599", {"held_out": 0.599}, "works"),
        ("level letter", {"level": "letter"}, "--level=letter"),
        ("level nothing", {"level": ""}, "--level="),
        ("one word known", {"level": "word", "max_tokens": 2}, "works"),
        ("more words known than there are", {"level": "word", "max_tokens": 10**12}, "works"),
    ]),
)  # fmt: skip
def test_numbers(how, expected, tmp_path):
    (tmp_path / "a.txt").write_text(LINES)
    check_answer(lambda: load("text:a.txt", **how), ["--held_out", "--level", "--data=text:a.txt"], expected)


def zipped(method=zipfile.ZIP_DEFLATED, **members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def lying():
    """A zip whose directory says another size than is in it."""
    content = bytearray(zipped(a=LINES))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = (1 << 31).to_bytes(4, "little")
    return bytes(content)


def encrypted():
    content = bytearray(zipped(a=LINES))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


PACKED = {
    "zeros.gz": (lambda: gzip.compress(bytes(80 << 20), 1), "65.0 MB, and 64.0 MB is allowed"),
    "zeros.bz2": (lambda: bz2.compress(bytes(70 << 20), 1), "64.0 MB is allowed"),
    "zeros.xz": (lambda: lzma.compress(bytes(70 << 20), preset=0), "65.0 MB, and 64.0 MB is allowed"),
    "zeros.zip": (lambda: zipped(a=bytes(70 << 20)), "64.0 MB is allowed"),
    "nothing.gz": (lambda: gzip.compress(b""), "the train part is empty"),
    "nothing.zip": (lambda: zipped(), "holds 0 files"),
    "two.zip": (lambda: zipped(a=LINES, b=LINES), "holds 2 files"),
    "a giant beside.zip": (lambda: zipped(a=LINES, b=bytes(70 << 20)), "holds 2 files"),
    "folder.zip": (lambda: zipped(**{"a/": "", "a/b.txt": LINES}), "works"),
    "upwards.zip": (lambda: zipped(**{"../../../tmp/x": LINES}), "works"),
    "stored.zip": (lambda: zipped(zipfile.ZIP_STORED, a=LINES), "works"),
    "bz2.zip": (lambda: zipped(zipfile.ZIP_BZIP2, a=LINES), "works"),
    "lzma.zip": (lambda: zipped(zipfile.ZIP_LZMA, a=LINES), "works"),
    "lying.zip": (lying, ""),
    "encrypted.zip": (encrypted, "encrypted"),
    "plain.gz": (LINES.encode, "plain.gz is damaged"),
    "plain.xz": (LINES.encode, "plain.xz is damaged"),
    "plain.bz2": (LINES.encode, "plain.bz2 is damaged"),
    "plain.zip": (LINES.encode, "plain.zip is not"),
    "gzip.zip": (lambda: gzip.compress(LINES.encode()), "gzip.zip is not"),
    "zip.gz": (lambda: zipped(a=LINES), "zip.gz is damaged"),
    "CAPITALS.GZ": (lambda: gzip.compress(LINES.encode()), "works"),
    "CAPITALS.ZIP": (lambda: zipped(a=LINES), "works"),
    "two in a row.gz": (lambda: 2 * gzip.compress(LINES.encode()), "works"),
    "and noise.gz": (lambda: gzip.compress(LINES.encode()) + b"noise", "is damaged"),
    "twice.gz": (lambda: gzip.compress(gzip.compress(LINES.encode())), "is not utf-8"),
    "latin.gz": (lambda: gzip.compress(b"caf\xe9\n" * 99), "is not utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("name, content, expected", table((name, name, *each) for name, each in PACKED.items()))
def test_packed(name, content, expected, tmp_path):
    (tmp_path / name).write_bytes(content())
    with unchanged(tmp_path):
        check_answer(lambda: load(f"text:{name}"), [name], expected)


def test_no_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "a.gz").write_bytes(gzip.compress(LINES.encode()))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    check_answer(lambda: load("text:a.gz"), ["TMPDIR"], "No temporary file can be written")


def penn(folder, **files):
    for name in ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"):
        (folder / name).write_text(" a <unk> word\n" * 90)
    for name, content in files.items():
        name = f"ptb.{name}.txt"
        if content is None:
            os.unlink(folder / name)
        elif content == "folder":
            os.unlink(folder / name)
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)


PENN = {
    "good": ({}, "works"), "no test": ({"test": None}, "one file for test"),
    "a folder": ({"valid": "folder"}, "one file for validation"),
    "two to train": ({"all.train": b"a\n"}, "one file for train"), "empty": ({"test": b""}, "is empty"),
    "spaces": ({"test": b"  \n \n" * 9}, "works"), "no end": ({"test": b"a b c"}, "works"),
    "a long line": ({"test": b"a b " * (1 << 18)}, "works"), "a long word": ({"test": b"a" * (2 << 20)}, "no word"),
    "a mark": ({"train": b"\xef\xbb\xbf a b\n" * 9}, "works"), "CRLF": ({"train": b" a b \r\n" * 9}, "works"),
    "Latin-1": ({"valid": b"caf\xe9\n"}, "ptb.valid.txt"), "only spaces": ({"test": b"   "}, "the test part is empty"),
}  # fmt: skip


@pytest.mark.parametrize("files, expected", table((name, *each) for name, each in PENN.items()))
def test_folders_of_the_penn_treebank(files, expected, tmp_path):
    penn(tmp_path, **files)
    for level in ("char", "word"):
        check_answer(lambda level=level: load(f"ptb:{tmp_path}", level=level), [str(tmp_path)], expected)


PROMPTS = {
    "nothing": ("", "works"), "known": ("aba", "works"), "new": ("abc", "never seen 'c'"),
    "half": ("\ud800", "--prompt="), "all": ("".join(map(chr, range(99, 9999))), "--prompt="),
    "bytes": ("\udce9", "--prompt="), "zero": ("\0", "--prompt="), "long": ("x" * 10**6, "--prompt='x"),
    "long and known": ("ab" * 10**5, "works"), "end of line": ("a\r\n", "'\\r'"),
}  # fmt: skip


@pytest.mark.parametrize("level", ["char", "word", "byte"])
@pytest.mark.parametrize("prompt, expected", table((name, *each) for name, each in PROMPTS.items()))
def test_prompts(prompt, expected, level):
    vocabulary = Vocabulary.of(["ab" * 10 + " aba\n"], level)
    if level == "char":
        check_answer(lambda: vocabulary.encode_known(prompt, "--prompt"), ["--prompt="], expected)
    else:
        check_answer(lambda: vocabulary.encode_known(prompt, "--prompt"), ["--prompt="])
