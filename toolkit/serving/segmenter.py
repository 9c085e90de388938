"""What a trained segmentation network offers a program: a photo of any size to each of its pixels' class."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.metrics.segmentation import pixel_confusion, segmentation
from toolkit.serving.image_classifier import class_names_of
from toolkit.serving.served import Served

_CALIBRATED_WITH = 50  # images
_IGNORED = 255


def segmenter(
    model: Any,
    *,
    test: Iterable[tuple[np.ndarray, np.ndarray]],
    train: Iterable[tuple[np.ndarray, np.ndarray]],
    sizes: Sequence[tuple[int, int]],
    working_size: tuple[int, int] | None = None,
    class_names: Sequence[str] | None = None,
    crf: Callable | None = None,
    max_measured: int = 100,
) -> Served:
    """Makes the signatures of a segmentation network: "segment", from "image" to "labels" and "confidence".

    "segment" takes images of the first size, "segment_HEIGHTxWIDTH" those of each further one; with a CRF there is
    "segment_sharp" beside each. An image is brought to the size at which the network works, and the probabilities back
    to the image's, in the graph. Of "segment" files are measured by "mean_iou_percent", "pixel_accuracy_percent" and
    "images"; of "segment_sharp" by the first two under "sharp_mean_iou_percent" and so on.

    Args:
        model: The trained Keras model, from images (batch, height, width, 3), 0 to 255, to logits (batch, height,
            width, classes), such as `models.deeplab.deeplab` makes.
        test: (image, labels): uint8 (height, width, 3) and (height, width), 255 where no class is meant; each of its
            own size. On the first the exported files are compared with the model, on the first ones they are measured:
            each image is stretched to the nearest of `sizes`, and its labels are brought back to its own pixels.
        train: Images in the same way: what int8's ranges are measured on; read only then.
        sizes: (height, width) of the images that a program gives, the first the usual one.
        working_size: (height, width) of images as the network was trained on; one of other proportions is brought to as
            many pixels in its own. None: each image keeps its size, or the network tells its only one.
        class_names: A name for each class; None: those that the model keeps, as `layers.ClassNames`.
        crf: A layer or function of logits and image (1, height, width, 3), 0 to 255, both of the image's size, that
            returns logits which follow the image's edges, in ops that TFLite has; None: none.
        max_measured: Test images that are measured, at most.

    Returns:
        What an export is made of.

    Raises:
        ValueError: Where a size is none or comes twice, the network takes only another than `working_size`, there are
            no test images, or the class names are not as many as the logits or missing.

    Example:

    >>> from toolkit import models
    >>> network = models.deeplab.deeplab("v3", "resnet20", width=4, class_names=["sky", "road"])
    >>> pairs = [(np.zeros((48, 64, 3), "uint8"), np.zeros((48, 64), "uint8"))]
    >>> list(segmenter(network, test=pairs, train=pairs, sizes=[(48, 64), (96, 64)]).signatures)
    ['segment', 'segment_96x64']

    Reference: Chen et al. 2016, arXiv 1606.00915, section 3.1 (scores enlarged to the image), and section 3.3 (the CRF
    after that).
    """
    sizes = [tuple(size) for size in sizes]
    if not sizes or len(set(sizes)) < len(sizes) or any(len(size) != 2 or min(size) < 1 for size in sizes):
        raise ValueError(f"sizes: expected (height, width), each once; got {sizes}.")
    names = class_names_of(model, model.output_shape[-1], class_names)
    measured = list(itertools.islice(test, max_measured))
    if not measured:
        raise ValueError("test: expected one image with its labels at least; there is none.")
    refinements = {"": None} if crf is None else {"": None, "_sharp": crf}

    def key(size, kind=""):
        return f"segment{kind}" + ("" if size == sizes[0] else f"_{size[0]}x{size[1]}")

    units = {"labels": "number of the class", "confidence": "the class's probability"}
    signatures, examples = {}, {}
    for size, (kind, refine) in itertools.product(sizes, refinements.items()):
        call = _segment(model, _worked(model, size, working_size), refine)
        image = (1, *size, 3), "uint8", "RGB, 0 to 255"
        signatures[key(size, kind)] = signature(call, image=image, outputs=units)
        examples[key(size, kind)] = {"image": _stretched(measured[0][0], size)[None]}

    def calibrate():
        for image, _ in itertools.islice(train, _CALIBRATED_WITH):
            given = {size: {"image": _stretched(image, size)[None]} for size in sizes}
            yield {key(size, kind): given[size] for size in sizes for kind in refinements}

    def measure(call):
        found = {}
        for kind in refinements:
            counts = 0
            for image, labels in measured:
                size = min(sizes, key=lambda size: _difference(size, labels.shape))
                predicted = call(key(size, kind), image=_stretched(image, size)[None])["labels"][0]
                counts = counts + pixel_confusion(
                    labels, _spread(predicted, labels.shape), len(names), ignored=_IGNORED
                )
            figures = segmentation(counts)
            for name in ("mean_iou_percent", "pixel_accuracy_percent"):
                found["_".join([kind, name]).strip("_")] = figures[name]
        return {**found, "images": len(measured)}

    return Served(
        signatures=signatures,
        trackables=(model,),
        examples=examples,
        calibrate=calibrate,
        measure=measure,
        # Of the pixels: on a border two classes are as likely, and rounding decides; a CRF makes more of it.
        differing=1e-3 if crf is None else 1e-2,
        card={"classes": names},
    )


def _segment(model, worked, refine):
    def segment(image):
        size, image = tuple(image.shape[1:3]), tf.cast(image, tf.float32)
        logits = model(_resized(image, worked))
        # Probabilities are made before they are enlarged: there are fewer then.
        scores = tf.nn.softmax(logits) if refine is None else logits
        if worked != size:
            scores = tf.image.resize(scores, size)
        if refine is not None:
            scores = tf.nn.softmax(refine(scores, image))
        # keras.ops.argmax of floats is no builtin op of TFLite, this one is.
        labels = tf.math.argmax(scores, axis=-1, output_type=tf.int32)
        return {"labels": labels, "confidence": tf.reduce_max(scores, axis=-1)}

    return segment


def _resized(image, size):
    """An image (1, height, width, 3) in another size, no pixel of it left out; a graph."""
    factors = [max(1, large // small) for large, small in zip(image.shape[1:3], size, strict=True)]
    whole = tuple(side * factor for side, factor in zip(size, factors, strict=True))
    if tuple(image.shape[1:3]) != whole:
        image = tf.image.resize(image, whole)
    # Means of whole blocks: bilinear sampling alone would see four pixels of each.
    return tf.nn.avg_pool2d(image, factors, factors, "VALID") if max(factors) > 1 else image


def _worked(model, size, working):
    """The size that images of a size are brought to for the network."""
    only = tuple(model.input_shape[1:3])
    if None not in only:
        if working is not None and tuple(working) != only:
            raise ValueError(f"working_size={tuple(working)}: {model.name} takes images of {only} only.")
        return only
    factor = 1.0 if working is None else math.sqrt(math.prod(working) / math.prod(size))
    return tuple(max(1, round(side * factor)) for side in size)


def _stretched(image, size):
    """A uint8 image in another size."""
    if image.shape[:2] == size:
        return image
    return np.clip(np.rint(tf.image.resize(image, size, antialias=True)), 0, 255).astype("uint8")


def _spread(labels, size):
    """Labels (height, width) in another size: each pixel's nearest."""
    places = [((np.arange(new) + 0.5) * old / new).astype(int) for old, new in zip(labels.shape, size, strict=True)]
    return labels[np.ix_(*places)]


def _difference(size, other):
    """How far one size must be stretched to become another."""
    return sum(abs(math.log(one / two)) for one, two in zip(size, other, strict=True))
