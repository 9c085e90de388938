import pytest

from toolkit.files import limits


@pytest.fixture(autouse=True)
def restored():
    yield
    limits.allow(None)


def test_each_kind_has_its_bound_until_the_user_gives_one():
    limits.check(limits.GIB, "a file", bound=limits.GIB)
    with pytest.raises(ValueError, match=r"a file would take 1.0 GB, and 1.0 MB is allowed.*--max_gigabytes=2"):
        limits.check(limits.GIB, "a file", bound=limits.MIB)
    limits.allow(2)
    limits.check(limits.GIB, "a file", bound=limits.MIB)
    limits.allow(0.5)
    with pytest.raises(ValueError, match="512.0 MB is allowed"):
        limits.check(limits.GIB, "a file", bound=4 * limits.GIB)


def test_half_of_memory():
    assert limits.MIB < limits.half_of_memory() < 1 << 45
