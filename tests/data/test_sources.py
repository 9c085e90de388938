import os

import pytest

from toolkit.data.sources import absolute, missing, parse

READERS = ("embedded", "iam", "npy")


@pytest.mark.parametrize(
    ("source", "parsed"),
    [
        ("embedded", ("embedded", "")),
        ("embedded:", ("embedded", "")),
        ("embedded:2000", ("embedded", "2000")),
        ("iam:/data/a:b", ("iam", "/data/a:b")),
        ("npy:~/lines", ("npy", "~/lines")),
    ],
)
def test_reader_and_rest(source, parsed):
    assert parse(source, READERS) == parsed
    assert parse(source, dict.fromkeys(READERS)) == parsed
    assert parse(source, iter(READERS)) == parsed


@pytest.mark.parametrize(
    ("source", "name", "near"),
    [("embeded", "embeded", "embedded"), ("Embedded:20", "Embedded", "embedded"), ("NPY:x", "NPY", "npy")],
)
def test_unknown_reader_suggests_the_nearest(source, name, near):
    with pytest.raises(ValueError) as raised:
        parse(source, READERS)
    assert str(raised.value) == (
        f"--data={source}: no reader {name!r}, no such path. Did you mean {near!r}? There are: embedded, iam, npy."
    )


@pytest.mark.parametrize("source", ["", "xxxxxxxx", "/nowhere/at/all", "http://host/file"])
def test_unknown_reader_unlike_any(source):
    with pytest.raises(ValueError, match="no such path. There are: embedded, iam, npy") as raised:
        parse(source, READERS)
    assert "Did you mean" not in str(raised.value)


def test_bare_path_is_sniffed(tmp_path, monkeypatch):
    seen = []

    def sniff(path):
        seen.append(path)
        return "npy" if path.is_dir() else None

    assert parse(str(tmp_path), READERS, sniff) == ("npy", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse("~", READERS, sniff) == ("npy", "~")
    assert seen == [tmp_path, tmp_path]


def test_path_that_tells_nothing_is_refused(tmp_path):
    file = tmp_path / "lines.bin"
    file.touch()
    for sniff in (None, lambda path: None):
        with pytest.raises(ValueError, match=r"it is not plain what it holds. .*with READER one of embedded, iam, npy"):
            parse(str(file), READERS, sniff)


def test_reader_goes_before_a_path_of_its_name(tmp_path, monkeypatch):
    (tmp_path / "npy").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parse("npy", READERS, lambda path: "iam") == ("npy", "")
    assert parse("./npy", READERS, lambda path: "iam") == ("iam", "./npy")


def test_paths_hold_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("one.txt", "two.txt", "a,b.txt", "mnist", os.fsdecode(b"caf\xe9.txt")):
        (tmp_path / name).touch()
    here = str(tmp_path)
    assert absolute("text:one.txt") == f"text:{here}/one.txt"
    assert absolute("text:one.txt,~/two.txt") == f"text:{here}/one.txt,{here}/two.txt"
    assert absolute("text:a,b.txt") == f"text:{here}/a,b.txt", "one file with a comma in its name"
    assert absolute("one.txt,two.txt") == f"{here}/one.txt,{here}/two.txt"
    assert absolute(os.fsdecode(b"text:caf\xe9.txt")) == os.fsdecode(f"text:{here}/caf".encode() + b"\xe9.txt")
    assert absolute("keras:mnist") == "keras:mnist", "a name, whatever lies here"
    for source in ("embedded", "embedded:40:2", "tfds:mnist", "", "text:", "text:gone.txt", "~nosuchuser/x", "a" * 300):
        assert absolute(source) == source
    assert absolute(absolute("text:one.txt")) == absolute("text:one.txt")


def test_what_is_missing(tmp_path):
    (tmp_path / "one.txt").touch()
    assert missing(f"text:{tmp_path}/one.txt") == missing("embedded:40") == missing("keras:mnist") == []
    assert missing(f"text:{tmp_path}/one.txt,{tmp_path}/two.txt") == [f"{tmp_path}/two.txt"]
    assert missing(f"{tmp_path}/two.txt") == [f"{tmp_path}/two.txt"]
