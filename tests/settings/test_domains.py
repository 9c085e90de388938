import pytest

from toolkit.settings import domains


@pytest.mark.parametrize("share", [0.0, 0.5, float("nan")])
def test_shares_that_leave_nothing(share):
    with pytest.raises(ValueError, match="expected a share over 0 and under 0.5"):
        domains.Images(held_out=share)


def test_a_group_takes_from_its_own():
    assert domains.WrittenStrokes().max_points == domains.Strokes().max_points
    assert "text" in domains.WrittenStrokes.__dataclass_fields__["data"].metadata["help"]
