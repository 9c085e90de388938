"""What sampled images teach: a classifier that never saw a real one is tried on real ones."""

from collections.abc import Callable

import keras
import numpy as np

from toolkit.metrics.top_k_accuracy import top_k_accuracy
from toolkit.models.image_classifier import image_classifier


def classification_accuracy_score(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    build: Callable[[], keras.Model],
    *,
    epochs: int = 10,
    batch_size: int = 128,
) -> dict[str, float]:
    """Trains a classifier on sampled images and the classes they were drawn for, and tries it on real ones.

    What stands beside it is the same with real training images in their place: as many, as many epochs. Samples that
    miss what tells classes apart, or a part of a class, score lower than they look. No real image is seen in training,
    not even to choose an epoch. Weights and order begin from Keras' seed (`keras.utils.set_random_seed`).

    Args:
        images: Sampled, (samples, height, width, channels), as the classifier takes them.
        labels: (samples,) the class that each was drawn for, numbers from 0.
        test_images: Real, (images, height, width, channels), which the sampler never saw.
        test_labels: (images,) their classes.
        build: Returns a new classifier from images to scores (batch, classes), compiled with an optimizer and a loss of
            integer labels.
        epochs: How often it sees each sample.
        batch_size: Samples of a step.

    Returns:
        "top_1_percent" and, of more than five classes, "top_5_percent", of real images.

    Raises:
        ValueError: Where shapes do not fit, a label is no class, there are no images, or nothing is compiled.

    Reference: Ravuri and Vinyals 2019, arXiv 1905.10887.
    """
    images, labels, test_images, test_labels = map(np.asarray, (images, labels, test_images, test_labels))
    model = build()
    num_classes = model.output_shape[-1]
    for name, some, classes in (("sampled", images, labels), ("real", test_images, test_labels)):
        if not len(some) or classes.shape != (len(some),):
            raise ValueError(f"{name}: expected images and a label for each; got {some.shape} and {classes.shape}.")
        if some.shape[1:] != images.shape[1:]:
            raise ValueError(
                f"expected real images of the sampled ones' shape {images.shape[1:]}; got {some.shape[1:]}."
            )
        if classes.min() < 0 or classes.max() >= num_classes:
            raise ValueError(
                f"{name}: expected labels from 0 to {num_classes - 1}, the classes of the classifier; got some from "
                f"{classes.min()} to {classes.max()}."
            )
    if not model.compiled:
        raise ValueError(f"build: expected a compiled classifier; {model.name} is not.")
    model.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=0)
    scores = model.predict(test_images, batch_size=batch_size, verbose=0)
    ranks = (1, 5) if num_classes > 5 else (1,)
    return {f"top_{k}_percent": 100 * top_k_accuracy(test_labels, scores, k) for k in ranks}


def beside_real(
    drawn: tuple[np.ndarray, np.ndarray],
    real: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    num_classes: int,
    architecture: str = "resnet8",
    epochs: int = 10,
    batch_size: int = 128,
    seed: int = 0,
) -> dict[str, float]:
    """Scores sampled images, and as many real ones in the same way.

    Args:
        drawn: Sampled images (samples, side, side, channels), 0 to 255, and their labels (samples,).
        real: Real ones to train on, likewise.
        test: Real ones to be tried on, likewise.
        num_classes: Classes.
        architecture: Of the classifier, one of `models.image_classifier.ARCHITECTURES`; the paper's is a ResNet-50.
        epochs: As in `classification_accuracy_score`.
        batch_size: As there.
        seed: Of each classifier's weights and order.

    Returns:
        "top_1_after_drawn_percent" and "top_1_after_real_percent", of more than five classes top 5 likewise.

    Raises:
        ValueError: As in `classification_accuracy_score`.

    Reference: Razavi et al. 2019, arXiv 1906.00446, section 4.
    """

    def build():
        model = image_classifier(architecture, drawn[0].shape[1:], num_classes, stem="auto")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)
        return model

    found = {}
    for name, (images, labels) in (("drawn", drawn), ("real", real)):
        keras.utils.set_random_seed(seed)
        scores = classification_accuracy_score(images, labels, *test, build, epochs=epochs, batch_size=batch_size)
        found |= {each.replace("_percent", f"_after_{name}_percent"): value for each, value in scores.items()}
    return found
