"""The files say what the network says of each pixel, and int8 still tells the classes apart."""

import keras
import numpy as np
import pytest
from PIL import Image

from toolkit import export, models
from toolkit.data.scenes.generator import Generator
from toolkit.export.interpreter import tflite_caller
from toolkit.metrics.segmentation import pixel_confusion, segmentation
from toolkit.serving.segmenter import segmenter

COLORS = ("red", "green", "blue")
NAMES = ["background", *COLORS]
RANDOM = np.random.default_rng(0)


def pair(number, seed=0):
    """A scene of 48 x 48, and of each pixel the colour of its object; two rows are ignored."""
    scene = Generator(48, (2, 4), (0.3, 0.7), colors=COLORS)(seed, number)
    kinds = np.array([0, *(NAMES.index(each.color) for each in scene.objects)], "uint8")
    labels = kinds[scene.instances]
    labels[:2] = 255
    return scene.image, labels


def network(input_shape=(None, None, 3), names=NAMES, variant="v3"):
    model = models.deeplab.deeplab(
        variant, "resnet8", input_shape, len(NAMES), width=4, rates=(1, 2), class_names=names
    )
    # Not trained, it would tell one class all over.
    size = [side or 48 for side in input_shape[:2]]
    logits = np.asarray(model(RANDOM.integers(0, 256, (1, *size, 3)).astype("float32")))
    scale, scores = 2 / logits.std((0, 1, 2)), model.get_layer("scores")
    scores.kernel.assign(scores.kernel * scale)
    scores.bias.assign(-logits.mean((0, 1, 2)) * scale)
    return model


@pytest.fixture(scope="module", name="any_size")
def network_of_any_size():
    return network()


def sharpened(logits, image):
    """Stands for a CRF: each pixel's neighbours count, the more the brighter it is."""
    around = sum(keras.ops.roll(logits, step, axis) for step in (-1, 1) for axis in (1, 2))
    return logits + around * keras.ops.mean(image, axis=-1, keepdims=True) / 255.0


def softmax(logits):
    return np.asarray(keras.ops.softmax(keras.ops.convert_to_tensor(logits)))


def same(found, probabilities):
    """Where two classes are as likely, rounding decides which is told."""
    ranked = np.sort(probabilities, axis=-1)
    sure = ranked[..., -1] - ranked[..., -2] > 1e-4
    assert sure.mean() > 0.99 and len(np.unique(found["labels"])) > 1
    np.testing.assert_array_equal(found["labels"][sure], probabilities.argmax(-1)[sure])
    np.testing.assert_allclose(found["confidence"], ranked[..., -1], atol=1e-4)


def test_labels_are_the_networks(any_size, tmp_path):
    """At its own size, enlarged to the image's, and with a CRF; in Keras and in a TFLite file."""
    model, pairs = any_size, [pair(0), pair(1)]
    served = segmenter(
        model, test=pairs, train=pairs, sizes=[(48, 48), (120, 96)], working_size=(48, 48), crf=sharpened
    )
    assert list(served.signatures) == ["segment", "segment_sharp", "segment_120x96", "segment_sharp_120x96"]
    assert served.card == {"classes": NAMES}
    images = {48: pairs[0][0][None], 120: RANDOM.integers(0, 256, (1, 120, 96, 3)).astype("uint8")}
    logits = model(images[48].astype("float32"))
    large = keras.ops.convert_to_tensor(images[120].astype("float32"))
    # As many pixels as 48 x 48 has, in the image's own proportions: 54 x 43.
    worked = keras.ops.average_pool(keras.ops.image.resize(large, (108, 86)), 2, 2)
    expected = {
        ("segment", 48): softmax(logits),
        ("segment_sharp", 48): softmax(sharpened(logits, images[48].astype("float32"))),
        ("segment_120x96", 120): np.asarray(keras.ops.image.resize(softmax(model(worked)), (120, 96))),
        ("segment_sharp_120x96", 120): softmax(
            sharpened(keras.ops.image.resize(model(worked), (120, 96)), images[120].astype("float32"))
        ),
    }
    written = {name: served.signatures[name] for name in ("segment", "segment_sharp_120x96")}
    traced = {name: export.trace(each) for name, each in written.items()}
    export.save_traced(tmp_path / "saved", traced, served.trackables)
    export.convert_to_tflite(tmp_path / "saved", tmp_path / "model.tflite", written)
    call = tflite_caller(tmp_path / "model.tflite")
    for (name, size), probabilities in expected.items():
        found = served.signatures[name].call(image=keras.ops.convert_to_tensor(images[size]))
        found = {key: np.asarray(value) for key, value in found.items()}
        assert found["labels"].dtype == "int32" and found["labels"].shape == probabilities.shape[:3]
        same(found, probabilities)
        if name in written:
            same(call(name, image=images[size]), probabilities)
    assert [set(each) for each in served.calibrate()] == [set(served.signatures)] * 2


def test_a_network_of_one_size_works_at_that():
    model, pairs = network((48, 40, 3)), [pair(0)]
    segment = segmenter(model, test=pairs, train=pairs, sizes=[(96, 120)]).signatures["segment"]
    image = RANDOM.integers(0, 256, (1, 96, 120, 3)).astype("uint8")
    blocks = image.reshape(1, 48, 2, 40, 3, 3).mean((2, 4))
    expected = keras.ops.image.resize(softmax(model(blocks)), (96, 120))
    found = segment.call(image=keras.ops.convert_to_tensor(image))
    same({key: np.asarray(value) for key, value in found.items()}, np.asarray(expected))
    with pytest.raises(ValueError, match=r"working_size=\(40, 48\): deeplab_v3_resnet8 takes images of \(48, 40\)"):
        segmenter(model, test=pairs, train=pairs, sizes=[(96, 120)], working_size=(40, 48))


def test_files_are_measured_at_the_images_own_sizes(any_size):
    """Each image goes to the nearest size, and labels come back to its own pixels; ignored ones do not count."""
    shapes, asked = [(48, 48), (20, 90), (60, 50), (48, 48)], []
    pairs = [
        (RANDOM.integers(0, 256, (*size, 3)).astype("uint8"), RANDOM.integers(0, 4, size).astype("uint8"))
        for size in shapes
    ]
    pairs[1][1][:10] = 255
    answers = {"segment": RANDOM.integers(0, 4, (49, 49)), "segment_25x97": RANDOM.integers(0, 4, (25, 97))}

    def call(name, image):
        asked.append((name, image.shape, image.dtype == "uint8"))
        return {"labels": answers[name.replace("_sharp", "")][None]}

    how = {"train": iter(pairs), "sizes": [(49, 49), (25, 97)], "crf": sharpened, "max_measured": 3}
    found = segmenter(any_size, test=iter(pairs), **how).measure(call)
    assert asked[:3] == [
        ("segment", (1, 49, 49, 3), True),
        ("segment_25x97", (1, 25, 97, 3), True),
        ("segment", (1, 49, 49, 3), True),
    ]
    assert [name for name, *_ in asked[3:]] == ["segment_sharp", "segment_sharp_25x97", "segment_sharp"]
    counts = 0
    for (_, labels), (name, *_) in zip(pairs, asked[:3], strict=False):
        told = Image.fromarray(answers[name].astype("uint8")).resize(labels.shape[::-1], Image.Resampling.NEAREST)
        counts = counts + pixel_confusion(labels, np.asarray(told), 4, ignored=255)
    expected = segmentation(counts)
    names = ("mean_iou_percent", "pixel_accuracy_percent")
    assert found == {f"{kind}{name}": expected[name] for kind in ("", "sharp_") for name in names} | {"images": 3}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sizes": []}, "sizes: expected .height, width., each once; got .."),
        ({"sizes": [(48, 48), (48, 48)]}, "each once; got"),
        ({"sizes": [(48, 0)]}, r"each once; got \[\(48, 0\)\]"),
        ({"test": []}, "test: expected one image"),
        ({"class_names": ["a"]}, "1 class_names for 4 logits"),
    ],
)
def test_what_cannot_be_served(any_size, change, why):
    given = {"test": [pair(0)], "train": [], "sizes": [(48, 48)]}
    with pytest.raises(ValueError, match=why):
        segmenter(any_size, **{**given, **change})


def trained_network():
    """The layers of a real one, trained for some seconds."""
    model = models.deeplab.deeplab("v3+", "resnet8", width=8, output_stride=4, class_names=NAMES)
    model.get_layer("standardize").adapt([127.5] * 3, [64.0] * 3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    images, labels = map(np.stack, zip(*map(pair, range(64)), strict=True))
    model.fit(images.astype("float32"), labels, batch_size=8, epochs=4, verbose=0)
    return model


@pytest.mark.slow
def test_no_file_takes_all_for_one_class(tmp_path):
    """As uint8 files of DeepLab once did: every quantization keeps the classes apart, with a CRF too."""
    model, test, train = trained_network(), [pair(i, seed=1) for i in range(12)], (pair(i) for i in range(20))
    served = segmenter(model, test=test, train=train, sizes=[(48, 48)], crf=sharpened)
    card = export.write(tmp_path / "export", **served.arguments(), quantize="all").card
    assert card["files"]["model_int8.tflite"]["calibrated_with"] == dict.fromkeys(served.signatures, 20)
    images, labels = map(np.stack, zip(*test, strict=True))
    predicted = np.asarray(model(images.astype("float32"))).argmax(-1)
    expected = segmentation(pixel_confusion(labels, predicted, 4, ignored=255))
    assert expected["mean_iou_percent"] > 70
    full = card["measured"]["model.tflite"]
    assert full["mean_iou_percent"] == pytest.approx(expected["mean_iou_percent"], abs=0.05)
    for name, found in card["measured"].items():
        for kind in ("", "sharp_"):
            for metric in ("mean_iou_percent", "pixel_accuracy_percent"):
                assert found[kind + metric] == pytest.approx(full[kind + metric], abs=3), name
        if name.endswith(".tflite"):
            call = tflite_caller(tmp_path / "export" / name)
            for key in ("segment", "segment_sharp"):
                told = [call(key, image=image[None])["labels"] for image in images]
                assert np.bincount(np.ravel(told), minlength=4).min() > 100, (name, key)
