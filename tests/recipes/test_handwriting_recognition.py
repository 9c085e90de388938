import json

import numpy as np
import pytest

from recipes import handwriting_recognition as recipe
from tests.resume import check_resumes
from toolkit import training

TINY = {"data": "embedded:60", "units": 8, "num_layers": 1, "epochs": 2, "batch_size": 16, "max_points": 260}


def settings(workdir, **how):
    return recipe.Settings(workdir=str(workdir), **(TINY | how))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = training.Run(settings(tmp_path_factory.mktemp("run")), "handwriting_recognition", load=recipe.load)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export):
        phase(run)
    return run


def test_numbers_and_pictures(run):
    metrics = json.loads((run.workdir / "metrics.json").read_text())
    assert set(metrics) == {
        "character_error_rate_percent",
        "character_error_rate_beam_percent",
        "word_error_rate_percent",
    }
    names = {path.name for path in (run.workdir / "pictures").rglob("*.png")}
    assert names == {"read.png", "confusions.png", "spikes.png"}


def test_lines_that_ctc_could_not_spell_are_left_out(run):
    """As many points a label as the network itself takes."""
    per_label, model = run.settings.reading()["points_per_label"], run.load()
    for points in (2, 7, 8):
        logits = model((np.zeros((1, points, 3), "float32"), np.ones((1, points), bool)))
        assert logits.shape[1] == -(-points // per_label)


@pytest.mark.slow
def test_resumes(tmp_path):
    def start(workdir):
        return training.Run(settings(workdir, checkpoint_minutes=0.0), "handwriting_recognition", load=recipe.load)

    check_resumes(start, recipe.train, tmp_path, cuts=(4,))


@pytest.mark.slow
def test_learns_to_read_two_lines(tmp_path):
    """By heart, which a network that is fed nonsense, or whose classes are shifted, cannot."""
    run = training.Run(settings(tmp_path, epochs=1), "handwriting_recognition", load=recipe.load)
    s = run.settings
    splits = recipe.examples(s, recipe.load(s))
    (offsets, mask), classes = splits.train.peek()
    texts = ["".join(s.alphabet[c - 1] for c in row if c) for row in np.asarray(classes)]
    source = recipe.load(s).train.peek()
    assert texts == ["".join(map(chr, codes[codes > 0])) for codes in source["text"]]
    model = recipe.models.handwriting_recognition.recognition(s.alphabet, units=32, num_layers=1)
    model.get_layer("standardize").adapt(np.zeros(3), [3.0, 3.0, 1.0])
    model.compile(recipe.keras.optimizers.Adam(0.01), loss=recipe.keras.losses.CTC(), jit_compile=False)
    for _ in range(300):
        model.train_on_batch((offsets[:2], mask[:2]), classes[:2])
    lines = [np.asarray(o)[np.asarray(m)] for o, m in zip(offsets[:2], mask[:2], strict=True)]
    assert recipe.read(s, model, lines)[0] == texts[:2]


def test_check_data(tmp_path):
    recipe.check_data(training.Run(settings(tmp_path), "handwriting_recognition", load=recipe.load))
    assert {"points.png", "alphabet.png"} <= {path.name for path in (tmp_path / "pictures" / "data").iterdir()}


def test_written_lines_need_an_export(run):
    with pytest.raises(ValueError, match=r"--synthesis=nowhere holds no model\.tflite"):
        recipe.read_written(training_run(run, synthesis="nowhere"))


def training_run(run, **how):
    class Other:
        settings = recipe.Settings(**{**vars(run.settings), **how})
        load = staticmethod(run.load)

    return Other
