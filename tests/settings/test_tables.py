import pytest

from toolkit.settings.tables import Tables


def test_what_tables_are_asked_for():
    assert Tables(data="csv:a.csv", target="y", skip_missing=True, seed=2).reading() == {
        **{"source": "csv:a.csv", "target": "y", "leave_out": "", "skip_missing": True},
        **{"held_out": 0.1, "seed": 2},
    }


def test_a_share_that_leaves_nothing():
    with pytest.raises(ValueError, match="--held_out must be at most 0.9; got 1.0"):
        Tables(held_out=1.0)
