"""Samples teach as much as what they show of the classes: as good as real ones, or nothing."""

import keras
import numpy as np
import pytest

from toolkit.methods.classification_accuracy_score import beside_real, classification_accuracy_score


def drawn(seed, num_classes=3, num_images=240):
    """Images of 4×4 in which a class has a bright pixel of its own, in noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(num_images) % num_classes
    images = random.normal(0, 0.5, (num_images, 4, 4, 1))
    images.reshape(num_images, -1)[np.arange(num_images), labels] += 2
    return images.astype("float32"), labels


def built(num_classes=3):
    scores = [keras.layers.Flatten(), keras.layers.Dense(num_classes)]
    model = keras.Sequential([keras.Input((4, 4, 1)), *scores])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


def score(images, labels, build=built, num_classes=3, **how):
    keras.utils.set_random_seed(0)
    how = {"epochs": 5, "batch_size": 32} | how
    return classification_accuracy_score(images, labels, *drawn(9, num_classes), build, **how)


def test_perfect_samples_and_shuffled_labels():
    real, samples = score(*drawn(0)), score(*drawn(1))
    assert real.keys() == {"top_1_percent"}
    assert real["top_1_percent"] > 95 and abs(samples["top_1_percent"] - real["top_1_percent"]) < 4
    images, labels = drawn(1)
    shuffled = score(images, np.random.default_rng(2).permutation(labels))
    assert 10 < shuffled["top_1_percent"] < 60


def test_the_top_five_of_more_than_five_classes():
    def constant():
        model = built(8)
        model.optimizer.learning_rate = 0.0
        model.layers[-1].set_weights([np.zeros((16, 8)), np.arange(8.0)])
        return model

    found = score(*drawn(0, 8), constant, 8, epochs=1)
    assert found == {"top_1_percent": 12.5, "top_5_percent": 62.5}


def test_what_does_not_fit_is_refused_before_training():
    images, labels = drawn(0)
    for wrong, message in (
        ((images, labels[1:], images, labels), "sampled: expected images and a label for each"),
        ((images, labels, images[:0], labels[:0]), "real: expected images and a label for each"),
        ((images, labels + 1, images, labels), "sampled: expected labels from 0 to 2, .* from 1 to 3"),
        ((images, labels, images, labels - 1), "real: expected labels from 0 to 2, .* from -1 to 1"),
        ((images, labels, images[:, :3], labels), r"of the sampled ones' shape \(4, 4, 1\); got \(3, 4, 1\)"),
    ):
        with pytest.raises(ValueError, match=message):
            classification_accuracy_score(*wrong, built)
    with pytest.raises(ValueError, match="expected a compiled classifier"):
        score(images, labels, lambda: keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()][:2]))


@pytest.mark.slow
def test_samples_without_what_tells_classes_apart_score_less_than_real_images():
    """Classes are brightnesses, of which the samples have none."""

    def images(seed, shown=1.0):
        random, labels = np.random.default_rng(seed), np.arange(192) % 3
        return np.clip(random.normal(60 + 60 * shown * labels[:, None, None, None], 20, (192, 8, 8, 1)), 0, 255), labels

    found = beside_real(images(0, 0.0), images(1), images(2), num_classes=3, epochs=16, batch_size=16)
    assert found.keys() == {"top_1_after_drawn_percent", "top_1_after_real_percent"}
    assert found["top_1_after_drawn_percent"] < 60 < found["top_1_after_real_percent"]
