import csv
import gzip
import json
import pathlib

import numpy as np
import pytest

from recipes import influence as recipe
from tests.resume import check_resumes
from toolkit import models, settings, training

TINY = {
    "num_train": 150,
    "num_examples": 2,
    "num_shown": 3,
    "num_points": 4,
    "num_seeds": 1,
    "num_changed": "1,150",
    "num_steps": 2,
    "max_measured": 20,
}
TWO = {"classes": "1,7"}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "influence", load=recipe.load)


def table(run, name):
    with open(run.workdir / "tables" / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Digits, logistic regression, every phase of `all`."""
    run = a_run(tmp_path_factory.mktemp("influence"))
    for phase in (recipe.train, recipe.evaluate, recipe.explain, recipe.export, recipe.check_data):
        phase(run)
    return run


def test_all_phases(run):
    found = run.metrics()
    assert 80 < found["test_accuracy_percent"] < 99 and found["gradient_norm"] < 1e-7
    assert found["weights"] == 640 and found["training_examples"] == 150
    assert 0 < found["training_loss"] < found["objective"] < np.log(10)
    assert (run.workdir / "pictures" / "explained.png").exists()
    card = json.loads((run.workdir / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"classify", "influence"} and len(card["queries"]) == 2
    assert card["measured"]["model.tflite"]["examples"] == 20


def test_what_is_explained_is_what_is_worst_and_what_moves_it_most(run):
    classifier, features = recipe.trained(run)
    assert features is None
    rows = table(run, "explained")
    assert len(rows) == 2 * 2 * 3
    worst = np.argsort(-classifier.losses())[:2]
    assert {row["test"] for row in rows} == {f"test image {number}" for number in worst}
    by = classifier.influence().of_removing(classifier.queries(worst[:1]))[0]
    first = [row for row in rows if row["test"] == f"test image {worst[0]}"]
    helpful = [row["training"] for row in first if row["kind"] == "helpful"]
    assert helpful == [run.data.titles["train"][row] for row in np.argsort(-by)[:3]]
    assert float(first[-3]["loss_without_it_rises_by"]) == pytest.approx(by.min(), rel=1e-6)


def test_predictions_are_true(run):
    recipe.verify(run)
    found = run.metrics()
    assert found["correlation"] > 0.99 and 0.9 < found["true_over_predicted"] < 1.6  # of 150 examples one counts
    assert found["left_out"] <= 8 and len(table(run, "verified")) == 2
    before = sorted((run.workdir / "checkpoints").glob("leave_one_out_*"))
    recipe.verify(run)  # nothing is trained again
    assert sorted((run.workdir / "checkpoints").glob("leave_one_out_*")) == before and len(before) == 1


@pytest.mark.slow
def test_children_are_to_blame(run):
    recipe.mismatch(run)
    found = run.metrics()
    assert found["members_of_most_influence"] == 4 and found["least_member_over_greatest_other"] > 1
    assert found["group_wrong_percent"] > 40 > 2 * found["group_wrong_without_members_percent"]
    assert found["columns_of_greater_weight"] > found["columns_that_matter_more"] == 0
    assert sum(int(row["child"]) for row in table(run, "mismatch")) == 4


@pytest.mark.slow
def test_wrong_labels_are_found_before_others(tmp_path):
    run = a_run(tmp_path, **TWO)
    recipe.find_mislabelled(run)
    found = run.metrics()
    for order in ("self_influence", "loss"):
        assert found[f"{order}_found_at_20_percent"] > 2 * found["chance_found_at_20_percent"]
    assert 40 < found["accuracy_with_wrong_labels"] <= found["self_influence_accuracy_at_20_percent"] + 2
    pictures = {path.name for path in (tmp_path / "pictures" / "mislabelled").iterdir()}
    assert pictures >= {"found.png", "accuracy.png"}
    run.close()


@pytest.mark.slow
def test_an_attack_is_not_seen_and_goes_on_where_it_was(tmp_path, monkeypatch):
    run = a_run(tmp_path, **TWO, l2=1e-3)
    recipe.train(run)
    recipe.attack(run)
    found, rows = run.metrics(), table(run, "attack")
    assert found["attacked"] == 2 and found["largest_change_grey_levels"] < 0.490001
    assert {row["pixels_of_another_level"] for row in rows} == {"0"}
    assert all(float(row["loss_after"]) > float(row["loss_before"]) for row in rows)
    monkeypatch.setattr(recipe.methods.data_poisoning.Poisoning, "until_flipped", None)
    recipe.attack(run)
    assert table(run, "attack") == rows
    run.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"network": "svm", **TWO, "temperature": 0.01},
        {
            "network": "cnn",
            **TWO,
            "epochs": 3,
            "iterations": 20,
            "num_train": 40,
            "damping": 0.05,
            "gauss_newton": True,
        },
        {"solver": "lissa", "damping": 0.01},
        {"solver": "arnoldi"},
        {"data": "embedded:patients:300", "l2": 0.001, "num_train": None},
    ],
    ids=lambda how: " ".join(map(str, how.values())),
)
def test_other_settings(tmp_path, how):
    run = a_run(tmp_path, **how)
    for phase in (recipe.train, recipe.evaluate, recipe.explain, recipe.find_mislabelled):
        phase(run)
    assert run.metrics()["test_accuracy_percent"] > 60
    run.close()


def mails(folder):
    random = np.random.default_rng(0)
    words = {"ham": ["meter", "gas", "deal", "attached"], "spam": ["pills", "cheap", "click", "offer"]}
    for name, own in words.items():
        (folder / name).mkdir()
        for number in range(30):
            text = " ".join(random.choice([*own, "the", "and", "of", "for"], 12))
            content = f"Subject: {text}\r\n".encode()
            path = folder / name / f"{number}.txt{'.gz' if number == 4 else ''}"
            path.write_bytes(gzip.compress(content) if number == 4 else content)
    return str(folder)


@pytest.mark.slow
def test_mail_is_explained_in_words_and_exported(tmp_path):
    (tmp_path / "mail").mkdir()
    run = a_run(tmp_path / "run", data=f"mail:{mails(tmp_path / 'mail')}", num_train=None, l2=0.001)
    for phase in (recipe.train, recipe.evaluate, recipe.explain, recipe.export):
        phase(run)
    assert run.metrics()["test_accuracy_percent"] > 80
    rows = table(run, "explained")
    assert all(set(row["both_have"].split()) <= set(run.data.columns) for row in rows)
    card = json.loads((run.workdir / "export" / "card.json").read_text())
    assert card["columns"] == list(run.data.columns) and card["classes"] == ["ham", "spam"]
    with pytest.raises(ValueError, match="--mode=attack changes images; --data=mail:"):
        recipe.attack(run)
    run.close()


def classifier(folder, data="embedded:300", name="logits"):
    """What image_classification would have left, small and by hand."""
    import keras

    how = {"workdir": str(folder), "data": data, "image_size": 8}

    @settings.recipe
    class Settings(settings.Images, settings.Training):
        weight_decay: float = settings.setting(5e-4, "of kernels", minimum=0.0, maximum=1.0)

    run = training.Run(Settings(**how), "image_classification")
    with run.scope():
        model = models.image_classifier.trainee("resnet8", 8, list("0123456789"), width=4, stem="small")
        model.get_layer("standardize").adapt(np.full(3, 80.0), np.full(3, 90.0))
        if name != "logits":
            model = keras.Model(model.input, keras.layers.Dense(3, name=name)(model.output["logits"]))
    for _, log in run.loop(1, stage="model", state={"model": model}):
        log(loss=1.0)
    run.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Taken as in inference")
def test_the_last_layer_of_another_recipes_network(tmp_path):
    classifier(tmp_path / "images")
    run = a_run(tmp_path / "run", model=str(tmp_path / "images"), num_train=None)
    for phase in (recipe.train, recipe.evaluate, recipe.explain, recipe.verify, recipe.export):
        phase(run)
    found = run.metrics()
    assert found["training_examples"] < 300 and found["correlation"] > 0.98 and found["gradient_norm"] < 1e-6
    card = json.loads((run.workdir / "export" / "card.json").read_text())
    assert card["signatures"]["classify"]["inputs"]["example"]["shape"] == [1, 8, 8, 3]
    recipe.attack(run)
    assert run.metrics()["largest_change_grey_levels"] < 0.490001
    run.close()
    run = a_run(tmp_path / "run", model=str(tmp_path / "images"), num_train=None, layers="all", num_examples=1)
    recipe.explain(run)
    assert len(table(run, "explained")) == 6
    run.close()


def test_models_that_cannot_be_asked(tmp_path):
    def load(**how):
        return recipe.load(recipe.Settings(workdir=str(tmp_path / "x"), **how))

    with pytest.raises(ValueError, match="--model=.*nowhere holds no trained network"):
        load(model=str(tmp_path / "nowhere"))
    classifier(tmp_path / "codes", name="codes")
    with pytest.raises(ValueError, match="of image_classification: it is no classifier of images.* Name the --workdir"):
        load(model=str(tmp_path / "codes"))
    path = tmp_path / "digits.npz"
    random = np.random.default_rng(0)
    parts = {f"x_{part}": random.integers(0, 256, (40, 8, 8)).astype("uint8") for part in ("train", "test")}
    np.savez(path, **parts, y_train=np.arange(40) % 10, y_test=np.arange(40) % 10)
    classifier(tmp_path / "images", data=f"npz:{path}")
    assert len(load(model=str(tmp_path / "images")).labels["test"]) == 40
    moved = path.rename(tmp_path / "moved.npz")
    with pytest.raises(ValueError, match="was trained on .*digits.npz, which is not there any more. Say where: --data"):
        load(model=str(tmp_path / "images"))
    assert len(load(model=str(tmp_path / "images"), data=f"npz:{moved}").labels["test"]) == 40
    np.savez(path, **parts, y_train=np.arange(40) % 4, y_test=np.arange(40) % 4)
    with pytest.raises(ValueError, match="--data has other classes than --model="):
        load(model=str(tmp_path / "images"))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"model": "runs/x", "classes": "1,7"}, "--model brings its network and classes"),
        ({"model": "runs/x", "network": "cnn"}, "--model brings its network and classes"),
        ({"layers": "all"}, "--layers=all is of --model"),
        ({"examples": "1;2"}, "--examples must be whole numbers"),
    ],
)
def test_settings_that_do_not_go_together(how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir="x", **how)


def test_an_svm_is_of_two_classes(tmp_path):
    run = a_run(tmp_path, network="svm")
    with pytest.raises(ValueError, match="--network=svm is of two classes; there are 10: name two by --classes"):
        recipe.train(run)
    run.close()


@pytest.mark.slow
def test_resumes_between_rounds(tmp_path):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=5, iterations=4)

    check_resumes(start, recipe.train, tmp_path, cuts=(3,))


@pytest.mark.slow
def test_leaving_out_goes_on_where_it_was(tmp_path):
    def start(workdir):
        run = a_run(workdir, checkpoint_minutes=0.0)
        if not run.has("model"):
            recipe.train(run)
        return run

    check_resumes(start, recipe.verify, tmp_path, cuts=(5,))
    assert len(list(pathlib.Path(tmp_path, "cut_0", "checkpoints").glob("leave_one_out_*"))) == 1
