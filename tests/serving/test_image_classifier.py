"""An export without a recipe: the files say what the model says, also of camera frames."""

import json

import keras
import numpy as np
import pytest

from toolkit import export, models
from toolkit.data.images.store import stored
from toolkit.export.interpreter import tflite_caller
from toolkit.serving.image_classifier import image_classifier

NAMES = ["a", "b", "c", "d", "e", "f"]
IMAGES = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3)).astype("uint8")
LABELS = np.arange(30) % 6


def network(side=8, names=NAMES):
    keras.utils.set_random_seed(0)
    model = models.image_classifier.trainee("resnet8", side, names, width=4)
    model.get_layer("standardize").adapt([127.5] * 3, [64.0] * 3)
    return model


def probabilities(model, images):
    return np.asarray(keras.ops.softmax(model(np.asarray(images, "float32"))["logits"]))


def test_an_export_is_what_the_model_is(tmp_path):
    model = network()
    served = image_classifier(model, test=(IMAGES, LABELS), train=IMAGES[:20], max_measured=12)
    card = export.write(tmp_path / "export", **served.arguments(), quantize="int8").card
    assert card["classes"] == NAMES == json.loads((tmp_path / "export" / "card.json").read_text())["classes"]
    assert card["files"]["model_int8.tflite"]["calibrated_with"] == {"classify": 20}
    signature = card["signatures"]["classify"]
    assert signature["inputs"]["image"] == {"shape": [1, 8, 8, 3], "dtype": "uint8", "unit": "RGB, 0 to 255"}
    assert {name: (each["shape"], each["unit"]) for name, each in signature["outputs"].items()} == {
        "probabilities": ([1, 6], "of each class"),
        "classes": ([1, 5], "the most probable ones' numbers, best first"),
    }
    expected = probabilities(model, IMAGES)
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    answers = [call("classify", image=image[None]) for image in IMAGES]
    np.testing.assert_allclose(np.concatenate([each["probabilities"] for each in answers]), expected, atol=1e-5)
    found = np.concatenate([each["classes"] for each in answers])
    np.testing.assert_array_equal(found, np.argsort(-expected, axis=-1)[:, :5])
    # Evenly spaced, from the first to the last.
    measured = np.linspace(0, 29, 12).round().astype(int)
    right = 100 * np.mean(expected.argmax(-1)[measured] == LABELS[measured])
    assert card["measured"]["model.tflite"] == {"top_1_accuracy_percent": pytest.approx(right), "images": 12}
    assert set(card["measured"]) == {"saved_model", "model.tflite", "model_int8.tflite"}


def test_the_middle_of_kept_images_in_a_store():
    """Where training crops, images are kept larger; the network's own size is cut out, another one is shown whole."""
    kept = np.random.default_rng(1).integers(0, 256, (4, 9, 9, 3)).astype("uint8")
    store = stored({"test": kept}, (9, 9, 3), source="made")["test"]
    how = {"test": (store, LABELS[:4]), "train": store, "stored_size": 9}
    served = image_classifier(network(), **how)
    np.testing.assert_array_equal(served.examples["classify"]["image"], kept[:1, :8, :8])
    given = [each["classify"]["image"] for each in served.calibrate()]
    np.testing.assert_array_equal(np.concatenate(given), kept[:, :8, :8])
    assert image_classifier(network(), **how, exported_size=(12, 16)).examples["classify"]["image"].shape == (
        1,
        12,
        16,
        3,
    )


@pytest.mark.parametrize("stored_size", [8, 10])
def test_camera_frames_are_shrunk_and_cut(stored_size):
    model = network()
    served = image_classifier(
        model, test=(IMAGES, LABELS), train=IMAGES, stored_size=stored_size, exported_size=(40, 80)
    )
    classify = served.signatures["classify"].function
    # The square in the middle, blocks of pixels by their mean: what lies outside counts for nothing.
    frame = np.random.default_rng(2).integers(0, 256, (1, 40, 80, 3)).astype("uint8")
    factor = 40 // stored_size
    blocks = frame[:, :, 20:60].reshape(1, stored_size, factor, stored_size, factor, 3).mean((2, 4))
    start = (stored_size - 8) // 2
    expected = probabilities(model, blocks[:, start : start + 8, start : start + 8])
    np.testing.assert_allclose(classify(image=frame)["probabilities"], expected, atol=1e-5)
    # Test images stand in the middle of such a frame.
    shown = served.examples["classify"]["image"]
    assert shown.shape == (1, 40, 80, 3) and not shown[:, :, :20].any() and not shown[:, :, 60:].any()
    assert shown[:, :, 20:60].std() > 20


def test_names_and_scores():
    plain = models.image_classifier.image_classifier("resnet8", (8, 8, 3), 2, width=4)
    how = {"test": (IMAGES, LABELS), "train": IMAGES}
    with pytest.raises(ValueError, match="keeps no names of its classes .* give class_names"):
        image_classifier(plain, **how)
    with pytest.raises(ValueError, match="3 class_names for 2 logits"):
        image_classifier(plain, **how, class_names=["a", "b", "c"])
    served = image_classifier(plain, **how, class_names=("a", "b"), calibrated=False)
    assert served.card == {"classes": ["a", "b"]}
    assert served.signatures["classify"].output_units["probabilities"] == "softmax of each class's score"
    assert served.signatures["classify"].function(image=IMAGES[:1])["classes"].shape == (1, 2)
