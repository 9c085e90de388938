"""A classifier for programs that also says what an example would teach it: its influence on known queries."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit import models
from toolkit.data.classified.loading import Classified
from toolkit.export import signature
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.methods.trained_classifier import TrainedClassifier
from toolkit.serving.served import Served


def of_trained(
    classifier: TrainedClassifier,
    found: Classified,
    numbers: Sequence[int],
    features: Any = None,
    *,
    max_measured: int = 100,
) -> Served:
    """Makes the signatures of a classifier at its optimum, with some of its test examples as queries.

    Args:
        classifier: The classifier, of a model of `models.small_classifiers`.
        found: The examples that it was trained and is tested on, as programs have them.
        numbers: Of the test examples that are queries.
        features: A model from examples to what the classifier takes, in float32; None: it takes examples.
        max_measured: As in `influence_classifier`.

    Returns:
        What `influence_classifier` returns; the card has the columns of an example.
    """
    own, _ = models.small_classifiers.last_layer(models.small_classifiers.in_float32(classifier.model))
    shown = {part: each if found.columns else each.astype("uint8") for part, each in found.features.items()}
    return influence_classifier(
        own if features is None else keras.Model(features.input, own(features.output)),
        np.asarray(classifier.model.get_layer("logits").kernel),
        classifier.influence(layers=["logits"]).solve(classifier.queries(numbers)).vectors,
        found.class_names,
        num_examples=len(found.labels["train"]),
        l2=classifier.minimizer.l2,
        temperature=getattr(classifier.loss, "temperature", None),
        test=(shown["test"], found.labels["test"]),
        train=shown["train"],
        queries=[f"{found.titles['test'][n]}: {found.class_names[found.labels['test'][n]]}" for n in numbers],
        max_measured=max_measured,
        card={"columns": list(found.columns)} if found.columns else {},
    )


def influence_classifier(
    features: Any,
    kernel: np.ndarray,
    solved: np.ndarray,
    class_names: Sequence[str],
    *,
    num_examples: int,
    l2: float,
    temperature: float | None = None,
    test: tuple[Sequence, Sequence[int]] = ((), ()),
    train: Sequence = (),
    queries: Sequence[str] = (),
    max_measured: int = 100,
    card: dict | None = None,
) -> Served:
    """Makes the signatures "classify" and "influence" of a classifier whose last layer has no bias.

    `influence` is, in closed form, ∇L(q)ᵀ H⁻¹ ∇L(z) / n of the last layer's weights, for an example z with a label and
    fixed queries q: by how much the loss of each would fall if the example were one more of the n that it was trained
    on, or rise if it was one of them and were missing. H⁻¹ ∇L(q) is kept; ∇L(z) is an outer product.

    Args:
        features: A model from examples (batch, ...) to what the last layer sees, (batch, features), in float32.
        kernel: The last layer's, (features, classes), or of a support vector machine (features, 1).
        solved: H⁻¹ ∇L(q) of each query, (queries, features, classes or 1), or as vectors (queries, weights).
        class_names: The classes, in order.
        num_examples: n.
        l2: The regulariser's weight.
        temperature: Of the smooth hinge of a support vector machine; None: cross-entropy.
        test: Examples as programs have them, images uint8 and other ones float32, and their labels: on the first Keras,
            SavedModel and TFLite are compared, and on some, evenly spaced, accuracy is measured. None: nothing is.
        train: The like without labels, on which int8's ranges are measured.
        queries: What the queries are called, for the card.
        max_measured: Test examples that are measured, at most.
        card: What else the card says, such as the columns of an example.

    Returns:
        What an export is made of; its measure gives "accuracy_percent" and "examples".

    Raises:
        ValueError: Where kernel, solved and classes do not go together.

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 2.
    """
    kernel, solved = np.asarray(kernel, "float64"), np.asarray(solved, "float64")
    if solved.ndim == 2 and solved.shape[1] == kernel.size:
        solved = solved.reshape(-1, *kernel.shape)
    outputs = len(class_names) if temperature is None else 1
    if kernel.shape[1:] != (outputs,) or solved.shape[1:] != kernel.shape or (temperature and len(class_names) != 2):
        raise ValueError(
            f"a kernel {kernel.shape} and vectors {solved.shape} for {len(class_names)} classes; expected (features, "
            f"{outputs}) and (queries, features, {outputs})."
        )
    shape, size = tuple(features.input_shape[1:]), kernel.shape[0]
    # ∇L(z) = x rᵀ + l2 W: with the queries side by side it is one product of matrices.
    beside = tf.constant(solved.transpose(1, 0, 2).reshape(size, -1) / num_examples, tf.float32)
    penalty = tf.constant(l2 * np.einsum("qfc,fc->q", solved, kernel) / num_examples, tf.float32)
    weights = tf.constant(kernel, tf.float32)

    def scores(example):
        seen = features(tf.cast(example, tf.float32))
        return seen, tf.matmul(seen, weights)

    def probabilities(found):
        return tf.nn.softmax(found if temperature is None else tf.concat([tf.zeros_like(found), found], axis=-1))

    def classify(example):
        found = probabilities(scores(example)[1])
        return {"probabilities": found, "class": tf.math.top_k(found, 1).indices[:, 0]}

    def residual(found, label):
        """The derivative of the loss by the scores, (1, outputs)."""
        if temperature is None:
            return tf.nn.softmax(found) - tf.one_hot(label, outputs)
        sign = 2.0 * tf.cast(label, tf.float32)[:, None] - 1.0
        return -sign * tf.sigmoid((1.0 - sign * found) / temperature)

    def influence(example, label):
        seen, found = scores(example)
        along = tf.reshape(tf.matmul(seen, beside), (-1, outputs)) * residual(found, label)
        known = tf.logical_and(label >= 0, label < len(class_names))
        return {"influence": tf.where(known, tf.reduce_sum(along, axis=-1) + penalty, np.nan)}

    examples, labels = test
    is_image = len(shape) == 3
    blank = np.zeros(shape, "uint8" if is_image else "float32")
    first, first_label = (examples[0], int(labels[0])) if len(examples) else (blank, 0)

    def measure(call):
        chosen = np.linspace(0, len(examples) - 1, min(max_measured, len(examples))).round().astype(int)
        right = [int(call("classify", example=examples[i][None])["class"][0]) == labels[i] for i in chosen]
        return {"accuracy_percent": 100 * float(np.mean(right)), "examples": len(right)}

    def calibrate():
        for example in list(train)[:_CALIBRATED_WITH]:
            yield {"classify": {"example": example[None]}, "influence": given(example, 0)}

    def given(example, label):
        return {"example": example[None], "label": np.array([label], "int32")}

    unit = "nats" if temperature is None else "agreement"
    example = (1, *shape), str(blank.dtype), "0 to 255" if is_image else "see the card's columns"
    return Served(
        signatures={
            "classify": signature(
                classify,
                example=example,
                outputs={
                    "probabilities": "of each class" if temperature is None else "softmax of 0 and the score",
                    "class": "the most probable one's number",
                },
            ),
            "influence": signature(
                influence,
                example=example,
                label=((1,), "int32", f"its class's number, 0 to {len(class_names) - 1}; else all is NaN"),
                outputs={"influence": f"{unit}, by which each query's loss falls if the example is learned"},
            ),
        },
        trackables=(features,),
        examples={"classify": {"example": first[None]}, "influence": given(first, first_label)},
        calibrate=calibrate,
        measure=measure if len(examples) else None,
        card={"classes": list(class_names), "queries": list(queries), "trained_on": num_examples, **(card or {})},
    )


_CALIBRATED_WITH = 100  # examples
