"""What Kaiser et al. 2017 say of a memory in a network that translates: it helps most where a word is rare."""

import keras
import numpy as np
import pytest

from toolkit import data, generation, metrics, models

pytestmark = pytest.mark.claims

EPOCHS = 12


@pytest.fixture(scope="module")
def accuracies():
    """Percent of the test's words that are right, by how often they came in training: of three networks."""
    pairs, found = data.translation.load("embedded:1500:240", seed=0), {}
    sizes = len(pairs.source.tokens), len(pairs.target.tokens)
    memory = {"memory_size": 2000, "key_size": 32, "num_neighbors": 32, "seed": 0}
    arrays = pairs.arrays("train")

    def measured(model):
        test = pairs.arrays("test")
        right = model.predict(test, batch_size=75, verbose=0).argmax(axis=-1) == test["target"]
        return metrics.rare_accuracy.rare_accuracy(right, pairs.occurrences["test"])

    for name, how in (("without", None), ("memory", memory)):
        keras.utils.set_random_seed(0)
        model = models.memory_translator.translator(*sizes, units=64, embedding_size=32, memory=how)
        schedule = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * 30, 0.05)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
        model.compile(keras.optimizers.Adam(schedule, global_clipnorm=1.0), loss, jit_compile=False)
        model.fit(arrays, arrays["target"], batch_size=50, epochs=EPOCHS, verbose=0)
        found[name] = measured(model)
    generation.translation.read(model, pairs.arrays("context"))
    found["after_reading"] = measured(model)
    for name, each in found.items():
        print(name, {span: round(value, 1) for span, value in each.items()})
    return found


def test_the_memory_helps_most_where_a_word_is_rare(accuracies):
    gains = {span: accuracies["memory"][span] - accuracies["without"][span] for span in accuracies["memory"]}
    assert gains["seen_1_to_3"] > gains["seen_16_or_more"] + 10
    assert gains["seen_1_to_3"] > 20 and gains["seen_16_or_more"] > -3


def test_a_word_that_was_read_once_is_known_without_training(accuracies):
    assert accuracies["memory"]["unseen"] < 10 and accuracies["without"]["unseen"] < 10
    assert accuracies["after_reading"]["unseen"] > 30
    kept = [
        accuracies["after_reading"][span] - accuracies["memory"][span] for span in ("seen_4_to_15", "seen_16_or_more")
    ]
    assert np.min(kept) > -5, "what it knew it still knows"
