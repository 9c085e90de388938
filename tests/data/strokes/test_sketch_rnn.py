import pickle
import zipfile

import numpy as np
import pytest

from tests.data.strokes.drawn import OPTIONS, parts_of
from toolkit.data.strokes.loading import load, read
from toolkit.data.strokes.sketch_rnn import read_sketch_rnn

PARTS = ("train", "valid", "test")


def drawings(count, seed=0):
    """int16 (points, 3), as published: 1 where the pen is lifted after a point."""
    random = np.random.default_rng(seed)
    found = []
    for length in random.integers(5, 40, count):
        offsets = random.integers(-60, 60, (length, 3))
        offsets[:, 2] = random.random(length) < 0.2
        offsets[-1, 2] = 1
        found.append(offsets.astype("int16"))
    return found


def in_row(arrays):
    row = np.empty(len(arrays), object)
    row[:] = arrays
    return row


def five(offsets, length=50):
    """sketch-rnn's five numbers, padded: the pen goes on, a stroke ends, the drawing has ended."""
    padded = np.zeros((length, 5), "float32")
    padded[: len(offsets), :2] = offsets[:, :2]
    padded[: len(offsets), 3] = offsets[:, 2]
    padded[: len(offsets), 2] = 1 - offsets[:, 2]
    padded[len(offsets) :, 4] = 1
    return padded


def publish(path, save=np.savez_compressed, convert=in_row, sizes=(20, 4, 5)):
    parts = {name: drawings(size, seed) for seed, (name, size) in enumerate(zip(PARTS, sizes, strict=True))}
    save(path, **{name: convert(part) for name, part in parts.items()})
    return list(parts.values())


def check(parts, expected):
    for part, arrays in zip(parts, expected, strict=True):
        assert [line.offsets.tolist() for line in part] == [array.tolist() for array in arrays]
        assert all(line.offsets.dtype == np.float32 and not line.text and not line.writer for line in part)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_three_numbers_a_point(tmp_path, save):
    path = tmp_path / "cat.npz"
    expected = publish(path, save)
    parts = read_sketch_rnn(path)
    check(parts, expected)
    assert parts[1][2].name == "cat.npz, valid 2"
    for source in (f"sketch_rnn:{path}", str(path), str(tmp_path)):
        assert [part.num_examples for part in parts_of(load(source, **OPTIONS, text=False))] == [20, 4, 5]


@pytest.mark.parametrize("convert", [
    lambda part: np.stack([five(offsets) for offsets in part]),
    lambda part: in_row([five(offsets, len(offsets) + number) for number, offsets in enumerate(part)]),
    lambda part: in_row([five(offsets).astype("int16") for offsets in part]),
    lambda part: in_row([np.asfortranarray(five(offsets)) for offsets in part]),
    lambda part: in_row([offsets.astype(">f8") for offsets in part]),
])  # fmt: skip
def test_five_numbers_and_other_kinds(tmp_path, convert):
    expected = publish(tmp_path / "cat.npz", convert=convert)
    check(read_sketch_rnn(tmp_path / "cat.npz"), expected)


def of_python_2(arrays):
    """What NumPy wrote in Python 2, as the published files are: bytes as text, long integers, NumPy's old names."""

    def number(value):
        return b"\x8a\x02" + int(value).to_bytes(2, "little")

    def kind(name, order):
        state = b"(K\x03U\x01" + order + b"NNN" + 2 * (b"J" + (-1).to_bytes(4, "little", signed=True))
        state += (b"K\x3f" if name == b"O8" else b"K\x00") + b"t"
        return b"cnumpy\ndtype\nU\x02" + name + b"K\x00K\x01\x87R" + state + b"b"

    def begin(shape):
        made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        return made + b"(K\x01" + b"(" + b"".join(map(number, shape)) + b"t"

    def one(array):
        raw = array.astype("<i2").tobytes()
        return begin(array.shape) + kind(b"i2", b"<") + b"\x89T" + len(raw).to_bytes(4, "little") + raw + b"tb"

    items = b"](" + b"".join(map(one, arrays)) + b"e"
    return b"\x80\x02" + begin((len(arrays),)) + kind(b"O8", b"|") + b"\x89" + items + b"tb."


def header(shape):
    text = f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def test_as_python_2_wrote_them(tmp_path):
    parts = [drawings(size, size) for size in (9, 2, 3)]
    path = tmp_path / "cat.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in zip(PARTS, parts, strict=True):
            archive.writestr(f"{name}.npy", header((len(part),)) + of_python_2(part))
    by_numpy = pickle.loads(of_python_2(parts[0]), encoding="latin1")  # as np.load does where it may
    assert [array.tolist() for array in by_numpy] == [array.tolist() for array in parts[0]]
    check(read_sketch_rnn(path), parts)


def test_several_files(tmp_path):
    expected = [publish(tmp_path / name) for name in ("cat.npz", "dog.npz")]
    check(read_sketch_rnn(tmp_path), [one + two for one, two in zip(*expected, strict=True)])


def test_no_text(tmp_path):
    publish(tmp_path / "cat.npz")
    with pytest.raises(ValueError, match="sketch-rnn's drawings are without text"):
        read(f"sketch_rnn:{tmp_path}", seed=0, text=True)


def changed(row, column, value, dtype="float64"):
    drawing = drawings(1)[0].astype(dtype)
    drawing[row, column] = value
    return drawing


def ended(row, columns, values):
    drawing = five(drawings(1)[0])
    drawing[row, columns] = values
    return drawing


WRONG = {
    "no points": (np.zeros((0, 3), "int16"), r"expected numbers of shape \(points, 3\) or .* got int16 \(0, 3\)"),
    "four columns": (np.zeros((9, 4)), r"expected numbers of shape .* got float64 \(9, 4\)"),
    "a row": (np.zeros(9), "expected numbers of shape"),
    "truths": (np.zeros((9, 3), bool), "expected numbers of shape"),
    "two": (changed(2, 2, 2), "expected each point to have 0 or 1, and 1 where a stroke ends"),
    "NaN flag": (changed(2, 2, np.nan), "expected each point to have 0 or 1"),
    "NaN": (changed(2, 0, np.nan), "an offset is not finite"),
    "far": (changed(2, 0, 1e30), "an offset is not finite, or goes as far"),
    "two at once": (ended(2, [2, 3], 1), "expected each point to have 1 in one of the last three"),
    "none of three": (ended(2, [2, 3], 0), "expected each point to have 1 in one of the last three"),
    "at its end": (ended(0, [2, 3, 4], [0, 0, 1]), "0 points; expected 1 to 1,000,000"),
    "too many": (np.zeros((1_000_001, 3), "int8"), "1000001 points; expected"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_drawing_is_named(tmp_path, name, capsys):
    drawing, message = WRONG[name]
    path = tmp_path / "cat.npz"
    row = in_row([*drawings(3), drawing])
    np.savez(path, train=row, valid=row[:2], test=row[:2])
    with pytest.raises(ValueError, match=f"^{path}, train, drawing 3: .*{message}.*--skip_corrupt"):
        read_sketch_rnn(path)
    assert [len(part) for part in read_sketch_rnn(path, skip_corrupt=True)] == [3, 2, 2]
    assert "1 of 4 drawings left out" in capsys.readouterr().out


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder holds no .npz file"):
        read_sketch_rnn(tmp_path)
    path = tmp_path / "cat.npz"
    np.savez(path, train=in_row(drawings(3)), test=in_row(drawings(3)))
    with pytest.raises(ValueError, match="cat.npz has no array valid; it has train, test"):
        read_sketch_rnn(path)
    path.write_bytes(pickle.dumps(drawings(3)))
    with pytest.raises(ValueError, match="cat.npz is not sketch-rnn's drawings, a .npz .*, or damaged"):
        read_sketch_rnn(path)


def test_memory_is_bounded(tmp_path, monkeypatch):
    publish(tmp_path / "cat.npz")
    monkeypatch.setattr("toolkit.data.strokes.sketch_rnn.limits.GIB", 1000)
    with pytest.raises(ValueError, match="would take .*--max_gigabytes"):
        read_sketch_rnn(tmp_path / "cat.npz", skip_corrupt=True)
