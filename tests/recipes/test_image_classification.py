import dataclasses
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from recipes import image_classification as recipe
from tests.resume import check_resumes
from toolkit import methods, training
from toolkit.export.interpreter import tflite_caller
from toolkit.losses import margin

TINY = {
    "data": "embedded:300",
    "image_size": 8,
    "architecture": "resnet8",
    "width": 16,
    "epochs": 2,
    "batch_size": 32,
    "max_measured": 40,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "image_classification", load=recipe.load)


def folder_of_images(path, names=("dark", "light"), size=20, count=12):
    """Class folders of JPEG files of noise, one class dark, the other light."""
    random = np.random.default_rng(0)
    for split, number in (("train", count), ("test", 4)):
        for label, name in enumerate(names):
            (path / split / name).mkdir(parents=True)
            for i in range(number):
                pixels = random.integers(0, 100, (size, size + 6, 3)) + 120 * label
                Image.fromarray(pixels.astype("uint8")).save(path / split / name / f"{i}.jpg")
    return path


def test_all_phases(tmp_path, capsys):
    run = a_run(tmp_path, flip=True, color=0.2, erasing=0.5)
    phases = (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data)
    for phase in (*phases, recipe.margin_losses):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["top_1_accuracy_low_percent"] < found["top_1_accuracy_percent"] < found["top_1_accuracy_high_percent"]
    assert found["top_1_accuracy_percent"] <= found["top_5_accuracy_percent"]
    assert 0 <= found["top_1_accuracy_with_mirror_image_percent"] <= 100
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {
        "confusion.png",
        "calibration.png",
        "misclassified.png",
        "filters.png",
        "grad_cam.png",
        "margin_losses.png",
        "training/filters.png",
        "training/grad_cam.png",
        "data/classes.png",
    }
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert card["classes"] == [str(digit) for digit in range(10)]
    measured = {name: each["top_1_accuracy_percent"] for name, each in card["measured"].items()}
    assert set(measured) == {"saved_model", "model.tflite"}
    # The file says what Keras says.
    images, _ = next(run.data.blocks("test", 30))
    expected = methods.classification.probabilities(recipe.trained(run)[0], images)
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    answers = [call("classify", image=image[None]) for image in images]
    np.testing.assert_allclose(np.concatenate([each["probabilities"] for each in answers]), expected, atol=1e-5)
    np.testing.assert_array_equal([each["classes"][0, 0] for each in answers], expected.argmax(axis=-1))
    run.timing = True
    recipe.train(run)
    printed = capsys.readouterr().out
    assert "examples a second are read" in printed and "smoothed_l1_hinge" in printed


@pytest.mark.slow
def test_class_folders_area_crops_and_another_exported_size(tmp_path):
    """Exported for camera frames: shrunk and cut in the graph about as the data is read."""
    folder = folder_of_images(tmp_path / "images")
    run = a_run(
        tmp_path / "run", data=f"folder:{folder}", image_size=16, crop="area", export_size="64x80", epochs=6,
        batch_size=8, held_out=0.2,
    )  # fmt: skip
    for phase in (recipe.train, recipe.evaluate, recipe.export):
        phase(run)
    call = tflite_caller(tmp_path / "run" / "export" / "model.tflite")
    for label, level in enumerate((50, 170)):
        frame = np.full((1, 64, 80, 3), level, "uint8")
        assert call("classify", image=frame)["classes"].shape == (1, 2)
        image = np.full((1, 16, 16, 3), level, "float32")
        expected = methods.classification.probabilities(recipe.trained(run)[0], image)
        np.testing.assert_allclose(call("classify", image=frame)["probabilities"], expected, atol=1e-5)
        assert expected.argmax() == label
    run.close()
    again = dataclasses.replace(run.settings, images=f"{folder}/test/dark/0.jpg,{folder}/test/light/1.jpg")
    run = training.Run(again, "image_classification", load=recipe.load)
    recipe.sample(run)
    assert (tmp_path / "run" / "pictures" / "grad_cam.png").exists()
    run.close()
    # In the network's own size an image is taken as it is: not cut once more.
    run = training.Run(dataclasses.replace(run.settings, export_size=""), "image_classification", load=recipe.load)
    recipe.export(run)
    images, labels = next(run.data.blocks("test", 8))
    expected = methods.classification.probabilities(recipe.trained(run)[0], images)
    call = tflite_caller(tmp_path / "run" / "export" / "model.tflite")
    found = np.concatenate([call("classify", image=image[None])["probabilities"] for image in images])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    card = json.loads((tmp_path / "run" / "export" / "card.json").read_text())
    assert card["measured"]["model.tflite"]["top_1_accuracy_percent"] == 100 * np.mean(expected.argmax(-1) == labels)


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"loss": "l2_hinge", "optimizer": "adam", "learning_rate": 0.01, "precision": "mixed_float16"},
        {"architecture": "googlenet", "width": 4, "schedule": "exponential", "learning_rate": 0.01},
        {"optimizer": "rmsprop", "label_smoothing": 0.1, "schedule": "steps", "precision": "mixed_bfloat16"},
    ],
    ids=lambda how: next(iter(how.values())),
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how, epochs=1, steps_per_epoch=3, lighting=0.1)
    recipe.train(run), recipe.evaluate(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert np.isfinite(found["top_1_accuracy_percent"])
    # Scores of a margin loss are no probabilities.
    assert ("negative_log_likelihood_nats" in found) == ("loss" not in how)


@pytest.mark.slow
def test_two_replicas_end_with_the_weights_of_one(tmp_path):
    """Batch normalization too sees the whole batch. In processes of their own: a replica is a part of the processor."""
    ends = []
    flags = (
        "--mode=train --data=embedded:300 --image_size=8 --architecture=resnet8 --width=4 --epochs=1 --batch_size=32"
    )
    flags += " --steps_per_epoch=3 --learning_rate=0.01 --warmup_epochs=0"
    for name, how in (("one", []), ("two", ["--strategy=mirrored", "--num_replicas=2"])):
        command = [sys.executable, "-m", "recipes.image_classification", f"--workdir={tmp_path / name}", *flags.split()]
        root = pathlib.Path(__file__).parents[2]
        subprocess.run([*command, *how], check=True, cwd=root, timeout=300, capture_output=True)
        with np.load(tmp_path / name / "checkpoints" / "model" / "latest.npz") as file:
            ends.append({key: file[key] for key in file.files if key.startswith("model/")})
    for key, one in ends[0].items():
        np.testing.assert_allclose(ends[1][key], one, rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.slow
def test_resumes_with_augmentation_and_plateau(tmp_path):
    """In the middle of an epoch, and at its end, where the step size may fall."""

    def start(workdir):
        how = {"schedule": "plateau", "patience": 1, "flip": True, "color": 0.3, "erasing": 0.3}
        return a_run(workdir, **how, checkpoint_minutes=0.0)

    check_resumes(start, recipe.train, tmp_path, cuts=(3, 7))


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"mixup": 0.4, "cutmix": 1.0},
        {"mixup": 2.0, "mix_layer": "image,level_0", "mix_per_example": True},
        {"mixup": 1.0, "loss": "l2_hinge"},
    ],
    ids=lambda how: "+".join(how),
)
def test_mixing_changes_the_training_and_not_the_validation(tmp_path, how):
    run = a_run(tmp_path, **how, epochs=1, steps_per_epoch=2, learning_rate=0.01)
    recipe.train(run), recipe.evaluate(run)
    assert np.isfinite(run.metrics()["top_1_accuracy_percent"])
    assert type(run.load()).__name__ == "Functional", "what is kept is the network itself"
    run.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [{"mixup": 0.4, "cutmix": 1.0, "mix_per_example": True}, {"mixup": 2.0, "mix_layer": "image,level_0,features"}],
)
def test_resumes_with_mixing(tmp_path, how):
    def start(workdir):
        return a_run(workdir, **how, flip=True, steps_per_epoch=4, checkpoint_minutes=0.0)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


def test_a_layer_at_which_nothing_can_be_mixed_is_told_with_those_that_can(tmp_path):
    told = "has no layer 'levl_0'. Did you mean 'level_0'.* mixed at image, standardize"
    with pytest.raises(ValueError, match=told):  # before any data is read
        recipe.load(a_run(tmp_path, mixup=1.0, mix_layer="levl_0", data=f"folder:{tmp_path / 'nowhere'}").settings)


def test_every_margin_loss_that_can_be_learned_from_is_a_choice():
    assert set(recipe.MARGINS.split()) == set(margin.LOSSES) - {"zero_one"}


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"held_out": 0.6}, "--held_out must be at most 0.5"),
        ({"label_smoothing": 0.1, "loss": "exp"}, "--label_smoothing=0.1 is for --loss=cross_entropy"),
        ({"momentum": 1.0}, "--momentum=1.0: expected less than 1"),
        ({"export_size": "64"}, "--export_size must be HEIGHTxWIDTH, such as 480x640"),
        ({"loss": "zero_one"}, "--loss must be one of cross_entropy, perceptron"),
    ],
)
def test_bad_settings(how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir="w", **how)


def test_what_cannot_be_trained_is_said_before(tmp_path):
    with pytest.raises(ValueError, match="no architecture 'resnet_50'; did you mean 'resnet50'"):
        recipe.train(a_run(tmp_path / "name", architecture="resnet_50", data="folder:nowhere"))
    with pytest.raises(ValueError, match="one class only"):
        folder = folder_of_images(tmp_path / "one", names=("only",))
        recipe.train(a_run(tmp_path / "class", data=f"folder:{folder}"))
    with pytest.raises(ValueError, match="no ImageNet weights for it"):
        recipe.train(a_run(tmp_path / "weights", weights="imagenet"))
    with pytest.raises(FileNotFoundError, match=r"none\.keras: no such file; expected --weights=imagenet, or"):
        recipe.train(a_run(tmp_path / "file", weights="none.keras", data="folder:nowhere"))
    with pytest.raises(ValueError, match="--image_size=20 is too small: inception_v3 with --stem=imagenet"):
        how = {"architecture": "inception_v3", "stem": "imagenet", "image_size": 20, "data": "folder:nowhere"}
        recipe.train(a_run(tmp_path / "size", **how))
    with pytest.raises(ValueError, match="--images=one.jpg,two.png"):
        recipe.sample(
            training.Run(recipe.Settings(workdir=str(tmp_path / "sample")), load=recipe.load, stand_in=tmp_path / "two")
        )


def test_other_classes_than_were_trained_are_refused(tmp_path):
    run = a_run(tmp_path / "run", data=f"folder:{folder_of_images(tmp_path / 'others', names=('dark', 'other'))}")
    with pytest.raises(ValueError, match="has other classes than the network: light, other"):
        run.data.for_classes(["dark", "light"], "the network")
