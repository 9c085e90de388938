"""Against mean field with the sums over all pairs written out."""

import keras
import numpy as np
import pytest
from PIL import Image
from scipy import special

from tests import checks
from toolkit.layers import DenseCRF

RANDOM = np.random.default_rng(0)
HEIGHT, WIDTH, CLASSES = 16, 20, 3
LABELS = np.zeros((HEIGHT, WIDTH), int)
LABELS[4:12, 6:15] = 1
LABELS[10:, 12:] = 2
IMAGE = np.array([[200, 180, 60], [40, 90, 200], [30, 160, 50]])[LABELS] + RANDOM.normal(0, 6, (HEIGHT, WIDTH, 3))
IMAGE = np.clip(IMAGE, 0, 255).astype("float32")[None]
# Right in seven of ten pixels.
SEEN = np.where(RANDOM.random(LABELS.shape) < 0.7, LABELS, RANDOM.integers(0, CLASSES, LABELS.shape))
LOGITS = (1.5 * np.eye(CLASSES)[SEEN] + RANDOM.normal(0, 0.1, (HEIGHT, WIDTH, CLASSES))).astype("float32")[None]
HOW = {"position_stddev": 8.0, "color_stddev": 20.0, "spatial_stddev": 1.5, "bilateral_weight": 4.0}


def mean_field(logits, image, how, num_iterations):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].reshape(2, -1)
    places = np.stack([rows, columns], -1).astype(float)
    colors = image.reshape(-1, 3)
    apart = ((places[:, None] - places) ** 2).sum(-1)
    unlike = ((colors[:, None] - colors) ** 2).sum(-1)
    kernels = [
        np.exp(-apart / (2 * how["position_stddev"] ** 2) - unlike / (2 * how["color_stddev"] ** 2)),
        np.exp(-apart / (2 * how["spatial_stddev"] ** 2)),
    ]
    kernels = [kernel / np.sqrt(np.outer(kernel.sum(0), kernel.sum(1))) for kernel in kernels]
    unary = found = logits.reshape(-1, CLASSES)
    for _ in range(num_iterations):
        belief = special.softmax(found, -1)
        message = how["bilateral_weight"] * kernels[0] @ belief + 3.0 * kernels[1] @ belief
        found = unary - message @ (1 - np.eye(CLASSES))
    return special.softmax(found, -1).reshape(HEIGHT, WIDTH, CLASSES)


def test_is_mean_field_with_all_pairs():
    exact = mean_field(LOGITS[0], IMAGE[0], HOW, 5)
    found = special.softmax(np.asarray(DenseCRF(5, **HOW)(LOGITS, IMAGE))[0], -1)
    assert np.abs(found - exact).mean() < 0.01
    assert (found.argmax(-1) == exact.argmax(-1)).mean() >= 0.99


def test_labels_follow_the_image():
    before = (LOGITS[0].argmax(-1) == LABELS).mean()
    found = np.asarray(DenseCRF(10, **HOW)(LOGITS, IMAGE))[0].argmax(-1)
    assert before < 0.85 and (found == LABELS).mean() > 0.97


def test_without_weights_it_is_the_logits():
    layer = DenseCRF(3, bilateral_weight=0.0, spatial_weight=0.0)
    np.testing.assert_allclose(layer(LOGITS, IMAGE), LOGITS, atol=1e-6)


@pytest.mark.slow
def test_its_weights_can_be_learned():
    """From weights that are too small: those of both kernels, and the compatibility, take part."""
    logits, image = keras.Input((HEIGHT, WIDTH, CLASSES)), keras.Input((HEIGHT, WIDTH, 3))
    layer = DenseCRF(3, **{**HOW, "bilateral_weight": 0.2}, spatial_weight=0.2)
    model = keras.Model([logits, image], layer(logits, image))
    model.compile(keras.optimizers.Adam(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [np.array(weight) for weight in layer.weights]
    losses = model.fit([LOGITS, IMAGE], LABELS[None], epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    assert all((np.asarray(weight) != old).any() for weight, old in zip(layer.weights, before, strict=True))


@pytest.mark.slow
def test_gate(monkeypatch):
    """But for TFLite, which has no search in sorted numbers: phones take a window of neighbours instead."""
    monkeypatch.setattr(checks, "check_tflite", lambda *_: None)
    # Half precision rounds the image itself: 255 grey levels by one.
    layer = lambda: DenseCRF(2, **HOW, capacity=4000, name="crf")  # noqa: E731
    inputs = [np.concatenate([x, x[:, ::-1]])[:, :6, :7] for x in (LOGITS, IMAGE)]
    checks.check_layer(layer, *inputs, precision_tolerance=8.0)


@pytest.mark.parametrize("how", [{"num_iterations": 0}, {"color_stddev": 0.0}])
def test_errors(how):
    with pytest.raises(ValueError, match="must be at least 1 and standard deviations over 0"):
        DenseCRF(**how)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match="an image of that height and width"):
        DenseCRF()(LOGITS, IMAGE[:, :5])


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 3])
def test_labels_are_those_of_pydensecrf(number, test_data):
    """The photographs and scribbled labels that come with it, 7 of 10 of which are believed."""
    densecrf = pytest.importorskip("pydensecrf.densecrf")
    image, scribbles = (
        np.array(Image.open(test_data / "crf" / f"{name}{number}.png").convert("RGB")) for name in ("im", "anno")
    )
    height, width, _ = image.shape
    colors, labels = np.unique(scribbles.reshape(-1, 3), axis=0, return_inverse=True)
    unlabeled = int(not colors[0].any())  # black says nothing
    classes = len(colors) - unlabeled
    beliefs = np.where(np.eye(len(colors), dtype=bool)[labels.reshape(-1)], 0.7, 0.3 / (classes - 1))[:, unlabeled:]
    logits = np.log(beliefs / beliefs.sum(-1, keepdims=True)).astype("float32")
    field = densecrf.DenseCRF2D(width, height, classes)
    field.setUnaryEnergy(np.ascontiguousarray(-logits.T))
    field.addPairwiseGaussian(sxy=3, compat=3)
    field.addPairwiseBilateral(sxy=80, srgb=13, rgbim=image, compat=10)
    expected = np.argmax(field.inference(10), axis=0).reshape(height, width)
    layer = DenseCRF(10, position_stddev=80.0, color_stddev=13.0, bilateral_weight=10.0)
    found = np.argmax(layer(logits.reshape(1, height, width, classes), image[None]), axis=-1)[0]
    assert (expected != logits.argmax(-1).reshape(height, width)).mean() > 0.03
    assert (found == expected).mean() >= 0.99
