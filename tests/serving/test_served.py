"""Two models in one export: names are apart, and each is compared, calibrated and measured as if it were alone."""

import numpy as np

from toolkit import export
from toolkit.export import signature
from toolkit.serving.served import Served


def times(factor: float) -> Served:
    example = {"x": np.ones((1, 3), "float32")}
    return Served(
        signatures={"run": signature(lambda x: {"y": factor * x}, x=((1, 3), "float32", "metres"))},
        examples={"run": example},
        calibrate=lambda: iter([{"run": example}]),
        measure=lambda call: {"sum": float(call("run", **example)["y"].sum())},
        card={"factor": factor},
    )


def test_together_is_what_each_is_alone(tmp_path):
    both = Served.together(two=times(2.0), three=times(3.0))
    assert [list(item) for item in both.calibrate()] == [["two_run"], ["three_run"]]
    card = export.write(tmp_path / "export", **both.arguments()).card
    assert card["measured"]["model.tflite"] == {"two_sum": 6.0, "three_sum": 9.0}
    assert set(card["signatures"]) == {"two_run", "three_run"} and card["two_factor"] == 2.0
    call = export.interpreter.tflite_caller(tmp_path / "export" / "model.tflite")
    np.testing.assert_array_equal(call("three_run", x=np.full((1, 3), 5, "float32"))["y"], 15.0)


def test_nothing_to_calibrate_where_one_has_nothing():
    only = Served(signatures=times(1.0).signatures)
    assert Served.together(one=times(1.0), other=only).calibrate is None
    assert only.arguments()["calibrate"] is None
