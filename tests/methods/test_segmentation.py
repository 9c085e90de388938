import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers import DenseCRF
from toolkit.methods import segmentation

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (12, 18, 3)).astype("uint8")


def pointwise(num_classes=4):
    """A network that sees single pixels: what it says of a mirrored image is what it says, mirrored."""
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(num_classes, 1)])
    model.layers[0].set_weights([RANDOM.normal(size=(1, 1, 3, num_classes)), RANDOM.normal(size=num_classes)])
    return model


def test_one_scale_is_the_network_itself():
    model = pointwise()
    found = segmentation.predictor(model)(IMAGE)
    np.testing.assert_allclose(found, np.asarray(model(IMAGE[None].astype("float32")))[0], atol=1e-3)
    mirrored = segmentation.predictor(model, flip=True)(IMAGE)
    np.testing.assert_allclose(mirrored, found, atol=1e-3)


@pytest.mark.parametrize(("fusion", "fuse"), [("max", np.maximum.reduce), ("mean", lambda each: sum(each) / len(each))])
def test_scales_are_resized_and_fused(fusion, fuse):
    model, scales = pointwise(), (0.5, 1.0)

    def at(scale):
        seen = tf.image.resize(IMAGE[None].astype("float32"), (round(6 * scale), round(9 * scale)), antialias=True)
        return tf.image.resize(model(seen), IMAGE.shape[:2])[0].numpy()

    found = segmentation.predictor(model, image_size=6, scales=scales, fusion=fusion)(IMAGE)
    np.testing.assert_allclose(found, fuse([at(scale) for scale in scales]), atol=1e-3)


def test_a_network_that_looks_to_one_side_is_mirrored():
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, (1, 3), padding="same")])
    kernel = np.zeros((1, 3, 3, 1))
    kernel[0, 0] = 1  # the neighbour to the left
    model.layers[0].set_weights([kernel, np.zeros(1)])
    found = segmentation.predictor(model, flip=True)(IMAGE)[..., 0]
    total = IMAGE.astype("float32").sum(-1)
    padded = np.pad(total, ((0, 0), (1, 1)))
    np.testing.assert_allclose(found, (padded[:, :-2] + padded[:, 2:]) / 2, rtol=1e-5)


def test_what_cannot_be_is_refused():
    for how, told in (({"fusion": "sum"}, "fusion='sum'"), ({"scales": ()}, "scales"), ({"scales": (0.0,)}, "scales")):
        with pytest.raises(ValueError, match=told):
            segmentation.predictor(pointwise(), **how)


def test_ways_are_measured_one_upon_the_other_at_each_images_own_size():
    labels = [RANDOM.integers(0, 3, size) for size in ((5, 7), (9, 4))]
    labels[0][0, 0] = 255
    examples = [(np.zeros((*each.shape, 3), "uint8"), each) for each in labels]
    truth = iter(labels)

    def constant(image, before):
        assert before is None
        return np.eye(3)[np.ones(image.shape[:2], int)]

    def right(image, before):
        assert before.argmax(-1).all()
        return np.eye(3)[np.where((now := next(truth)) == 255, 0, now)]

    found = segmentation.measure(examples, {"constant": constant, "right": right}, 3, widths=(1, 2))
    count = np.bincount(np.concatenate([each.ravel() for each in labels]), minlength=256)[:3]
    np.testing.assert_array_equal(found["right"].matrix, np.diag(count))
    np.testing.assert_array_equal(found["constant"].matrix, np.stack([[0, number, 0] for number in count]))
    np.testing.assert_array_equal(found["right"].trimap_accuracy, [1, 1])


def test_a_band_without_a_border_has_no_accuracy():
    found = segmentation.measure([(IMAGE, np.zeros((12, 18), int))], {"it": lambda *_: np.ones((12, 18, 1))}, 1)
    assert np.isnan(found["it"].trimap_accuracy).all()


def test_a_crf_is_a_way_for_any_size():
    crf = DenseCRF(2)
    apply = segmentation.sharpened(crf, 3)
    for size in ((6, 8), (5, 9)):
        image, logits = RANDOM.integers(0, 256, (*size, 3)), RANDOM.normal(size=(*size, 3)).astype("float32")
        expected = np.asarray(crf(logits[None], image[None].astype("float32")))[0]
        np.testing.assert_allclose(apply(image, logits), expected, atol=1e-4)


def test_a_search_finds_the_best_of_grids_and_tries_nothing_twice():
    asked = []

    def score(at):
        asked.append(tuple(at.values()))
        return -((at["a"] - 3) ** 2) - (at["b"] - 3) ** 2 - 0.5 * abs(at["a"] - at["b"])

    best, tried = segmentation.search(score, {"a": 0, "b": 0}, {"a": range(5), "b": range(5)}, rounds=10)
    assert best == {"a": 3, "b": 3}
    assert len(asked) == len(set(asked)) == len(tried)
    assert max(value for _, value in tried) == 0
