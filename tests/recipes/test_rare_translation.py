import csv
import json

import numpy as np
import pytest

from recipes import rare_translation as recipe
from tests.resume import check_resumes
from toolkit import training

TINY = {
    "data": "embedded:40",
    "units": 4,
    "embedding_size": 4,
    "memory_size": 200,
    "key_size": 4,
    "num_neighbors": 8,
    "batch_size": 10,
    "epochs": 1,
    "num_samples": 2,
    "max_measured": 2,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "rare_translation", load=recipe.load)


def test_all_phases(tmp_path):
    run = a_run(tmp_path)
    for phase in (
        recipe.train,
        recipe.without_memory,
        recipe.evaluate,
        recipe.sample,
        recipe.export,
        recipe.check_data,
    ):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    for network in ("without_memory", "memory", "memory_after_reading"):
        assert 0 <= found[f"{network}_unseen_percent"] <= 100 and f"{network}_sentences_percent" in found
    with open(tmp_path / "tables" / "translations.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and rows[0].keys() == {"sentence", "right", "before_reading", "after_reading"}
    assert (tmp_path / "pictures" / "accuracy.png").exists()
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"memory", "translate", "remember"}
    assert card["measured"]["model.tflite"]["sentences"] == 2 and "ka" in card["source_words"]
    # Reading before the test changed the memory of no checkpoint.
    values = np.asarray(run.load().get_layer("memory").values)
    assert 0 < np.sum(values >= 0) <= 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [{"precision": "mixed_float16"}, {"precision": "mixed_bfloat16", "data": "embedded:mapping:60"}],
    ids=lambda how: " ".join(how.values()),
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how)
    for phase in (recipe.train, recipe.without_memory, recipe.evaluate):
        phase(run)
    assert np.isfinite(run.metrics()["memory_sentences_percent"])
    run.close()


@pytest.mark.slow
def test_resumes_inside_the_second_epoch(tmp_path):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


def test_a_batch_larger_than_the_memory(tmp_path):
    with pytest.raises(ValueError, match="--memory_size=79 is less than the 80 words of --batch_size=10"):
        recipe.train(a_run(tmp_path, memory_size=79))
