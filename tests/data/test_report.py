import json

import numpy as np

from toolkit.data.report import Report

SECTIONS = {
    "lines": {"left_out": {"train": 3, "test": 0}, "mean_length": {"train": 2.0, "test": None}},
    "reading": {"seconds": 0.123456, "alphabet": "ab"},
}


def test_ready():
    text = str(Report(SECTIONS, size="7 lines"))
    assert text.splitlines() == [
        "lines          train  test",
        "  left out         3     0",
        "  mean length      2     -",
        "",
        "reading",
        "  seconds      0.1235",
        "  alphabet     ab",
        "",
        "Ready: 7 lines.",
    ]


def test_what_to_change_and_why_not():
    changes = ["--max_points=9 keeps all."]
    assert "Ready: 7 lines. But look at this first:\n  - --max_points=9" in str(Report({}, "7 lines", changes))
    refused = Report({}, "0 lines", changes, refusal="no line is left")
    assert "NOT READY: training would stop at once.\n  - --max_points=9" in str(refused)
    assert refused.as_dict()["verdict"] == {
        "ready": False,
        "size": "0 lines",
        "changes": changes,
        "refusal": "no line is left",
    }


def test_it_is_json():
    report = Report({**SECTIONS, "counts": {"of numpy": {"a": int(np.int64(3))}}}, "7 lines")
    assert json.loads(json.dumps(report.as_dict()))["lines"] == SECTIONS["lines"]
