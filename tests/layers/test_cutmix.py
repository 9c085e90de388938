import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import CutMix

LABELS = np.eye(3, dtype="float32")[[0, 1, 2, 1]]


def pictures(number=40, side=10):
    return np.random.default_rng(0).random((number, side, side, 3)).astype("float32")


def test_gate():
    checks.check_layer(lambda: CutMix(name="cutmix"), pictures(4, 6), LABELS)


@pytest.mark.parametrize("per_example", [False, True])
def test_a_rectangle_comes_from_the_partner_and_labels_count_the_pixels(per_example):
    images, labels = pictures(), np.eye(40, dtype="float32")
    found, soft = map(np.asarray, CutMix(1.0, per_example, seed=2)(images, labels, training=True))
    left = (found == images).all(-1)
    np.testing.assert_allclose(left.mean((1, 2)), soft.diagonal(), atol=1e-6)
    others = soft - np.diag(soft.diagonal())
    for number, (image, kept) in enumerate(zip(found, left, strict=True)):
        if kept.all():
            continue
        np.testing.assert_array_equal(image[~kept], images[others[number].argmax()][~kept])
        assert (~kept).sum() == (~kept).any(0).sum() * (~kept).any(1).sum(), "a rectangle"
    assert (np.ptp(soft.diagonal()) > 0.3) == per_example
    assert soft.diagonal().min() < 1


@pytest.mark.parametrize("policy", ["mixed_float16", "float32"])
@pytest.mark.parametrize("channels", [(), (1,)])
def test_masks_of_class_numbers_are_pasted_as_they_are(policy, channels):
    """Each pixel of the mask comes from the image that the picture's pixel comes from."""
    masks = np.random.default_rng(1).integers(0, 4, (40, 10, 10)).astype("int32")
    images = np.repeat(masks[..., None], 2, axis=-1).astype("uint8")
    layer = CutMix(1.0, True, seed=2, dtype=policy)
    found, pasted = layer(images, masks.reshape(*masks.shape, *channels), training=True)
    assert pasted.dtype.name == "int32" and found.dtype.name == layer.compute_dtype
    assert tuple(pasted.shape) == (*masks.shape, *channels)
    np.testing.assert_array_equal(np.asarray(found)[..., 0], np.asarray(pasted).reshape(masks.shape))
    assert (np.asarray(pasted).reshape(masks.shape) != masks).any()


def test_class_numbers_of_images():
    found, soft = CutMix(num_classes=3, seed=2)(pictures(4), np.array([0, 2, 1, 1]), training=True)
    assert tuple(soft.shape) == (4, 3) and np.allclose(np.sum(soft, 1), 1)
    assert tuple(found.shape) == (4, 10, 10, 3)


def test_in_a_graph_of_unknown_sizes_and_compiled():
    layer = CutMix(1.0, seed=0)
    layer.build((None, None, None, 3), (None, 3))
    spec = [tf.TensorSpec((None, None, None, 3)), tf.TensorSpec((None, 3))]
    step = tf.function(lambda x, y: layer(x, y, training=True), input_signature=spec)
    found, soft = step(pictures(4), LABELS)
    assert found.shape == (4, 10, 10, 3) and np.allclose(np.sum(soft, 1), 1)
    compiled = tf.function(lambda x, y: layer(x, y, training=True), jit_compile=True)
    assert np.isfinite(compiled(pictures(4), LABELS)[0]).all()


def test_what_cannot_be_mixed_is_refused():
    with pytest.raises(ValueError, match="alpha must be more than 0"):
        CutMix(0.0)
    with pytest.raises(ValueError, match=r"expected images \(batch, height, width, channels\); got \(4, 3\)"):
        CutMix()(LABELS, LABELS, training=True)
    with pytest.raises(ValueError, match="a batch of one example"):
        CutMix()(pictures(1), LABELS[:1], training=True)
    with pytest.raises(ValueError, match="targets of int64 cannot be mixed"):
        CutMix()(pictures(4), np.arange(4), training=True)
