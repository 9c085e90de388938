import io
import time

import pytest

from toolkit.data import threads


def test_in_order_and_together():
    def slow(number):
        time.sleep(0.05 if number == 0 else 0)
        return 2 * number

    assert list(threads.each(slow, range(20))) == list(range(0, 40, 2))


def test_what_goes_wrong_in_a_thread_is_raised_here():
    with pytest.raises(ValueError, match="invalid literal"):
        list(threads.each(int, ["1", "two"]))


def test_a_bar_is_not_seen_where_the_work_is_short(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with threads.progress(3, "Reading folder:a") as bar:
        bar.update(3)
        assert bar.total == 3 and bar.n == 3 and bar.unit == "image"
