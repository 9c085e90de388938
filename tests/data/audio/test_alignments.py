import numpy as np
import pytest

from toolkit.data.audio.alignments import Segments, check_end, read_lablaut, read_table, within


def table(tmp_path, content, rate=8000):
    path = tmp_path / "one.txt"
    path.write_text(content)
    return read_table(path, rate)


def test_samples_and_seconds(tmp_path):
    expected = Segments(np.array([0, 0.5]), np.array([0.5, 1.25]), ("h#", "sh"))
    for content in ("0 4000 h#\n4000 10000 sh\n", "0\t0.5\th#\n0.5\t1.25\tsh\r\n", "\ufeff0 0.50 h#\n\n.5 1.25 sh"):
        found = table(tmp_path, content)
        np.testing.assert_allclose(found.starts, expected.starts)
        np.testing.assert_allclose(found.ends, expected.ends)
        assert found.units == expected.units


@pytest.mark.parametrize("content", ["Please call Stella.\n", "3 apples\n", "a b c\n"])
def test_what_is_no_table_is_none(tmp_path, content):
    assert table(tmp_path, content) is None


@pytest.mark.parametrize(
    "content, told",
    [
        ("0 4000 h\n4000 a\n", "one.txt, line 2: expected start, end and unit"),
        ("0 4000 h\n4000 5000 a b\n", "line 2: expected start, end and unit"),
        ("0 4000 h\n\n-5 5000 a\n", "line 3: expected start, end and unit"),
        ("0 4000 h\n4000 nan a\n", "line 2: expected start, end and unit"),
        ("0 4000 h\n5000 5000 a\n", "line 2: 'a' ends where it starts, or before"),
        ("0 4000 h\n3000 5000 a\n", "line 1: 'h' ends after the next one starts"),
        ("0 4000 h\n4000 5000 " + 200 * "a", "line 2: expected"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, content, told):
    with pytest.raises(ValueError, match=told):
        table(tmp_path, content)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "one.txt").write_bytes(b"0 4000 h\n4000 5000 \xff\n")
    with pytest.raises(ValueError, match="one.txt, line 2: .*not UTF-8"):
        read_table(tmp_path / "one.txt", 8000)


def test_beyond_the_end():
    segments = Segments(np.array([0.0, 1.0]), np.array([1.0, 2.0]), ("a", "b"))
    check_end(segments, 1.96, "a.txt", "a.wav")
    with pytest.raises(ValueError, match="a.txt: 'b' ends at 2.000 s, but a.wav is 1.500 s long"):
        check_end(segments, 1.5, "a.txt", "a.wav")
    assert within(segments, 1.5).ends.tolist() == [1.0, 1.5]
    assert within(segments, 0.9).units == ("a",) and within(segments, 0.0).units == ()


LABLAUT = """signal wochenAO
type 0
nfields 1
#
    0.100000   -1 _t
    0.150000   -1 !t\t+asp
    0.200000   -1 E6
    0.300000   -1 \t+hoe
    0.350000   -1 -lar
    0.400000   -1 aI\t+lar\t3
    0.500000   -1 (gef
    0.600000   -1 kasp
    0.700000   -1 .
"""


def test_lablaut(tmp_path):
    path = tmp_path / "03a01Fa.lablaut"
    path.write_text(LABLAUT)
    found = read_lablaut(path)
    assert found.units == ("t", "E", "aI", "_", "k")
    np.testing.assert_allclose(found.starts, [0.1, 0.2, 0.4, 0.5, 0.6])
    np.testing.assert_allclose(found.ends, [0.2, 0.4, 0.5, 0.6, 0.7])
    path.write_text(LABLAUT.split("#\n")[0] + "#\n")
    assert read_lablaut(path) is None
    path.write_text(LABLAUT.replace("0.400000   -1", "later"))
    with pytest.raises(ValueError, match="lablaut, line 10: expected a time, a colour and a phone"):
        read_lablaut(path)
    path.write_text(LABLAUT.replace("0.400000", "0.050000"))
    with pytest.raises(ValueError, match="line 7: 'E' ends where it starts, or before"):
        read_lablaut(path)
