import codecs
import functools
import re
import tracemalloc

import numpy as np
import pytest

from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.iam_ondb import read_iam_ondb, read_points, read_transcript, without_outliers
from toolkit.data.strokes.lines import to_strokes
from toolkit.data.strokes.loading import load

FORMS = {
    "trainset": ["a01-000u", "h02-037", "a01-000x"],
    "testset_v": ["a01-001u"],
    "testset_t": ["b04-012z"],
    "testset_f": ["z00-001", "p06-804z"],
}
MANY = {name: [f"c0{row}-{number:03}" for number in range(10)] for row, name in enumerate(FORMS)}


@functools.cache
def written():
    """Texts and their strokes in the board's units, whole numbers as the sensor gives them."""
    lines = embedded_writers.written_lines(40, seed=5)
    return [
        (line.text, [np.rint(10 * s + [1000, 2000]).astype(int) for s in to_strokes(line.offsets)]) for line in lines
    ]


def xml(strokes, corner="top_left"):
    """A line's file as published."""
    rows = [
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
        "<WhiteboardCaptureSession>",
        "  <WhiteboardDescription>",
        f'    <SensorLocation corner="{corner}"/>',
        '    <DiagonallyOppositeCoords x="6512" y="1376"/>',
        '    <VerticallyOppositeCoords x="966" y="1376"/>',
        '    <HorizontallyOppositeCoords x="6512" y="787"/>',
        "  </WhiteboardDescription>",
        "  <StrokeSet>",
    ]
    time = 769.05
    for stroke in strokes:
        rows.append(f'    <Stroke colour="black" start_time="{time:.2f}" end_time="{time + 0.015 * len(stroke):.2f}">')
        for x, y in stroke:
            rows.append(f'      <Point x="{x}" y="{y}" time="{time:.2f}"/>')
            time += 0.015
        rows.append("    </Stroke>")
    return "\n".join([*rows, "  </StrokeSet>", "</WhiteboardCaptureSession>", ""])


def publish(folder, forms=FORMS, lines=2, strokes="", ascii="", lists=""):
    """The database as published; gives each part's (text, strokes) in order."""
    numbers = iter(range(10**6))
    parts = {}
    for name, members in forms.items():
        parts[name] = []
        for form in members:
            chosen = [written()[next(numbers) % 40] for _ in range(lines)]
            place = folder / strokes / "lineStrokes" / form[:3] / form[:7]
            place.mkdir(parents=True, exist_ok=True)
            for number, (_, drawn) in enumerate(chosen, 1):
                (place / f"{form}-{number:02}.xml").write_text(xml(drawn))
            place = folder / ascii / "ascii" / form[:3] / form[:7]
            place.mkdir(parents=True, exist_ok=True)
            texts = "\n".join(text for text, _ in chosen)
            (place / f"{form}.txt").write_text(f"OCR:\n\nQUITE another text\nCSR?\n\nCSR:\n\n{texts}\n")
            parts[name] += chosen
        (folder / lists).mkdir(exist_ok=True)
        (folder / lists / f"{name}.txt").write_text("\n".join(members) + "\n")
    return parts["trainset"] + parts["testset_t"], parts["testset_v"], parts["testset_f"]


def check(parts, expected):
    for part, lines in zip(parts, expected, strict=True):
        assert [line.text for line in part] == [text for text, _ in lines]
        for line, (_, strokes) in zip(part, lines, strict=True):
            assert line.offsets.dtype == np.float32 and not line.offsets[0, :2].any()
            for one, two in zip(to_strokes(line.offsets), strokes, strict=True):
                np.testing.assert_array_equal(one, two - strokes[0][0])


@pytest.mark.parametrize("folders", [
    {},
    {"strokes": "lineStrokes-all", "ascii": "ascii-all", "lists": "task1"},
    {"strokes": "data", "ascii": "data", "lists": "data"},
    {"strokes": "IAM/lineStrokes-all", "ascii": "IAM/ascii-all", "lists": "IAM"},
])  # fmt: skip
def test_strokes_texts_and_splits_are_those_written(tmp_path, folders):
    (tmp_path / "IAM").mkdir()
    expected = publish(tmp_path, **folders)
    check(read_iam_ondb(tmp_path, text=True), expected)


def test_load_named_and_by_its_path(tmp_path):
    expected = publish(tmp_path)
    for source in (f"iam:{tmp_path}", str(tmp_path)):
        splits = load(source, batch_size=4, seed=0, text=True)
        assert [part.num_examples for part in (splits.train, splits.validation, splits.test)] == [8, 2, 4]
        batch = splits.validation.peek()
        texts = {
            "".join(map(chr, codes[codes > 0])): offsets
            for codes, offsets in zip(batch["text"], batch["offsets"], strict=True)
        }
        assert set(texts) == {text for text, _ in expected[1]}
        for text, strokes in expected[1]:
            points = np.concatenate(strokes)
            np.testing.assert_array_equal(texts[text][1 : len(points), :2], np.diff(points, axis=0))
            assert texts[text][:, 2].sum() == len(strokes)


def test_transcripts_are_not_needed_without_text(tmp_path):
    expected = publish(tmp_path, ascii="elsewhere/far/away/indeed")
    parts = read_iam_ondb(tmp_path, text=False)
    check(parts, [[("", strokes) for _, strokes in part] for part in expected])
    with pytest.raises(FileNotFoundError, match="no ascii in it or up to two folders down. Expected the folder that"):
        read_iam_ondb(tmp_path, text=True)


@pytest.mark.parametrize("name", ["lineStrokes", "trainset.txt", "testset_v.txt", "testset_t.txt", "testset_f.txt"])
def test_missing_folder_or_list_is_named(tmp_path, name):
    publish(tmp_path)
    (tmp_path / name).rename(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match=f"no {name} in it or up to two folders down.* Needed are lineStrokes"):
        load(f"iam:{tmp_path}", batch_size=4, seed=0, text=True)


def test_path_is_wrong(tmp_path):
    (tmp_path / "lineStrokes-all.tar.gz").touch()
    for path, error, message in [
        (tmp_path / "none", FileNotFoundError, "none: no such file or folder"),
        (tmp_path / "lineStrokes-all.tar.gz", ValueError, "gz is a file. Expected the folder in which IAM-OnDB was"),
        ("", ValueError, "--data=iam: its path is missing"),
    ]:
        with pytest.raises(error, match=message):
            load(f"iam:{path}", batch_size=4, seed=0, text=True)


def test_lists_with_other_spaces_and_line_ends(tmp_path):
    expected = publish(tmp_path)
    for name in FORMS:
        rows = (tmp_path / f"{name}.txt").read_text().split()
        content = "\r\n".join(["", *(f"  {row}\t" for row in rows), "", rows[0], ""])
        (tmp_path / f"{name}.txt").write_bytes(codecs.BOM_UTF8 + content.encode())
    check(read_iam_ondb(tmp_path, text=True), expected)


@pytest.mark.parametrize(("row", "message"), [
    ("../../x", r"trainset.txt, line 4: expected a form such as a01-000u; got '../../x'"),
    ("a01-000u-01", "trainset.txt, line 4: expected a form such as a01-000u; got 'a01-000u-01'"),
    ("<html>", "trainset.txt, line 4: expected a form such as a01-000u; got '<html>'"),
    ("b04-012z", "testset_t.txt, line 1: the form b04-012z is in trainset.txt too"),
    ("é", r"trainset.txt, line 4: byte 26 \(0xe9\) is not UTF-8"),
])  # fmt: skip
def test_list_is_wrong(tmp_path, row, message):
    publish(tmp_path)
    (tmp_path / "trainset.txt").write_bytes("\n".join([*FORMS["trainset"], row]).encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        read_iam_ondb(tmp_path, text=True)


def test_absent_forms_are_left_out_and_counted(tmp_path, capsys):
    train, validation, test = publish(tmp_path, MANY)
    for place in ("lineStrokes", "ascii"):
        (tmp_path / place / "c00" / "c00-000").rename(tmp_path / place / "c00" / "gone")
    check(read_iam_ondb(tmp_path, text=True), [train[2:], validation, test])
    found = f"1 of 40 forms left out: no such form in {tmp_path}/lineStrokes, such as c00-000.\n"
    assert capsys.readouterr().out == f"iam:{tmp_path}: {found}"
    for number in range(1, 3):
        (tmp_path / "lineStrokes" / "c00" / f"c00-00{number}").rename(tmp_path / "lineStrokes" / f"{number}")
    with pytest.raises(ValueError, match="3 of 40 forms cannot be read: no such form in .* such as c00-000. Were the"):
        read_iam_ondb(tmp_path, text=True)


@pytest.mark.parametrize("content", [None, "", "OCR:\n\nno other part\n", "OCR:\n\ntext\n\nCSR:\n\n\n"])
def test_lines_without_transcript_are_left_out_and_counted(tmp_path, capsys, content):
    train, validation, test = publish(tmp_path, MANY)
    path = tmp_path / "ascii" / "c03" / "c03-009" / "c03-009.txt"
    path.unlink() if content is None else path.write_text(content)
    check(read_iam_ondb(tmp_path, text=True), [train, validation, test[:-2]])
    found = f"2 of 80 lines left out: no transcript in {tmp_path}/ascii, such as c03-009-01.\n"
    assert capsys.readouterr().out == f"iam:{tmp_path}: {found}"
    check(
        read_iam_ondb(tmp_path, text=False), [[("", drawn) for _, drawn in part] for part in (train, validation, test)]
    )
    for number in range(8):
        (tmp_path / "ascii" / "c03" / f"c03-00{number}" / f"c03-00{number}.txt").unlink()
    with pytest.raises(ValueError, match="18 of 80 lines cannot be read: no transcript in .* such as c03-000-01. Were"):
        read_iam_ondb(tmp_path, text=True)


@pytest.mark.parametrize("rest", ["", "\n\nA third line, which is not there"])
def test_line_beyond_the_transcript_is_left_out(tmp_path, capsys, rest):
    train, validation, test = publish(tmp_path, MANY)
    (tmp_path / "ascii" / "c02" / "c02-009" / "c02-009.txt").write_text(f"OCR:\n\nCSR:\n\nThe only line{rest}")
    train[-2:] = [("The only line", train[-2][1])]
    check(read_iam_ondb(tmp_path, text=True), [train, validation, test])
    assert "1 of 80 lines left out: no transcript" in capsys.readouterr().out


def test_transcript(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(
        b"OCR:\r\n\r\nCSR: is below\r\n\r\nCSR:\r\n\r\nOne CSR: line \r\n\r\n third%%%%%%%%%%%fourth: 5%%\r\n"
    )
    assert read_transcript(path) == ["One CSR: line", "", "third", "fourth: 5%%"]
    path.write_bytes(b"CSR:\n\ncaf\xe9\n")
    with pytest.raises(ValueError, match=r"a.txt, line 3: byte 9 \(0xe9\) is not UTF-8"):
        read_transcript(path)


LINE = [np.array([[10, 10], [40, 15]]), np.array([[60, 70], [65, 75], [70, 90]])]
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
BOMB = f'<!DOCTYPE a [<!ENTITY a0 "lol">{LAUGHS}]>'
HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
DAMAGED = {
    "cut": (lambda text: text[:600], "line 1[0-9]: not whole XML"),
    "cut between elements": (
        lambda text: text[: text.index("  </StrokeSet>")],
        "line 19: not whole XML .no element found",
    ),
    "blank": (lambda text: "\n", "line 2: not whole XML .no element found"),
    "no XML": (lambda text: "404 not found", "line 1: not whole XML .syntax error"),
    "other XML": (lambda text: "<svg><Stroke/></svg>", r"expected a WhiteboardCaptureSession; got \['svg'\]"),
    "wrong encoding": (
        lambda text: text.replace("ISO-8859-1", "UTF-8").replace("black", "\xe9"),
        "line 10: not whole XML",
    ),
    "unknown encoding": (
        lambda text: text.replace("ISO-8859-1", "hex"),
        "line 1: 'hex' is not a text encoding",
    ),
    "encoding of several bytes": (
        lambda text: text.replace("ISO-8859-1", "gb2312"),
        "line 1: multi-byte encodings are not supported",
    ),
    "no stroke": (lambda text: xml([]), "expected strokes with points; got 0 strokes and 0 points"),
    "empty stroke": (lambda text: xml([LINE[0], [], LINE[1]]), "stroke 2 of 3 has no point"),
    "empty last stroke": (lambda text: xml([*LINE, []]), "stroke 3 of 3 has no point"),
    "only an empty stroke": (lambda text: xml([[]]), "stroke 1 of 1 has no point"),
    "point outside": (
        lambda text: text.replace("<StrokeSet>", '<StrokeSet><Point x="1" y="2"/>'),
        "expected strokes with points; got 2 strokes and 6 points",
    ),
    "word": (lambda text: text.replace('"65"', '"wide"'), "line 16: stroke 2: expected a Point with x and y .*'wide'"),
    "no y": (lambda text: text.replace('y="75"', ""), "line 16: stroke 2: expected a Point with x and y on the board"),
    "NaN": (lambda text: text.replace('"65"', '"nan"'), "line 16: stroke 2: expected a Point"),
    "infinite": (lambda text: text.replace('"65"', '"-inf"'), "line 16: stroke 2: expected a Point"),
    "huge": (lambda text: text.replace('"75"', '"1e300"'), "line 16: stroke 2: expected a Point .*1e300"),
    "long": (lambda text: text.replace('"75"', f'"{"9" * 99_999}"'), "line 16: stroke 2: expected a Point .{0,250}$"),
    "other corner": (
        lambda text: xml(LINE, "bottom_left"),
        "line 4: expected a sensor in the top_left corner; got .*bottom_left",
    ),
    "bomb": (
        lambda text: text.replace(HEAD, HEAD + BOMB).replace('"65"', '"&a11;"'),
        "line 2: a document type .* refused",
    ),
    "external entity": (
        lambda text: text.replace(HEAD, HEAD + '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'),
        "line 2: a document type .* refused",
    ),
    "external document type": (
        lambda text: text.replace(HEAD, HEAD + '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">'),
        "line 2: a document type .* refused",
    ),
    "parameter entity": (
        lambda text: text.replace(HEAD, HEAD + '<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///dev/zero"> %x;]>'),
        "line 2: a document type .* refused",
    ),
    "undefined entity": (lambda text: text.replace('"65"', '"&x;"'), "line 16: not whole XML .undefined entity"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_line_is_named(tmp_path, name):
    damage, message = DAMAGED[name]
    publish(tmp_path)
    path = tmp_path / "lineStrokes" / "a01" / "a01-000" / "a01-000x-02.xml"
    path.write_text(damage(xml(LINE)), encoding="latin-1")
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}[:,] ?{message}"):
        read_iam_ondb(tmp_path, text=True)


def test_document_type_is_refused_in_any_encoding(tmp_path):
    path = tmp_path / "line.xml"
    text = xml(LINE).replace("ISO-8859-1", "UTF-16")
    path.write_text(text, encoding="utf-16")
    np.testing.assert_array_equal(read_points(path)[:, :2], np.concatenate(LINE))
    path.write_text(text.replace("<White", f"{BOMB}<White", 1), encoding="utf-16")
    with pytest.raises(ValueError, match="document type"):
        read_points(path)


def test_what_else_the_format_allows(tmp_path):
    """Other elements, numbers with a point, a stroke of one point."""
    path = tmp_path / "line.xml"
    text = xml([[[3, 4]], *LINE]).replace('"65"', '"65.5"').replace("  <StrokeSet>", "<Note>x</Note><StrokeSet>")
    path.write_text(text)
    expected = [[3, 4, 1], [10, 10, 0], [40, 15, 1], [60, 70, 0], [65.5, 75, 0], [70, 90, 1]]
    assert read_points(path).tolist() == expected


def test_outliers_are_dropped_and_counted(tmp_path, capsys):
    expected = publish(tmp_path)
    path = tmp_path / "lineStrokes" / "a01" / "a01-000" / "a01-000u-01.xml"
    strokes = expected[0][0][1]
    longest = np.argmax([len(stroke) for stroke in strokes])
    failed = [np.insert(s, 2, [9000, 30], axis=0) if n == longest else s for n, s in enumerate(strokes)]
    path.write_text(xml(failed))
    check(read_iam_ondb(tmp_path, text=True), expected)
    assert capsys.readouterr().out == f"iam:{tmp_path}: 1 points of 1 lines removed: failed readings.\n"


def test_what_a_pen_can_do_is_no_outlier():
    def points(*strokes):
        ends = [np.arange(len(stroke)) == len(stroke) - 1 for stroke in strokes]
        return np.concatenate([np.concatenate(strokes), np.concatenate(ends)[:, None]], axis=1)

    x = np.arange(30.0)
    word = np.stack([20 * x, 10 * np.sin(x)], axis=1)
    dot, back = np.array([[-3000.0, -900.0]]), word + [50, 0]
    tall = np.array([[0, 0], [0, -300], [5, 0], [20, 0]]) + word[-1]
    moved = np.concatenate([word, word + [4000, 0]])
    fast = np.concatenate([word[:10], word[9:10] + [700, 0], word[10:] + [1400, 0]])
    for pen in (
        points(word, dot, back),
        points(word, tall),
        points(moved),
        points(fast),
        points(dot),
        points(dot, dot),
        points(0 * word),
    ):
        np.testing.assert_array_equal(without_outliers(pen), pen)
    jump = points(word)
    jump[[3, 9, 28], :2] += [[700, 0], [0, -600], [-4000, 4000]]
    np.testing.assert_array_equal(without_outliers(jump), np.delete(points(word), [3, 9, 28], axis=0))


def test_lines_are_kept_compactly(tmp_path):
    """Twelve bytes a point: 12,000 lines of 700 points are 100 MB."""
    forms = {name: [f"d0{row}-{number:03}" for number in range(8)] for row, name in enumerate(FORMS)}
    publish(tmp_path, forms, lines=4)
    read_iam_ondb(tmp_path, text=True)  # what is imported at first use is not counted
    tracemalloc.start()
    try:
        parts = read_iam_ondb(tmp_path, text=True)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    points = sum(len(line.offsets) for part in parts for line in part)
    assert kept < 12 * points + 1500 * 128, "a line's own objects and the lists of its form are small"
    assert peak < kept + 500_000, "what one line is parsed to is gone before the next"
