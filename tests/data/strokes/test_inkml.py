import functools
import tarfile

import numpy as np
import pytest

from tests.data.strokes.drawn import OPTIONS, parts_of
from toolkit.data.strokes.inkml import read_inkml
from toolkit.data.strokes.lines import to_strokes
from toolkit.data.strokes.loading import load, read


def ink(words, writer="", top=True):
    """A file of words, each in a group of its own; stroke n of word m goes from (10 m, n) to the right."""
    groups = "".join(
        "<traceGroup>"
        + (f'<annotation type="truth">{word}</annotation>' if top else "")
        + "".join(f"<trace>{10 * number} {n},{10 * number + 1 + n} {n}</trace>" for n in range(len(word)))
        + "</traceGroup>"
        for number, word in enumerate(words)
    )
    named = f'<annotation type="writer">{writer}</annotation>' if writer else ""
    whole = f'<annotation type="truth">{" ".join(words)}</annotation>' if top else ""
    return f'<ink xmlns="http://www.w3.org/2003/InkML">{named}{whole}\n{groups}</ink>'


def publish(folder, num_writers=4, named=False):
    for writer in range(num_writers):
        for page in range(2):
            path = folder / f"writer{writer}" / f"page{page}.inkml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(ink(["one", "more", "word"], f"w{writer}" if named else ""))
    return folder


def test_writers_are_held_out(tmp_path):
    publish(tmp_path, 22)
    parts = read_inkml(tmp_path, seed=1, text=True)
    writers = [{line.writer for line in part} for part in parts]
    assert [len(part) for part in parts] == [20 * 6, 6, 6] and list(map(len, writers)) == [20, 1, 1]
    assert not writers[0] & writers[1] and not writers[0] & writers[2] and not writers[1] & writers[2]
    assert read_inkml(tmp_path, seed=2, text=True)[2][0].writer != parts[2][0].writer
    line = parts[1][1]
    assert line.text == "more" and line.name == f"{line.writer}/page0.inkml, line 2"
    assert len(to_strokes(line.offsets)) == 4 and line.offsets.dtype == np.float32


def test_sentences(tmp_path):
    parts = read(f"inkml_whole:{publish(tmp_path)}", seed=0, text=True)
    assert [len(part) for part in parts] == [4, 2, 2]
    assert {line.text for part in parts for line in part} == {"one more word"}


def test_writers_that_the_files_name(tmp_path):
    parts = read_inkml(publish(tmp_path, named=True), seed=0, text=True)
    assert {line.writer for part in parts for line in part} == {"w0", "w1", "w2", "w3"}


def test_sessions_are_one_writers(tmp_path):
    publish(tmp_path, 3)
    (tmp_path / "writer2").rename(tmp_path / "writer1b")
    lines = sum(read_inkml(tmp_path, seed=0, text=True), [])
    assert {line.writer for line in lines} == {"writer0", "writer1"}


def test_one_file_and_its_folder(tmp_path):
    """Of one writer, lines are held out; hidden files are none."""
    path = tmp_path / "page.INKML"
    path.write_text(ink([f"word{n}" for n in range(30)]))
    (tmp_path / "._page.inkml").write_bytes(b"\0\5")
    for source in (f"inkml:{path}", f"inkml:{tmp_path}"):
        parts = read(source, seed=0, text=True)
        assert [len(part) for part in parts] == [28, 1, 1]
        assert sum(parts, [])[0].writer == ""


def test_load_by_its_path(tmp_path):
    publish(tmp_path / "a" / "b")
    for source in (f"{tmp_path}", f"{tmp_path}/a/b/writer0/page0.inkml"):
        batch = load(source, **OPTIONS, text=True).train.peek()
        text = "".join(map(chr, batch["text"][0])).rstrip("\0")
        assert text in ("one", "more", "word") and batch["offsets"][0, :, 2].sum() == len(text)
    assert [part.num_examples for part in parts_of(load(str(tmp_path), **OPTIONS, text=False))] == [12, 6, 6]


def test_without_transcripts(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.inkml").write_text(ink(["one", "more"], top=False))
    parts = read_inkml(tmp_path, seed=0, text=False)
    assert [len(part) for part in parts] == [2, 1, 1] and len(to_strokes(parts[0][0].offsets)) == 7
    with pytest.raises(ValueError, match="0.inkml: no transcript; expected an <annotation type=.*--skip_corrupt"):
        read_inkml(tmp_path, seed=0, text=True)


def test_traces_outside_are_counted(tmp_path, capsys):
    path = tmp_path / "a.inkml"
    path.write_text(ink(["one", "more", "word"]).replace("</ink>", "<trace>0 0</trace><trace>1 1</trace></ink>"))
    read_inkml(path, seed=0, text=True)
    assert f"inkml:{path}: 2 traces of 1 files left out" in capsys.readouterr().out


def test_nothing_to_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder holds no .inkml file"):
        read_inkml(tmp_path, seed=0, text=True)
    path = tmp_path / "a.inkml"
    path.write_text(ink(["one", "two"]))
    with pytest.raises(ValueError, match="2 lines; at least 3 are needed"):
        read_inkml(path, seed=0, text=True)


@functools.cache
def words(test_data):
    """Its files by name, in the order of the archive."""
    with tarfile.open(test_data / "more" / "imadocsen_words_inkml.tar.xz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.name.endswith(".inkml")}


@pytest.mark.slow
def test_real_words(test_data, tmp_path):
    """ImadocSen-OnDB: 16,423 words by 44 writers, some of whom came twice or more."""
    for name, content in words(test_data).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    parts = read_inkml(tmp_path, seed=0, text=True)
    lines = sum(parts, [])
    assert len(lines) == 16_423 and [len({line.writer for line in part}) for part in parts] == [40, 2, 2]
    assert len({line.writer for line in lines}) == 44
    # Counted another way: the words' labels, and the points of each trace.
    contents = b"".join(words(test_data).values()).decode("utf-8")
    assert sorted(line.text for line in lines) == sorted(
        part.partition("</label>")[0] for part in contents.split("<type>Word</type>\r\n        <label>")[1:]
    )
    assert sum(len(line.offsets) for line in lines) == contents.count(",") + contents.count("<trace ")
    assert sum(int(line.offsets[:, 2].sum()) for line in lines) == contents.count("<trace ")
    assert all(set(line.text) <= set("abcdefghijklmnopqrstuvwxyz'") for line in lines)
