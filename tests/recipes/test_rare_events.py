import csv
import json

import numpy as np
import pytest

from recipes import rare_events as recipe
from tests.data.characters import published
from tests.resume import check_resumes
from toolkit import training

TINY = {
    "data": "embedded:glyphs:30",
    "image_size": 8,
    "rotations": False,
    "held_out": 0.2,
    "filters": 2,
    "key_size": 4,
    "memory_size": 64,
    "num_neighbors": 8,
    "epochs": 1,
    "num_episodes": 4,
    "export_slots": 8,
    "max_measured": 2,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "rare_events", load=recipe.load)


def table(run, name):
    with open(run.workdir / "tables" / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_all_phases(tmp_path):
    run = a_run(tmp_path)
    for phase in (recipe.train, recipe.without_memory, recipe.evaluate, recipe.export, recipe.check_data):
        phase(run)
    found = run.metrics()
    assert found["test_classes"] == 6 and found["memory_seen_0_times_percent"] < found["memory_seen_9_times_percent"]
    rows = table(run, "episodes")
    assert [(row["ways"], row["shots"]) for row in rows[::4]] == [("5", str(shots)) for shots in range(1, 6)]
    assert {row["learner"] for row in rows} == {"memory", "untrained_memory", "without_memory", "pixels"}
    for row in rows:
        assert 0 <= float(row["low"]) <= float(row["accuracy_percent"]) <= float(row["high"]) <= 100
    assert len(table(run, "over_an_episode")) == 40
    pictures = {path.name for path in (tmp_path / "pictures").glob("*.png")}
    assert pictures >= {"5_ways.png", "over_an_episode.png", "recalled.png"}
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"embed", "remember", "classify"} and card["slots"] == 8
    with np.load(tmp_path / "checkpoints" / "model" / "latest.npz") as kept:
        assert any(kept[name].shape == (64, 4) for name in kept.files), "the memory is kept"
    run.close()


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(tmp_path, precision):
    run = a_run(tmp_path, precision=precision, steps_per_epoch=3)
    for phase in (recipe.train, recipe.without_memory, recipe.evaluate):
        phase(run)
    assert 0 < run.metrics()["memory_5_way_5_shot_percent"] <= 100
    run.close()


@pytest.mark.slow
def test_omniglot_from_two_zips(tmp_path):
    first = published.zipped(tmp_path / "a.zip", {"Greek": 12}, num_drawers=8)
    second = published.zipped(tmp_path / "b.zip", {"Greek": 1, "Tifinagh": 5}, num_drawers=8)
    run = a_run(tmp_path / "run", data=f"omniglot:{first},{second}", rotations=True, steps_per_epoch=2)
    for phase in (recipe.train, recipe.without_memory, recipe.evaluate):
        phase(run)
    found = run.metrics()
    assert found["alphabets_left_out"] == 1 and found["test_classes"] == 5 and "memory_seen_7_times_percent" in found
    run.close()


@pytest.mark.slow
@pytest.mark.parametrize("phase", [recipe.train, recipe.without_memory])
def test_resumes_inside_the_second_epoch(tmp_path, phase):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    check_resumes(start, phase, tmp_path, cuts=(5,))


def test_fewer_slots_than_examples_or_classes():
    with pytest.raises(ValueError, match="--memory_size=32: expected a slot for each of --batch_size=64 examples"):
        recipe.Settings(workdir="x", memory_size=32)
    with pytest.raises(ValueError, match="--memory_size=19: .* and of the 20 classes of an episode"):
        recipe.Settings(workdir="x", memory_size=19, batch_size=8)


def test_too_few_classes_for_an_episode(tmp_path):
    with pytest.raises(ValueError, match="leaves 2 test classes of 20 drawings or more; an episode has 5 classes of 6"):
        recipe.load(recipe.Settings(workdir=str(tmp_path), data="embedded:glyphs:20", held_out=0.1))
    path = published.zipped(tmp_path / "a.zip", {"Greek": 20}, num_drawers=5)
    with pytest.raises(ValueError, match="leaves 6 test classes of 5 drawings or more"):
        recipe.load(recipe.Settings(workdir=str(tmp_path), data=f"omniglot:{path}", held_out=0.3))
