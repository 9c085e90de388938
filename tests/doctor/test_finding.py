from toolkit.doctor.finding import MISSING, OK, Finding


def test_columns_align_and_the_advice_stands_below():
    fine, bad = str(Finding("memory", OK, "4 GiB")), str(Finding("keras", MISSING, "not there", "pip install keras"))
    first, second = bad.splitlines()
    assert fine.index("4 GiB") == first.index("not there") == second.index("-> pip install keras")
    assert fine.startswith("ok ") and first.startswith("missing ")
