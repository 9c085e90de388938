import pytest

from toolkit.settings.lists import numbers, sizes


def test_numbers_are_over_0_and_of_their_kind():
    assert numbers("", "rates") == () and numbers("3,6", "rates", int) == (3, 6) and numbers("0.5", "scales") == (0.5,)
    for wrong, kind in (("0", float), ("-1", float), ("3.5", int), ("1,,2", float), ("nan", float), ("10000", float)):
        with pytest.raises(ValueError, match="--rates must be numbers over 0 between commas; got"):
            numbers(wrong, "rates", kind)


def test_one_size_is_not_several():
    assert sizes("", "crop_size", 99) == () and sizes("9x99", "crop_size", 99) == ((9, 99),)
    for wrong in ("9x99,9x9", "9x100", "9x9 ", "09x9"):
        with pytest.raises(ValueError, match="--crop_size must be HEIGHTxWIDTH, such as 480x640, each at most 99; got"):
            sizes(wrong, "crop_size", 99)
