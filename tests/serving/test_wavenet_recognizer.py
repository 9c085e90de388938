import numpy as np
import pytest

from toolkit import export, models
from toolkit.export.interpreter import tflite_caller
from toolkit.serving.wavenet_recognizer import wavenet_recognizer


def test_exported_it_hears_what_keras_hears(tmp_path):
    model = models.wavenet_recognizer.wavenet_recognizer(
        3, [1, 2, 4], filters=6, skip_filters=8, hop=20, frame_filters=8
    )
    random = np.random.default_rng(0)
    sounds = [{"audio": random.uniform(-1, 1, time), "units": random.integers(-1, 3, 9)} for time in (180, 90)]
    how = {"sample_rate": 1000, "seconds": 0.17, "units": list("abc"), "measured": sounds}
    served, levels = wavenet_recognizer(model, **how), model.get_layer("levels")
    example = served.examples["classify"]["audio"]  # where a level's border is far, so that two runtimes hear the same
    np.testing.assert_array_equal(levels.inverse(levels(example)), example)
    report = export.write(tmp_path / "export", **served.arguments())
    right = total = 0
    for sound in sounds:
        audio = np.pad(sound["audio"], (0, 200))[None, :160].astype("float32")  # eight whole frames
        found = np.asarray(model(audio)["units"])[0].argmax(axis=-1)
        for frame in range(min(8, len(sound["audio"]) // 20)):
            right += sound["units"][frame] == found[frame]
            total += sound["units"][frame] >= 0
    assert report.card["measured"]["model.tflite"]["frame_accuracy"] == pytest.approx(right / total)
    shares = tflite_caller(tmp_path / "export" / "model.tflite")("classify", audio=np.full((1, 160), np.nan, "float32"))
    np.testing.assert_allclose(shares["units"].sum(axis=-1), 1, atol=1e-5)


def test_errors():
    model = models.wavenet_recognizer.wavenet_recognizer(3, [1], filters=4, skip_filters=4, hop=20)
    with pytest.raises(ValueError, match="units: the network tells 3; got 2 names"):
        wavenet_recognizer(model, sample_rate=1000, seconds=1, units="ab")
    with pytest.raises(ValueError, match="at least one frame's, 0.02"):
        wavenet_recognizer(model, sample_rate=1000, seconds=0.01, units="abc")
