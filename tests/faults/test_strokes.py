"""What strokes alone can be hostile by: single files, arrays that are no pen's, JSON, XML, lists, texts, flags."""

import functools
import io
import json
import zipfile

import numpy as np
import pytest

from tests.faults import samples
from tests.faults.hostile import check_answer, table, unchanged
from toolkit.data import strokes
from toolkit.data.strokes.lines import from_strokes
from toolkit.serving.strokes_file import StrokesFile

PEN = samples.offsets(0)
LINES = [[[0, 0], [3, 9], [7, 1]], [[9, 0], [12, 8], [15, 1]]]


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array))
    return file.getvalue()


def changed(row, column, value, dtype="float64"):
    array = PEN.astype(dtype)
    array[row, column] = value
    return array


def marked(flags):
    """A line of strokes whose lifts are long, its third column given."""
    random = np.random.default_rng(1)
    ends = np.arange(120) % 12 == 11
    offsets = random.normal(size=(120, 3))
    offsets[1:, :2][ends[:-1]] += [15.0, -9.0]
    offsets[:, 2] = flags(ends)
    return offsets


def starts_of(ends):
    return np.r_[True, ends[:-1]]


DAMAGED = "expected numbers of shape (points, 3)"
ARRAYS = {
    "NaN": (changed(3, 0, np.nan), "point 3 is not finite"),
    "infinite": (changed(4, 1, -np.inf), "point 4 is not finite"),
    "NaN flag": (changed(4, 2, np.nan), "point 4 is not finite"),
    "first NaN": (changed(0, 0, np.nan), "point 0 is not finite"),
    "1e300": (changed(5, 0, 1e300), "point 5 goes"),
    "first at 1e300": (changed(0, 0, 1e300), "point 0 goes"),
    "a jump in a stroke": (changed(5, 0, 1e5), "point 5 jumps"),
    "a jump between strokes": (changed(15, 0, 1e5), "works"),
    "half a flag": (changed(6, 2, 0.5), "point 6: the third column is 1"),
    "two": (changed(6, 2, 2), "point 6: the third column is 1"),
    "minus one": (np.where(PEN == 1, -1, PEN), "the third column is 1"),
    "strings": (PEN.astype("U9"), DAMAGED),
    "bytes": (PEN.astype("S9"), DAMAGED),
    "objects": (PEN.astype(object), "Python objects"),
    "complex": (PEN.astype("complex64"), DAMAGED),
    "bool": (PEN.astype(bool), DAMAGED),
    "dates": (PEN.astype("int64").view("datetime64[s]"), DAMAGED),
    "fields": (np.zeros(5, [("x", "f4"), ("y", "f4"), ("flag", "f4")]), DAMAGED),
    "big endian": (PEN.astype(">f4"), "works"),
    "Fortran's order": (np.asfortranarray(PEN), "works"),
    "float16": (PEN.astype("float16"), "works"),
    "longdouble": (PEN.astype("longdouble"), "works"),
    "int8": (np.rint(3 * PEN * [1, 1, 0] + PEN * [0, 0, 1]).astype("int8"), "works"),
    "uint64": (np.abs(np.rint(PEN)).astype("uint64"), ""),
    "two columns": (PEN[:, :2], DAMAGED),
    "five columns": (np.concatenate([PEN, PEN[:, :2]], axis=1), DAMAGED),
    "transposed": (PEN.T, DAMAGED),
    "a batch": (PEN[None], DAMAGED),
    "flat": (PEN.ravel(), DAMAGED),
    "a scalar": (np.float32(1), DAMAGED),
    "no points": (PEN[:0], DAMAGED),
    "no columns": (PEN[:, :0], DAMAGED),
    "a million points and one": (np.zeros((1_000_001, 3), "int8"), "at most 1,000,000"),
    "positions": (np.cumsum(np.abs(PEN), axis=0) * [1, 1, 0], "go one way"),
    "flags where the pen is down": (marked(lambda ends: ~ends), "works"),
    "flags where strokes start": (marked(starts_of), "works"),
    "0 where strokes start": (marked(lambda ends: ~starts_of(ends)), "works"),
    "all marked": (marked(np.ones_like), "1 at most points"),
    "most marked": (marked(lambda ends: np.arange(120) % 3 > 0), ""),
    "none marked": (marked(np.zeros_like), "works"),
}


def array_rows():
    for name, (array, expected) in ARRAYS.items():
        yield f"{name}, a folder's", "folder", array, expected
        yield f"{name}, a primer's", "primer", array, expected


@pytest.mark.parametrize("where, array, expected", table(array_rows()))
def test_arrays(where, array, expected, tmp_path):
    source = samples.npy_strokes(tmp_path).source
    (tmp_path / "07.npy").write_bytes(npy(array))
    read = {
        "folder": lambda: strokes.load(source, batch_size=4, seed=0, text=True).train.peek(),
        "primer": lambda: strokes.read_file(tmp_path / "07.npy"),
    }
    with unchanged(tmp_path):
        check_answer(read[where], ["07.npy"], expected)


def quickdraw(lines, times=False):
    rows = [[[point[axis] for point in line] for axis in (0, 1)] for line in lines]
    return [[*row, list(range(len(row[0])))] for row in rows] if times else rows


LONG = [[[x, x % 5] for x in range(30)], [[40, 3], [41, 8]]]
EITHER = "Both can be"
JSONS = {
    "points": (LINES, "works"),
    "points with time and pressure": ([[[*point, 5, 0.5] for point in line] for line in LONG], "works"),
    "named points": ([[{"x": x, "y": y} for x, y in line] for line in LINES], "works"),
    "strokes": ({"strokes": LINES}, "works"),
    "empty strokes between": ([[], *LINES, []], "works"),
    "QuickDraw": ({"word": "cat", "drawing": quickdraw(LINES)}, "works"),
    "QuickDraw with times": ({"drawing": quickdraw(LINES, times=True)}, "works"),
    "QuickDraw without its name": (quickdraw(LONG), "works"),
    "QuickDraw with times, without its name": (quickdraw(LONG, times=True), "works"),
    "QuickDraw of dots": ([[[1], [2]], [[3], [4]]], "works"),
    "three and three": (quickdraw(LINES), EITHER),
    "three times three": (quickdraw(LINES, times=True), EITHER),
    "x without its y": ({"drawing": [[[1, 2, 3], [1, 2]]]}, "stroke 0 is not"),
    "no y at all": ({"drawing": [[[1, 2, 3]]]}, "stroke 0 is not"),
    "an object as a drawing": ({"drawing": {"0": 1}}, "holds no strokes"),
    "a list": ([], "holds no strokes"),
    "empty strokes": ([[], []], "holds no strokes"),
    "a number": (7, "holds no strokes"),
    "a string": ("strokes", "holds no strokes"),
    "null": (None, "holds no strokes"),
    "true": (True, "holds no strokes"),
    "lines that are none": ({"lines": 3}, "holds no strokes"),
    "lines of null": ({"lines": [None]}, "holds no strokes"),
    "strokes that are none": ({"strokes": "abc"}, "holds no strokes"),
    "strokes of strings": (["ab", "cd"], "stroke 0 is not"),
    "strokes of numbers": ([1, 2], "stroke 0 is not"),
    "strokes of null": ([None], "stroke 0 is not"),
    "strokes of objects": ([{"points": [[1, 2]]}], "stroke 0 is not"),
    "points of strings": ([[["1", "2"], ["3", "4"]]], "stroke 0 is not"),
    "superscript digits": ([[["²", "³"]]], "stroke 0 is not"),
    "points of null": ([[[None, 1]]], "stroke 0 is not"),
    "points of true": ([[[True, False]]], "stroke 0 is not"),
    "points of lists": ([[[[1], [2]]]], "stroke 0 is not"),
    "points without y": ([[{"x": 1}]], "stroke 0 is not"),
    "one number": ([[[1]]], "stroke 0 is not"),
    "NaN": ([[[float("nan"), 1], [2, 2]]], "stroke 0 is not"),
    "Infinity": ([*LINES, [[float("inf"), 1], [2, 2]]], "stroke 2 is not"),
    "1e300": ([[[1e300, 1], [2, 2]]], "stroke 0 is not"),
    "a whole number of 400 digits": ([[[10**400, 1], [2, 2]]], "stroke 0 is not"),
}
BYTES = {
    "a million points and one": (b"[[" + b"[0,0]," * 1_000_000 + b"[0,0]]]", "at most 1,000,000"),
    "a number of 10,000 digits": (b"[[[" + b"9" * 10_000 + b", 1]]]", "digits"),
    "half a surrogate": (b'{"strokes": "\\ud800"}', "holds no strokes"),
    "lines of JSON": (b'{"drawing": [[[1, 2], [1, 2]]]}\n{"drawing": []}\n', "line 2"),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps(LINES).encode(), "works"),
    "UTF-16": (json.dumps(LINES).encode("utf-16"), "is not UTF-8"),
    "a key a thousand times": (b"{" + b'"strokes": 1,' * 1000 + b'"strokes": []}', "holds no strokes"),
    "100,000 brackets": (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    "17 MB": (b" " * (17 << 20) + b"[]", "--max_gigabytes"),
}


def json_rows():
    for name, (content, expected) in JSONS.items():
        yield name, functools.partial(json.dumps, content), expected
    for name, (content, expected) in BYTES.items():
        yield name, lambda content=content: content, expected


@pytest.mark.parametrize("content, expected", table(json_rows()))
def test_json(content, expected, tmp_path):
    path = tmp_path / "mine.json"
    content = content()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    check_answer(lambda: strokes.read_file(path), ["mine.json"], expected)


PATHS = {
    "no such user": ("~nosuchuser/a.json", "no such user"),
    "zero byte": ("a\0b.json", "cannot be a path"),
    "too long": ("a" * 5000, "cannot be read"),
    "a folder": ("", "is a folder"),
    "below a file": ("mine.json/a.json", "no such file"),
    "a device": ("/dev/zero", "a pipe or a device"),
}


@pytest.mark.parametrize("path, expected", table((name, *row) for name, row in PATHS.items()))
def test_paths_of_a_primer(path, expected, tmp_path):
    (tmp_path / "mine.json").write_text("[]")
    where = path if path.startswith(("~", "/")) else f"{tmp_path}/{path}"
    check_answer(lambda: strokes.read_file(where), [path[:100] or str(tmp_path), repr(path)[1:-1]], expected)


def test_quickdraw_is_what_points_are(tmp_path):
    path = tmp_path / "mine.json"
    expected = from_strokes([np.array(line) for line in LONG])
    for content in (quickdraw(LONG), quickdraw(LONG, times=True), {"drawing": quickdraw(LONG)}, LONG):
        path.write_text(json.dumps(content))
        np.testing.assert_array_equal(strokes.read_file(path), expected)


INK = '<ink xmlns="http://www.w3.org/2003/InkML"><annotation type="truth">word</annotation>{}</ink>'
TRACE = "<trace>1 2, 3 4, 5 6</trace>"
INKS = {
    "entities": ('<!DOCTYPE ink [<!ENTITY a "lol">]>' + INK.format(TRACE), "document type"),
    "an external entity": ('<!DOCTYPE ink SYSTEM "/etc/passwd">' + INK.format(TRACE), "document type"),
    "a huge attribute": (INK.format(f'<trace brushRef="{"b" * (30 << 20)}">' + TRACE[7:]), "works"),
    "a huge comment": (INK.format(f"<!--{'c' * (30 << 20)}-->" + TRACE), "works"),
    "a huge transcript": (INK.format(TRACE + f"<annotation type='label'>{'w ' * (1 << 20)}</annotation>"), "works"),
    "a huge number": (INK.format(f"<trace>1 {'5' * 1_000_000}</trace>"), "where no pen is"),
    "a huge hexadecimal": (INK.format(f"<trace>1 #{'F' * 1_000_000}</trace>"), "where no pen is"),
    "a million blanks": (INK.format(f"<trace>1{' ' * 1_000_000}x</trace>"), "point 1: expected 2 numbers"),
    "a million quotes": (INK.format(f"<trace>1 {chr(39) * 1_000_000}</trace>"), "point 1: expected 2 numbers"),
    "a million numbers in a point": (INK.format(f"<trace>{'1 ' * 1_000_000}</trace>"), "point 1: expected 2 numbers"),
    "many points": (INK.format(f"<trace>{'1 1,' * 300_000}1 1</trace>"), "works"),
    "a million points and one": (INK.format(f"<trace>{'1 1,' * 1_000_000}1 1</trace>"), "at most 1,000,000"),
    "many differences": (INK.format("<trace>1 1,'1'1" + ",1 1" * 50_000 + "</trace>"), "works"),
    "a hundred thousand brackets": (INK.format("<a>" * 100_000 + "</a>" * 100_000 + TRACE), "deep"),
    "a hundred thousand groups": (INK.format("<traceGroup/>" * 100_001 + TRACE), "at most 100,000"),
    "a hundred thousand formats": (INK.format("<traceFormat/>" * 100_001 + TRACE), "at most 100,000"),
    "a hundred thousand channels": (
        INK.format("<traceFormat>" + '<channel name="F"/>' * 90_000 + "</traceFormat>" + TRACE),
        "with the channels X and Y",
    ),
    "contexts in a circle": (
        INK.format('<context id="a" contextRef="#b"/><context id="b" contextRef="#a"/>' + TRACE),
        "in a circle",
    ),
    "a long way of contexts": (
        INK.format(
            "".join(f'<context id="c{n}" contextRef="#c{n + 1}"/>' for n in range(40_000))
            + '<trace contextRef="#c0">1 2</trace>' * 40_000
        ),
        "leads to none, or in a circle",
    ),
    "views of each other": (
        INK.format('<traceView id="a" traceDataRef="#b"/><traceView id="b" traceDataRef="#a"/>' + TRACE),
        "works",
    ),
    "a file": (INK.format('<trace contextRef="file:///etc/passwd#a">1 2</trace>'), "is not followed"),
    "65 MB": (INK.format(TRACE + " " * (65 << 20)), "--max_gigabytes"),
    "NaN": (INK.format("<trace>nan 1</trace>"), "point 1: expected"),
    "infinite": (INK.format("<trace>1e999 1</trace>"), "where no pen is"),
    "superscript digits": (INK.format("<trace>² ³</trace>"), "point 1: expected"),
    "underscores": (INK.format("<trace>1_0 1</trace>"), "point 1: expected"),
    "UTF-16": (INK.format(TRACE).encode("utf-16"), "works"),
    "zero bytes": (INK.format(TRACE + "\0"), "not whole XML"),
    "two documents": (INK.format(TRACE) * 2, "not whole XML"),
    "marks of direction": (INK.replace("word", "\u202egnol").format(TRACE), "works"),
    "no transcript": (f"<ink>{TRACE}</ink>", "no transcript"),
}  # fmt: skip


@pytest.mark.parametrize("content, expected", table((name, *row) for name, row in INKS.items()))
def test_inks(content, expected, tmp_path):
    sample = samples.inkml(tmp_path)
    path = sample.files[0]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    check_answer(lambda: strokes.read(sample.source, seed=0, text=True), [path.parent.name], expected)


def objects(*steps):
    """A part of sketch-rnn's file, of a pickle's steps."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return file.getvalue() + b"".join(steps)


def row(*drawings):
    found = np.empty(len(drawings), object)
    found[:] = drawings
    return found


FLAGGED = np.array([[3, 4, 0], [1, 0, 1]], "int16")
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
SKETCHES = {
    "drawings": (row(FLAGGED, FLAGGED), "works"),
    "one drawing of numbers": (np.stack([FLAGGED, FLAGGED]), "works"),
    "lists": (row([[1, 2, 1]], [[1, 2, 1]]), "arrays of numbers"),
    "texts": (np.array(["a", "b"]), "expected numbers of shape"),
    "names": (row("a", "b"), "arrays of numbers"),
    "objects of objects": (row(row(FLAGGED), FLAGGED), "arrays of numbers"),
    "code": (objects(b"\x80\x02cos\nsystem\nU\x0ctouch canary\x85R."), "could run code"),
    "code by another name": (objects(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R."), "could run code"),
    "a place far away": (objects(b"\x80\x02Nr\xff\xff\xff\x7f."), "arrays of numbers"),
    "a giant of bytes": (objects(b"\x80\x05\x96" + b"\xff" * 6 + b"\0\0."), "none of NumPy's"),
    "a giant frame": (objects(b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f."), "arrays of numbers"),
    "tuples in tuples": (objects(b"\x80\x02N" + b"\x85" * 500_000 + b"."), "arrays of numbers"),
    "no end": (objects(b"\x80\x02N"), "arrays of numbers"),
    "nothing": (objects(), "arrays of numbers"),
    "two columns": (row(FLAGGED[:, :2]), "expected numbers of shape"),
    "NaN": (row(FLAGGED * np.array([np.nan, 1, 1])), "not finite"),
    "1e300": (row(FLAGGED * np.array([1e300, 1, 1])), "not finite"),
    "flags of two": (row(FLAGGED * np.array([1, 1, 2])), "0 or 1"),
    "no points": (row(FLAGGED[:0]), "expected numbers of shape"),
    "a million points and one": (row(np.zeros((1_000_001, 3), "int8")), "1000001 points"),
}


@pytest.mark.parametrize("content, expected", table((name, *row) for name, row in SKETCHES.items()))
def test_sketches(content, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = samples.sketch_rnn(tmp_path).source
    with zipfile.ZipFile("cat.npz") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if not isinstance(content, bytes):
        file = io.BytesIO()
        np.lib.format.write_array(file, content)
        content = file.getvalue()
    with zipfile.ZipFile("cat.npz", "w") as archive:
        for name, part in {**parts, "valid.npy": content}.items():
            archive.writestr(name, part)
    with unchanged(tmp_path):
        check_answer(lambda: strokes.read(source, seed=0, text=False), ["cat.npz, valid"], expected)


XML = '<?xml version="1.0"?><WhiteboardCaptureSession><StrokeSet>{}</StrokeSet></WhiteboardCaptureSession>'
STROKE = "<Stroke>" + '<Point x="5" y="7"/>' * 9 + "</Stroke>"
XMLS = {
    "entities": ('<!DOCTYPE a [<!ENTITY a "lol">]>' + XML.format(STROKE)[21:], "document type"),
    "an external entity": ('<!DOCTYPE a SYSTEM "/etc/passwd">' + XML.format(STROKE)[21:], "document type"),
    "an unknown entity": (XML.format("&a;" + STROKE), "not whole XML"),
    "a huge attribute": (XML.format(f'<Stroke colour="{"b" * (30 << 20)}">' + STROKE[8:]), "works"),
    "a huge comment": (XML.format(f"<!--{'c' * (30 << 20)}-->" + STROKE), "works"),
    "a huge instruction": (XML.format(f"<?a {'c' * (30 << 20)}?>" + STROKE), "works"),
    "a huge text": (XML.format(STROKE + "t" * (30 << 20)), "works"),
    "a huge number": (XML.format(STROKE.replace("5", "5" * 1_000_000)), "expected a Point"),
    "a hundred thousand attributes": (
        XML.format("<Stroke " + " ".join(f'a{n}="b"' for n in range(100_000)) + STROKE[7:]),
        "works",
    ),
    "many attributes of a point": (
        XML.format("<Stroke><Point " + " ".join(f'a{n}="b"' for n in range(100_000)) + "/></Stroke>"),
        "expected a Point",
    ),
    "a hundred thousand brackets": (XML.format("<a>" * 100_000 + "</a>" * 100_000 + STROKE), "works"),
    "a million points and one": (
        XML.format("<Stroke>" + '<Point x="1" y="1"/>' * 1_000_001 + "</Stroke>"),
        "at most 1,000,000",
    ),
    "65 MB": (XML.format(STROKE + " " * (65 << 20)), "--max_gigabytes"),
    "NaN": (XML.format(STROKE.replace("5", "nan")), "expected a Point"),
    "infinite": (XML.format(STROKE.replace("5", "1e999")), "expected a Point"),
    "superscript digits": (XML.format(STROKE.replace("5", "²")), "expected a Point"),
    "underscores": (XML.format(STROKE.replace("5", "1_0")), ""),
    "UTF-16": (XML.format(STROKE).encode("utf-16"), "works"),
    "zero bytes": (XML.format(STROKE + "\0"), "not whole XML"),
    "two documents": (XML.format(STROKE) * 2, "not whole XML"),
}


@pytest.mark.parametrize("content, expected", table((name, *row) for name, row in XMLS.items()))
def test_xml(content, expected, tmp_path):
    sample = samples.iam(tmp_path)
    path = sample.files[-1]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    load = functools.partial(strokes.load, sample.source, batch_size=4, seed=0, text=True)
    check_answer(load, [path.name], expected)


TEXTS = {
    "lists: a path": (0, b"../../../etc/passwd\n", "expected a form"),
    "lists: a pattern": (0, b"a0?-*\n", "expected a form"),
    "lists: superscript digits": (0, "a\u00b2\u00b3-000\n".encode(), "expected a form"),
    "lists: a form twice": (0, b"a01-000u\n" * 5, "works"),
    "lists: a form of another list": (0, b"a01-003u\n", "too"),
    "lists: forms that are not there": (0, b"a01-000u\nc01-000\n", "cannot be read"),
    "lists: 2 MB": (0, b"a01-000u\n" * 250_000, "--max_gigabytes"),
    "transcripts: 2 MB": (1, b"CSR:\n" + b"a\n" * (1 << 20), "--max_gigabytes"),
    "transcripts: no part": (1, b"OCR:\nwords\n", "no transcript"),
    "transcripts: many parts": (1, b"CSR:\n" * 100_000, "works"),
    "transcripts: blanks": (1, b"CSR:" + b" " * 500_000, "no transcript"),
    "transcripts: percents": (1, b"CSR:\n" + b"%" * 500_000, "no transcript"),
    "transcripts: marks of direction": (1, b"CSR:\n" + "\u202egnol\n".encode() * 8, "--alphabet"),
}


@pytest.mark.parametrize("place, content, expected", table((name, *row) for name, row in TEXTS.items()))
def test_lists_and_transcripts(place, content, expected, tmp_path):
    sample = samples.iam(tmp_path)
    sample.files[place].write_bytes(content)
    load = functools.partial(strokes.load, sample.source, batch_size=4, seed=0, text=True)
    check_answer(load, [sample.files[place].name, sample.source, "testset"], expected)


DRAWINGS = {
    "NaN": ("START\nnan,1,2\n", "line 2: expected 'x,y,time'"),
    "infinite time": ("START\n1,2,inf\n3,4,nan\n", "works"),
    "superscript digits": ("START\n²,³,1\n", "line 2: expected"),
    "hexadecimal": ("START\n0x10,1,1\n", "line 2: expected"),
    "off the canvas": ("START\n1,1e3,1\n", "line 2: expected"),
    "from edge to edge": ("START\n" + "-999,-999,1\n999,999,1\n" * 40_000, "points"),
    "one long number": ("START\n" + "1" * 900_000 + ",1,1\n", "line 2: expected"),
    "2 MB": ("START\n" + "1,1,1\n" * 400_000, "--max_gigabytes"),
    "commas": ("START\n" + "," * 900_000, "line 2: expected"),
    "breaks": ("BREAK\n" * 100_000, "an empty drawing"),
}


def drawing_rows():
    for name, row in DRAWINGS.items():
        yield f"{name}, in a folder", "folder", *row
        yield f"{name}, in a zip", "zip", *row


@pytest.mark.parametrize("kind, content, expected", table(drawing_rows()))
def test_drawings(kind, content, expected, tmp_path):
    sample = samples.omniglot_folder(tmp_path)
    sample.files[0].write_text(content)
    source = sample.source
    if kind == "zip":
        source = f"omniglot:{tmp_path / 'strokes.zip'}"
        with zipfile.ZipFile(tmp_path / "strokes.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in tmp_path.rglob("*.txt"):
                archive.write(path, path.relative_to(tmp_path))
    check_answer(lambda: strokes.load(source, batch_size=4, seed=0, text=False), [sample.files[0].name], expected)


SOURCES = {
    "embedded:²": "at least 20",
    "embedded:10000000000000": "at least 20",
    f"embedded:{'9' * 5000}": "at least 20",
    "embedded:1e3": "at least 20",
    "embedded:60:1000000000": "at least 1",
    "embedded:60:0": "at least 1",
    "embedded:60:-1": "at least 1",
    "embedded:60:1000": "works",
    "embedded:nan": "at least 20",
    "npy:": "its path is missing",
    "inkml:": "its path is missing",
    "inkml:notes.txt": "not whole XML",
    "inkml:archive.zip": "is a zip. Unpack it",
    "inkml_whole:/dev/zero": "a pipe or a device",
    "quickdraw:notes.txt": "without text",
    "sketch_rnn:loop": "without text",
    "npy:~nosuchuser/strokes": "no such user",
    "~nosuchuser/strokes": "no such user",
    "npy:a\0b": "no such file or folder",
    f"npy:{'a' * 5000}": "no such file or folder",
    "a" * 5000: "no such path",
    "npy:archive.zip": "is a zip. Unpack it",
    "iam:archive.zip": "is a zip. Unpack it",
    "omniglot:folder.zip": "holds no drawings",
    "folder.zip": "holds no drawings",
    "omniglot:archive.zip": "holds no drawings",
    "omniglot:/dev/zero": "a pipe or a device",
    "npy:/dev/zero": "is a file",
    "/dev/zero": "READER:/dev/zero",
    "omniglot:notes.txt": "or damaged",
    "npy:notes.txt": "is a file",
    "iam:notes.txt": "is a file",
    "notes.txt": "READER:notes.txt",
    "loop": "no such path",
    "npy:loop": "no such file or folder",
    ".": "READER:",
    "": "no reader ''",
}


@pytest.mark.parametrize(
    "source, expected", table((name[:60] or "nothing", name, row) for name, row in SOURCES.items())
)
def test_sources(source, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile("archive.zip", "w") as archive:
        archive.writestr("a.txt", "words")
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / "loop").symlink_to("loop")
    text = "omniglot" not in source and "folder.zip" not in source
    names = [f"--data={source[:30]}", source.partition(":")[2] or source]
    check_answer(lambda: strokes.load(source, batch_size=4, seed=0, text=text), names, expected)


@pytest.mark.parametrize(
    "spacing, expected",
    table((str(row[0]), *row) for row in [
        (1e-9, "--spacing=1e-09"), (5e-324, "--spacing="), (1e-4, "no line left"), (float("nan"), "spacing must"),
        (float("inf"), "spacing must"), (-1.0, "spacing must"), (1e300, "works"), (3.0, "works"),
    ]),
)  # fmt: skip
def test_spacings(spacing, expected, tmp_path):
    source = samples.npy_strokes(tmp_path).source
    load = functools.partial(strokes.load, source, batch_size=4, seed=0, text=True, spacing=spacing)
    check_answer(load, ["spacing", source], expected, seconds=20)


def test_one_bad_file_is_left_out_by_a_flag(tmp_path, capsys):
    """By each reader; the files are named and counted."""
    makers = (
        (samples.npy_strokes, 0),
        (samples.iam, -1),
        (samples.omniglot_folder, 0),
        (samples.inkml, 0),
        (samples.recordings, 0),
    )
    lines_of_a_file = {samples.inkml: 4, samples.recordings: 12}
    for maker, damaged in makers:
        folder = tmp_path / maker.__name__
        folder.mkdir()
        sample = maker(folder)
        whole = sum(map(len, strokes.read(sample.source, seed=0, text=damaged == -1)))
        sample.files[damaged].write_bytes(b"noise")
        read = functools.partial(strokes.read, sample.source, seed=0, text=False)
        check_answer(read, [sample.files[damaged].name], "--skip_corrupt")
        left = read(skip_corrupt=True)
        assert sum(map(len, left)) == whole - lines_of_a_file.get(maker, 1)
        told = capsys.readouterr().out
        assert "1 of" in told and str(sample.files[damaged]) in told


def card_of(text, noise):
    inputs = {"text": {"shape": text}, "noise": {"shape": noise}}
    return json.dumps({"signatures": {"generate_from_noise": {"inputs": inputs}}}).encode()


CARDS = {
    "empty": (b"", "is empty"),
    "no JSON": (b"{", "line 1"),
    "another card": (b'{"signatures": {}}', "says nothing of such inputs"),
    "signatures that are none": (b'{"signatures": 3}', "signatures is int"),
    "inputs that are none": (b'{"signatures": {"generate_from_noise": {"inputs": []}}}', "says nothing of such inputs"),
    "shapes of strings": (card_of([1, "40"], [1, 700, 4]), "of shapes"),
    "shapes that are too short": (card_of([1], [1, 700, 4]), "says nothing of such inputs"),
    "huge shapes": (card_of([1, 10**9], [1, 10**12, 4]), "of shapes"),
    "shapes below one": (card_of([1, 40], [1, -1, 4]), "of shapes"),
    "shapes of null": (card_of(None, [1, 700, 4]), "says nothing of such inputs"),
}


@pytest.mark.parametrize("content, expected", table((name, *row) for name, row in CARDS.items()))
def test_cards_of_another_synthesis(content, expected, tmp_path):
    (tmp_path / "card.json").write_bytes(content)
    check_answer(lambda: StrokesFile(tmp_path), ["card.json"], expected)
