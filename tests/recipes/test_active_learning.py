import csv
import json

import numpy as np
import pytest

from recipes import active_learning as recipe
from tests.resume import check_resumes, check_same_checkpoints
from toolkit import methods, training
from toolkit.export.interpreter import tflite_caller

TINY = {"data": "embedded:200", "image_size": 8, "units": 8, "epochs": 2, "batch_size": 8, "max_measured": 20}
TINY |= {"initial_size": 20, "query_size": 10, "num_rounds": 2}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "active_learning", load=recipe.load)


def asked(run):
    return [round.labelled for _, round in recipe.finished(run)]


def table(folder, name):
    with open(folder / "tables" / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_all_phases(tmp_path):
    run = a_run(tmp_path)
    for phase in (recipe.train, recipe.evaluate, recipe.export, recipe.check_data):
        phase(run)
    found, rows = run.metrics(), table(tmp_path, "rounds")
    assert [float(row["labelled_images"]) for row in rows] == [20, 30] and found["labelled_images"] == 30
    accuracies = [float(row["top_1_accuracy_percent"]) for row in rows]
    assert found["mean_accuracy_percent"] == pytest.approx(np.mean(accuracies)) and found["test_images"] == 40
    first, second = asked(run)
    assert len(np.unique(second)) == 30 and second[:20].tolist() == first.tolist()
    # What was asked for is what the first network knew least about.
    model = run.round(0).load("model")
    probabilities = methods.classification.probabilities(model, run.data.shown(np.arange(len(run.data))))
    entropy = -(probabilities * np.log2(probabilities + 1e-6)).sum(axis=1)
    left = np.setdiff1d(np.arange(len(run.data)), first)
    assert set(second[20:]) == set(left[np.argsort(-entropy[left])[:10]])
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"learning_curve.png", "classes.png", *(f"round_{number}/asked.png" for number in range(2))}
    images, _ = next(run.data.images.blocks("test", 5))
    expected = methods.classification.probabilities(run.round(1).load("model"), images)
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    answers = [call("classify", image=image[None])["probabilities"] for image in images]
    np.testing.assert_allclose(np.concatenate(answers), expected, atol=1e-5)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert card["classes"] == [str(digit) for digit in range(10)]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["random", "bald", "coreset", "qbc"])
def test_what_a_strategy_needs_is_there(tmp_path, strategy):
    run = a_run(tmp_path, query_strategy=strategy, epochs=1)
    recipe.train(run)
    first, second = asked(run)
    assert len(np.unique(second)) == 30 and run.round(0).has("model_4") == (strategy == "qbc")
    # Strategies begin alike, so that they can be compared.
    again = methods.active_learning.ActiveLearning(len(run.data), "margin", query_size=10, initial=20, seed=0)
    np.testing.assert_array_equal(again.queries[0], first)
    run.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "cut"),  # the first in the training of VAAL, the second in the last round's
    [
        ({"query_strategy": "vaal", "vaal_epochs": 1, "vaal_units": 2}, 5),
        ({"rand_augment": 1, "averaging_epochs": 1, "crop": "shift"}, 4),
    ],
)
def test_resumes_within_a_round_and_between_rounds(tmp_path, how, cut):
    def start(workdir):
        return a_run(workdir, **how, epochs=1, checkpoint_minutes=0.0)

    check_resumes(start, recipe.train, tmp_path, cuts=(cut,))


@pytest.mark.slow
def test_more_rounds_later_are_the_same_rounds(tmp_path):
    whole = a_run(tmp_path / "whole", epochs=1)
    recipe.train(whole)
    whole.close()
    for rounds in (1, 2):
        run = a_run(tmp_path / "grown", num_rounds=rounds, epochs=1)
        recipe.train(run)
        run.close()
    check_same_checkpoints(tmp_path / "whole", tmp_path / "grown")


@pytest.mark.slow
def test_trained_on_under_what_was_chosen_is_refused(tmp_path):
    run = a_run(tmp_path, epochs=1, learning_rate=0.02)
    recipe.train(run)
    run.close()
    longer = a_run(tmp_path, epochs=25, learning_rate=0.02)  # after which other weights are the best
    with pytest.raises(ValueError, match="round_0/query was made of 'round_0/model' as it was at step 3"):
        recipe.train(longer)
    longer.close()


def test_a_person_fills_in_a_file(tmp_path):
    run = a_run(tmp_path, oracle="csv", num_rounds=2, epochs=1, initial_size=5, query_size=3)
    with pytest.raises(ValueError, match="5 of 5 images have no label yet"):
        recipe.train(run)
    told = {}
    for number in range(2):
        path = tmp_path / "labels" / f"round_{number}" / "labels.csv"
        names = [line.split(".")[0] for line in path.read_text().splitlines()[1:]]
        told |= {int(name): int(name) % 10 for name in names}  # not what the data says
        path.write_text("image,label\n" + "".join(f"{name}.png,{int(name) % 10}\n" for name in names))
        if not number:
            with pytest.raises(ValueError, match="round_1/labels.csv: 3 of 3 images have no label yet"):
                recipe.train(run)
    recipe.train(run)
    *_, (_, last) = recipe.finished(run)
    assert last.labels.tolist() == [told[row] for row in last.labelled] and len(told) == 8
    recipe.evaluate(run)
    with pytest.raises(ValueError, match="--oracle=csv has no labels of them"):
        recipe.transfer(run)
    run.close()


@pytest.mark.slow
def test_a_folder_of_images_without_labels_is_asked_for(tmp_path):
    from PIL import Image

    (tmp_path / "images").mkdir()
    for number, image in enumerate(np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3)).astype("uint8")):
        Image.fromarray(image).save(tmp_path / "images" / f"{number:02}.png")
    how = {"oracle": "csv", "unlabelled": str(tmp_path / "images"), "query_size": 3, "epochs": 1}
    run = a_run(tmp_path / "run", **how)
    known = len(run.data.images.parts["train"].labels)
    with pytest.raises(ValueError, match="round_1/labels.csv: 3 of 3 images have no label yet"):
        recipe.train(run)
    path = tmp_path / "run" / "labels" / "round_1" / "labels.csv"
    path.write_text(path.read_text().replace(".png,", ".png,4"))
    recipe.train(run)
    (_, first), (_, second) = recipe.finished(run)
    assert len(first.labelled) == known and (first.labels == run.data.labels[:known]).all()
    assert (second.labelled[known:] >= known).all() and second.labels[known:].tolist() == [4, 4, 4]
    run.close()


def test_without_a_training_there_is_nothing_to_evaluate(tmp_path):
    run = a_run(tmp_path)
    with pytest.raises(ValueError, match="round 0 is not trained yet. The same command with --mode=train goes on"):
        recipe.evaluate(run)
    run.close()


@pytest.mark.slow
def test_a_study_has_curves_with_intervals_and_paired_tests(tmp_path):
    how = {"query_strategies": "random,margin", "num_seeds": 2, "num_rounds": 2, "epochs": 1, "engine": "here"}
    run = a_run(tmp_path, **how, transfer_architecture="dense")
    recipe.study(run)
    scores = [f"{kind}_percent_at_{number}" for kind in ("accuracy", "transferred_accuracy") for number in (20, 30)]
    rows = table(tmp_path, "study")
    assert [(row["query_strategy"], row["seed"]) for row in rows] == [
        (strategy, seed) for strategy in ("random", "margin") for seed in "01"
    ]
    assert set(rows[0]) == {"query_strategy", "seed", "mean_accuracy_percent", *scores}
    for name in ("accuracy_percent_at_20", "transferred_accuracy_percent_at_20"):  # one set, whatever the strategy
        assert rows[0][name] == rows[2][name] and rows[1][name] == rows[3][name]
    beside = table(tmp_path, "beside_random")
    assert {row["query_strategy"] for row in beside} == {"margin"} and len(beside) == 5
    differences = [float(row["difference"]) for row in beside if row["score"] == "accuracy_percent_at_20"]
    assert differences == [0.0] and len(table(tmp_path, "intervals")) == 2
    for name in ("accuracy", "transferred_accuracy"):
        assert (tmp_path / "pictures" / "study" / f"{name}.png").exists()
    run.close()


@pytest.mark.slow
def test_what_was_chosen_is_learned_by_another_architecture(tmp_path):
    run = a_run(tmp_path, num_rounds=2, epochs=1, transfer_architecture="dense")
    recipe.train(run)
    rows = recipe.transfer(run)
    assert [row["labelled_images"] for row in rows] == [20, 30]
    assert rows[0]["chosen_top_1_accuracy_percent"] >= 0 <= rows[1]["random_top_1_accuracy_percent"]
    assert run.round(1).load("dense_chosen").name == "dense" and (tmp_path / "pictures" / "transfer.png").exists()
    assert table(tmp_path, "transfer")[1]["labelled_images"] == "30"
    run.close()


@pytest.mark.slow
def test_mixed_precision(tmp_path):
    run = a_run(tmp_path, precision="mixed_bfloat16", query_strategy="bald", num_rounds=2, epochs=1)
    for phase in (recipe.train, recipe.evaluate, recipe.export):
        phase(run)
    assert 0 <= run.metrics()["mean_accuracy_percent"] <= 100
    run.close()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"initial_size": 135, "query_size": 20}, "A pool of .* examples"),
        ({"num_rounds": 40}, "num_rounds: expected 1 to"),
        ({"validation_size": 500}, "--validation_size=500: there are"),
        ({"architecture": "resnet9"}, "There is no architecture 'resnet9'; did you mean"),
        ({"transfer_architecture": "vgg12"}, "There is no architecture 'vgg12'"),
        ({"unlabelled": "/no/such/folder", "oracle": "csv"}, "--unlabelled=/no/such/folder: no such folder"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_trained(tmp_path, how, told):
    run = a_run(tmp_path, **how)
    try:
        with pytest.raises((ValueError, FileNotFoundError), match=told):
            recipe.train(run)
        assert not list(tmp_path.rglob("*.npz"))
    finally:
        run.close()
