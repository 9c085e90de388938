from toolkit.metrics.line_endings import line_endings


def test_perfect_constant_and_both_faults():
    letters = [10, 20, 4]
    how = {"most": 500, "points_per_character": 10.0}
    perfect = line_endings([100, 200, 40], letters, **how)
    assert perfect == {"never_stopped_percent": 0.0, "stopped_early_percent": 0.0}
    assert line_endings([500] * 3, letters, **how)["never_stopped_percent"] == 100.0
    assert line_endings([0] * 3, letters, **how)["stopped_early_percent"] == 100.0
    # Half of the usual points is not early yet, one less is.
    mixed = line_endings([50, 99, 500, 41], [10, 20, 4, 4], **how)
    assert mixed == {"never_stopped_percent": 25.0, "stopped_early_percent": 25.0}
