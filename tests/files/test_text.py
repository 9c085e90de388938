import json
import math

import pytest

from toolkit.files import text, writing


def test_marks_and_line_ends(tmp_path):
    (tmp_path / "file").write_bytes("\ufeffone\r\ntwo\rthr\u00e9e\n".encode())
    assert text.read(tmp_path / "file") == "one\ntwo\nthr\u00e9e\n"


def test_other_encodings_are_named(tmp_path):
    (tmp_path / "file").write_bytes("one\ncaf\u00e9".encode("latin-1"))
    with pytest.raises(ValueError, match=r"file, line 2: byte 7 \(0xe9\) is not UTF-8"):
        text.read(tmp_path / "file")


def test_json(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('\ufeff{"recipe": "x", "step": 3}')
    assert text.read_json(path, fields={"recipe": str, "step": (int, float)}) == {"recipe": "x", "step": 3}


@pytest.mark.parametrize(
    "content, why",
    [
        ("{", r"line 1, is not a run's: Expecting property name.*\. Remove it\."),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "holds list, expected fields"),
        ("{}", "has no step"),
        ('{"step": "3"}', "step is str, expected int"),
        ('{"step": true}', "step is bool, expected int"),
        ("\xff", "not a run's"),
    ],
)
def test_json_that_is_damaged(tmp_path, content, why):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=why):
        text.read_json(path, "a run's", fields={"step": int}, remedy="Remove it.")


def test_json_is_what_json_reads(tmp_path):
    content = {"a": [1, 2.5, None, "\u00e9"], "b": {"c": True}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert text.read_json(tmp_path / "a.json") == content


def test_numbers_that_are_not_finite_are_null(tmp_path):
    writing.write_json(tmp_path / "a.json", {"loss": 2, "perplexity": math.inf})
    found = text.numbers(text.read_json(tmp_path / "a.json"), "a.json", "metrics")
    assert found["loss"] == 2 and math.isnan(found["perplexity"])
    with pytest.raises(ValueError, match="a.json is not metrics: loss is str, expected int or float"):
        text.numbers({"loss": "2"}, "a.json", "metrics")
