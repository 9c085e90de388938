"""What the shipped image classifier is said to do, on a part of CIFAR-10's test images."""

import io
import json
import tarfile

import keras
import numpy as np
import pytest
from PIL import Image

from toolkit import methods, models
from toolkit.export.interpreter import tflite_caller
from toolkit.training.shipping import shipped

pytestmark = pytest.mark.claims


def test_sizes_on_a_phone():
    folder = shipped("image_classification")
    assert (folder / "model_int8.tflite").stat().st_size < 1_000_000
    card = json.loads((folder / "card.json").read_text())
    assert all(file["builtin_ops_only"] for file in card["files"].values())
    assert card["metrics"]["top_1_accuracy_percent"] >= 79.0


def test_images_are_told_apart(test_data):
    """Four hundred images that it has not seen; what int8 costs is within their error."""
    folder, images, labels = shipped("image_classification"), [], []
    names = json.loads((folder / "card.json").read_text())["classes"]
    with tarfile.open(test_data / "cifar10.tar.xz") as archive:
        members = [member for member in archive if member.name.startswith("test/") and member.isfile()]
        for member in members[::25]:
            images.append(np.asarray(Image.open(io.BytesIO(archive.extractfile(member).read())).convert("RGB")))
            labels.append(names.index(member.name.split("/")[1]))
    right = {}
    for name in ("model.tflite", "model_int8.tflite"):
        call = tflite_caller(folder / name)
        right[name] = [call("classify", image=image[None])["classes"][0, 0] for image in images]
    shares = {name: np.mean(np.array(found) == labels) for name, found in right.items()}
    assert len(labels) == 400
    assert shares["model.tflite"] > 0.74
    assert abs(shares["model.tflite"] - shares["model_int8.tflite"]) < 0.04


def test_the_keras_model_keeps_its_classes_and_says_what_the_files_say():
    folder = shipped("image_classification")
    classify, images = tflite_caller(folder / "model.tflite"), np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3))
    model = models.image_classifier.classifier(keras.saving.load_model(folder / "model.keras"))
    assert model.get_layer("class_names").names == json.loads((folder / "card.json").read_text())["classes"]
    found = np.concatenate(
        [classify("classify", image=image[None].astype("uint8"))["probabilities"] for image in images]
    )
    np.testing.assert_allclose(found, methods.classification.probabilities(model, images), atol=1e-5)
