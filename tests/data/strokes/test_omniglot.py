import zipfile

import numpy as np
import pytest

from tests.data.strokes.drawn import OPTIONS, parts_of
from toolkit.data.strokes.lines import to_strokes
from toolkit.data.strokes.loading import READERS, load

# Two strokes as the tablet gives them, y growing upward from the canvas' upper edge; the time is in milliseconds.
DRAWING = (
    "START\n"
    + "".join(f"{10 + x:.6f},{-20.5 - x:.6f},{7 * x}\n" for x in range(31))
    + "BREAK\n"
    + "".join(f"{70 - x:.6f},{-30.0:.6f},{900 + 7 * x}\n" for x in range(21))
    + "BREAK\n"
)


def publish(path, **changed):
    """Two alphabets of two characters by twenty people each, as published; `changed` files by their stem."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("strokes/", "")
        file.writestr("strokes/.DS_Store", b"\0\xff")
        file.writestr("__MACOSX/strokes/Greek/character01/._0001_01.txt", b"\0\xff")
        for number, character in enumerate(["Greek/character01", "Greek/character02", "N_Ko/character01"], 1):
            file.writestr(f"strokes/{character}/._{number:04}_01.txt", b"\0\xff")
            for drawer in range(1, 21):
                stem = f"{number:04}_{drawer:02}"
                file.writestr(f"strokes/{character}/{stem}.txt", changed.get(f"_{stem}", DRAWING))
    return path


def test_omniglot_as_published(tmp_path):
    path = publish(tmp_path / "strokes.zip")
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path / "unpacked")
    for source in (f"omniglot:{path}", str(path), f"omniglot:{tmp_path}/unpacked", f"{tmp_path}/unpacked"):
        splits = load(source, **OPTIONS, text=False)
        assert [part.num_examples for part in parts_of(splits)] == [48, 6, 6]
    train, validation, test = READERS["omniglot"](str(path), 0, False)
    assert {line.writer for line in train} == {f"drawer {number}" for number in range(1, 17)}
    assert {line.writer for line in validation} == {"drawer 17", "drawer 18"}
    assert {line.writer for line in test} == {"drawer 19", "drawer 20"}


def test_omniglot_drawing_in_pen_offsets(tmp_path):
    line = READERS["omniglot"](str(publish(tmp_path / "strokes.zip")), 0, False)[0][0]
    down, left = (stroke + [10, 20.5] for stroke in to_strokes(line.offsets))
    # Points four units apart: 30·√2 in eleven parts, 20 in five. y grows downward.
    np.testing.assert_allclose(down, np.linspace([10, 20.5], [40, 50.5], 12), atol=1e-4)
    np.testing.assert_allclose(left, np.linspace([70, 30], [50, 30], 6), atol=1e-4)


def test_omniglot_has_no_text(tmp_path):
    with pytest.raises(ValueError, match="single characters without text"):
        load(f"omniglot:{publish(tmp_path / 'strokes.zip')}", **OPTIONS, text=True)


@pytest.mark.parametrize(
    "row", ["1.5,2.5", "1,2,3,4", "a,b,c", "1.0 2.0 3", "nan,1,2", "1,-inf,2", "5,1e12,0", "BREAK;"]
)
def test_omniglot_malformed_line_is_named(tmp_path, row):
    lines = DRAWING.splitlines()
    lines.insert(5, row)
    path = publish(tmp_path / "strokes.zip", _0002_07="\r\n".join(lines))
    with pytest.raises(ValueError) as raised:
        load(f"omniglot:{path}", **OPTIONS, text=False)
    assert str(raised.value) == (
        f"{path}: strokes/Greek/character02/0002_07.txt, line 6: expected 'x,y,time' on a canvas of 105, START or "
        f"BREAK; got {row!r}. Mend or remove it, or leave out such files with --skip_corrupt."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("START\n", "an empty drawing: no point between START and BREAK"),
        ("START\nBREAK\nBREAK\n", "an empty drawing: no point between START and BREAK"),
        (b"START\n\xff\xfe\nBREAK\n", r", line 2: byte 6 \(0xff\) is not UTF-8"),
    ],
)
def test_omniglot_drawing_is_wrong(tmp_path, content, message):
    path = publish(tmp_path / "strokes.zip", _0003_20=content)
    with pytest.raises(ValueError, match=f"N_Ko/character01/0003_20.txt:?.*{message}"):
        load(f"omniglot:{path}", **OPTIONS, text=False)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path / "unpacked")
    with pytest.raises(ValueError, match=f"unpacked/strokes/N_Ko/character01/0003_20.txt:?.*{message}"):
        load(f"omniglot:{tmp_path}/unpacked", **OPTIONS, text=False)


def test_omniglot_drawing_of_few_points(tmp_path):
    """A dot is a stroke of one point; the last BREAK may be missing, and a stroke may be empty."""
    path = publish(tmp_path / "strokes.zip", _0001_01="START\n5,-5,0\nBREAK\nBREAK\n6,-9,40\n6,-9,50")
    line = READERS["omniglot"](str(path), 0, False)[0][0]
    assert line.offsets.tolist() == [[0, 0, 1], [1, 4, 1]]


def cut(content):
    return content[: len(content) // 2]


def flipped(content):
    """One byte of a compressed drawing is another."""
    place = content.index(b"0002_07.txt") + 40
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda content: b"<html>404</html>", lambda content: b""])
def test_omniglot_damaged_archive(tmp_path, damage):
    path = publish(tmp_path / "strokes.zip")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"strokes.zip.*(, or damaged|is damaged|cannot be read|is empty)"):
        load(f"omniglot:{path}", **OPTIONS, text=False)


def test_omniglot_images_instead_of_strokes(tmp_path):
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images/Greek/character01/0001_01.png", b"\x89PNG")
        file.extractall(tmp_path / "unpacked")
    (tmp_path / "empty").mkdir()
    for source in (path, f"omniglot:{path}", tmp_path / "unpacked", f"omniglot:{tmp_path}/empty"):
        with pytest.raises(
            FileNotFoundError, match="holds no drawings .* Expected the published strokes.*not the images"
        ):
            load(str(source), **OPTIONS, text=False)


def test_omniglot_path_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError, match="--data=omniglot:.*none.zip: no such file or folder"):
        load(f"omniglot:{tmp_path}/none.zip", **OPTIONS, text=False)
    with pytest.raises(ValueError, match="--data=omniglot: its path is missing"):
        load("omniglot", **OPTIONS, text=False)


def test_omniglot_by_too_few_people(tmp_path):
    publish(tmp_path / "strokes.zip")
    with zipfile.ZipFile(tmp_path / "strokes.zip") as file:
        file.extractall(tmp_path, [f"strokes/Greek/character01/0001_{drawer:02}.txt" for drawer in range(1, 18)])
    with pytest.raises(ValueError, match="no line left for test: of 0 that were there"):
        load(f"omniglot:{tmp_path}/strokes", **OPTIONS, text=False)


def test_real_omniglot(test_data):
    path = test_data / "omniglot" / "strokes_background_small1.zip"
    parts = READERS["omniglot"](str(path), 0, False)
    assert [len(part) for part in parts] == [136 * 16, 136 * 2, 136 * 2]
    # Each split has each character: in the files' order, drawer and number of strokes are those of the files.
    with zipfile.ZipFile(path) as file:
        contents = {name: file.read(name).decode() for name in sorted(file.namelist()) if name.endswith(".txt")}
    assert len({name.rpartition("/")[0] for name in contents}) == 136
    for part, drawers in zip(parts, (range(1, 17), (17, 18), (19, 20)), strict=True):
        expected = [
            (f"drawer {drawer}", sum(stroke.count(",") > 0 for stroke in content.split("BREAK")))
            for name, content in contents.items()
            if (drawer := int(name[-6:-4])) in drawers
        ]
        assert [(line.writer, int(line.offsets[:, 2].sum())) for line in part] == expected
    lines = sum(parts, [])
    lengths = np.array([len(line.offsets) for line in lines])
    assert 40 < np.median(lengths) < 70 and lengths.min() >= 5 and lengths.max() < 250
    size = np.array([np.ptp(np.cumsum(line.offsets[:, :2], axis=0), axis=0).max() for line in lines])
    assert 50 < np.median(size) < 105, "most of the canvas' 105 units"


def test_real_omniglot_images_are_refused(test_data):
    path = test_data / "omniglot" / "images_background_small1.zip"
    with pytest.raises(FileNotFoundError, match="not the images"):
        load(str(path), **OPTIONS, text=False)
