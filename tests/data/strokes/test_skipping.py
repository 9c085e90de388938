import pytest

from toolkit.data.strokes.skipping import read_each


def read(item):
    if isinstance(item, Exception):
        raise item
    return 2 * item


@pytest.mark.parametrize(
    "error", [ValueError("a.npy is odd."), FileNotFoundError("a.npy: no such file."), OSError("a.npy")]
)
def test_the_first_is_named_with_the_way_on(error):
    with pytest.raises(type(error), match="^a.npy.* Mend or remove it, or leave out such files with --skip_corrupt"):
        read_each([1, error, 2], read, source="npy:x", skip_corrupt=False)


def test_all_are_left_out_and_counted(capsys):
    bad = [ValueError(f"{number}.npy is odd.") for number in range(12)]
    assert read_each([1, *bad, 2], read, source="npy:x", skip_corrupt=True) == [2, 4]
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("npy:x: 12 of 14 files left out") and told[1] == "  0.npy is odd."
    assert told[-2:] == ["  9.npy is odd.", "  and 2 more"]
    with pytest.raises(KeyError):
        read_each([KeyError("a mistake of ours")], read, source="npy:x", skip_corrupt=True)


def test_nothing_is_said_where_all_is_well(capsys):
    assert read_each(iter([1, 2]), read, source="npy:x", skip_corrupt=True) == [2, 4] and not capsys.readouterr().out
