import dataclasses
import json
import types

import numpy as np
import pytest

from recipes import codes_prior as recipe
from recipes import image_classification, vqvae2, vqvae_image
from tests.recipes.autoencoders import TINY as AUTOENCODER
from tests.resume import check_resumes
from toolkit import data, training

TINY = {"filters": 8, "num_blocks": 2, "head_filters": 8, "epochs": 1, "num_samples": 4, "max_measured": 3}


@pytest.fixture(scope="module", name="encoded")
def trained_vqvae(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vqvae")
    run = training.Run(vqvae_image.Settings(workdir=str(folder), **AUTOENCODER), "vqvae_image", load=vqvae_image.load)
    vqvae_image.train(run)
    vqvae_image.codes(run)
    run.close()
    return folder


def a_run(workdir, encoded, **how):
    settings = recipe.Settings(workdir=str(workdir), data=str(encoded), **(TINY | how))
    return training.Run(settings, "codes_prior", load=recipe.load)


def test_all_phases(tmp_path, encoded):
    run = a_run(tmp_path, encoded)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert 0 < found["bits_per_code"] < 8 and found["bits_per_code_of_uniform_codes"] == 4
    saved = 16 * (found["bits_per_code_of_uniform_codes"] - found["bits_per_code"]) / 256
    assert found["bits_per_dim_with_uniform_codes"] - found["bits_per_dim"] == pytest.approx(saved)
    lost = run.data.facts["test_reconstruction_nats"] / np.log(2)
    assert found["bits_per_dim"] == pytest.approx((lost + 16 * found["bits_per_code"]) / 256)
    assert found["training_bits_per_code"] != found["bits_per_code"]
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"training/samples.png", "samples.png", "uniform_codes.png"}
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"sample", "sample_from_noise", "decode", "score"}
    assert card["labels"] == list("0123456789")
    run.close()
    asked = training.Run(dataclasses.replace(run.settings, classes="3,cat"), "codes_prior", load=recipe.load)
    with pytest.raises(ValueError, match="the prior never saw 'cat'; it knows 0, 1, 2"):
        recipe.sample(asked)


class Drawer:
    """Draws nothing, and remembers what it was asked for."""

    class_names, asked = tuple("0123456789"), []

    def __init__(self, priors, autoencoder):
        pass

    def draw(self, labels, **how):
        self.asked.append((list(labels), how))
        return np.zeros((len(labels), 16, 16, 1))

    def draw_uniform(self, number, seed):
        return np.ones((number, 16, 16, 1))

    def decode(self, codes):
        return np.full((len(codes), 16, 16, 1), 2.0)


def test_what_is_asked_for_is_drawn(tmp_path, encoded, monkeypatch):
    monkeypatch.setattr(recipe.generation.image_drawing, "ImageDrawer", Drawer)
    monkeypatch.setattr(recipe, "trained", lambda run: (None, None))
    recipe.sample(a_run(tmp_path, encoded, classes="7, 3", num_samples=3, temperature=0.5, sample_seed=4))
    assert Drawer.asked.pop() == ([7, 3, 7], {"temperature": 0.5, "seed": 4})


def test_what_is_judged(tmp_path, encoded, monkeypatch):
    """Test images are what is compared with, training ones what could have been copied."""
    run, asked = a_run(tmp_path, encoded, images="embedded:200", num_judged=20, temperature=0.5, seed=0), {}

    def nearest(images, blocks):
        asked["train"] = np.concatenate(list(blocks))
        return types.SimpleNamespace(distances=images.mean(axis=(1, 2, 3)), images=images)

    def quality(drawer, judge, labels, names, **how):
        asked["how"] = how
        return types.SimpleNamespace(measures={}, curves={"drawn": [(1, 1)]}, kept={1.0: (drawer.draw(labels), labels)})

    judge = types.SimpleNamespace(
        compare=lambda blocks: asked.update(test=np.concatenate(list(blocks))),
        look=lambda images: images,
        measures=lambda seen, name: {f"mean_of_{name}": seen.mean()},
        nearest=nearest,
    )
    monkeypatch.setattr(recipe.generation.image_drawing, "ImageDrawer", Drawer)
    monkeypatch.setattr(recipe.generation.sample_quality, "sample_quality", quality)
    monkeypatch.setattr(recipe, "judge_of", lambda run: judge)
    found = recipe.judged(run, [], types.SimpleNamespace(input_shape=(None, 16, 16, 1)))
    assert found == {
        "mean_of_decoded": 2,
        "mean_of_uniform_codes": 1,
        "distance_to_training_of_drawn": 0,
        "distance_to_training_of_decoded": 2,
    }
    assert asked["how"]["temperature"] == 0.5
    images = data.images.load("embedded:200", image_size=16, batch_size=100, channels=1).splits
    tests = {image.tobytes() for image in images.test.arrays()[0].astype("float32")}
    assert {image.tobytes() for image in asked["test"].astype("float32")} <= tests and len(asked["test"]) == 20
    assert len(asked["train"]) == images.train.num_examples


LEVELS = {"num_heads": 2, "attention_every": 1, "num_output_blocks": 1, "num_context_blocks": 1}


@pytest.fixture(scope="module", name="levels")
def trained_vqvae2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vqvae2")
    run = training.Run(vqvae2.Settings(workdir=str(folder), **AUTOENCODER), "vqvae2", load=vqvae2.load)
    vqvae2.train(run)
    vqvae2.codes(run)
    run.close()
    return folder


@pytest.mark.slow
def test_a_prior_for_each_level(tmp_path, levels):
    run = a_run(tmp_path, levels, **LEVELS)
    recipe.train(run), recipe.evaluate(run), recipe.sample(run)
    priors, autoencoder = recipe.trained(run)
    assert [prior.name for prior in priors] == ["pixelsnail", "pixelsnail"]
    assert [len(recipe.models.pixelsnail.attentions(prior)) for prior in priors] == [2, 0]
    assert priors[1].input["context"].shape == (None, 1, 2, 2)
    found = json.loads((tmp_path / "metrics.json").read_text())
    top, bottom = found["bits_per_code_of_top"], found["bits_per_code_of_bottom"]
    assert found["bits_per_code"] == pytest.approx((4 * top + 16 * bottom) / 20)
    assert 0 < found["training_bits_per_code_of_bottom"] < 8
    saved = 20 * (found["bits_per_code_of_uniform_codes"] - found["bits_per_code"]) / 256
    assert found["bits_per_dim_with_uniform_codes"] - found["bits_per_dim"] == pytest.approx(saved)
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {"training/samples.png", "samples.png", "uniform_codes.png"}


@pytest.mark.slow
def test_priors_of_all_levels_are_exported(tmp_path, levels):
    run = a_run(tmp_path, levels, prior="pixelcnn")
    recipe.train(run), recipe.export(run)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"sample", "sample_from_noise", "decode", "score"}
    assert card["codes_bottom"] == {"shape": [4, 4], "number": 16} and card["labels"] == list("0123456789")


@pytest.mark.slow
@pytest.mark.parametrize("condition", ["none", "label"])
def test_a_judge_compares_what_is_drawn(tmp_path, encoded, digit_judge, condition):
    run = a_run(
        tmp_path, encoded, images="embedded:200", num_judged=20, condition=condition, judge=digit_judge, score_epochs=1
    )
    recipe.train(run), recipe.evaluate(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    kinds = ["decoded", "drawn", "uniform_codes", "temperature_0.8"]
    kinds += ["kept_0.5", "kept_0.25"] if condition == "label" else []
    assert all(found[f"frechet_distance_of_{kind}"] > 0 for kind in kinds)
    assert all(0 <= found[f"precision_of_{kind}_percent"] <= 100 for kind in kinds)
    assert (
        ("frechet_distance_of_kept_0.5" in found)
        == ("class_seen_in_decoded_percent" in found)
        == (condition == "label")
    )
    assert (tmp_path / "pictures" / "precision_recall.png").exists()
    assert all(found[f"distance_to_training_of_{kind}"] > 0 for kind in ("drawn", "decoded"))
    assert (tmp_path / "pictures" / "nearest_to_drawn.png").exists()
    assert 0 <= found["top_1_after_drawn_percent"] <= 100 and 0 <= found["top_1_after_real_percent"] <= 100
    run.close()
    how = {"keep": 0.5, "num_samples": 10}
    again = training.Run(dataclasses.replace(run.settings, **how), "codes_prior", load=recipe.load)
    if condition == "label":
        recipe.sample(again)
    else:
        with pytest.raises(ValueError, match="--keep=0.5: the prior knows no classes"):
            recipe.sample(again)


@pytest.fixture(scope="module", name="digit_judge")
def classifier_of_digits(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("judge"))
    settings = image_classification.Settings(workdir=folder, data="embedded:200", architecture="resnet8", epochs=1)
    run = training.Run(settings, "image_classification", load=image_classification.load)
    image_classification.train(run)
    run.close()
    return folder


@pytest.mark.slow
def test_a_classifier_of_other_classes_keeps_nothing(tmp_path, encoded):
    run = a_run(tmp_path, encoded, keep=0.5)
    recipe.train(run)
    with pytest.raises(ValueError, match="the judge knows no '0'; it knows airplane"):
        recipe.sample(run)


def test_codes_of_another_codebook_are_refused(tmp_path, encoded):
    head = json.loads((encoded / "codes" / "codes.json").read_text())
    (encoded / "codes" / "codes.json").write_text(json.dumps(head | {"codebook": "0123456789abcdef"}))
    try:
        with pytest.raises(ValueError, match=r"of another codebook \(0123456789abcdef\) than its network has now"):
            recipe.train(a_run(tmp_path, encoded))
    finally:
        (encoded / "codes" / "codes.json").write_text(json.dumps(head))


def test_codes_of_films_are_refused(tmp_path, encoded):
    path = encoded / "codes" / "codes.json"
    head = json.loads(path.read_text())
    path.write_text(json.dumps({**head, "facts": {}}))
    try:
        with pytest.raises(ValueError, match="its codes are not of images"):
            recipe.train(a_run(tmp_path, encoded))
    finally:
        path.write_text(json.dumps(head))


def test_no_codes_yet(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"codes.json: no such file. Encode the data: --mode=codes"):
        recipe.train(a_run(tmp_path / "run", tmp_path / "nothing"))


@pytest.mark.slow
def test_resumes_inside_the_second_epoch(tmp_path, encoded):
    def start(workdir):
        return a_run(workdir, encoded, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


@pytest.mark.slow
def test_resumes_inside_each_levels_training(tmp_path, levels):
    def start(workdir):
        return a_run(workdir, levels, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=2, prior="pixelcnn")

    check_resumes(start, recipe.train, tmp_path, cuts=(2, 2))
    assert (tmp_path / "cut_1" / "checkpoints" / "bottom").exists()


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_trains(tmp_path, encoded, precision):
    run = a_run(tmp_path, encoded, precision=precision)
    recipe.train(run), recipe.evaluate(run)
    assert np.isfinite(json.loads((tmp_path / "metrics.json").read_text())["bits_per_code"])
