"""What Kaiser et al. 2017 say of a memory for rare events, on 500 classes of made-up characters."""

import keras
import numpy as np
import pytest

from toolkit import layers, methods, models
from toolkit.data import characters
from toolkit.data.characters import episodes

pytestmark = pytest.mark.claims

NUM_EPISODES = 300


@pytest.fixture(scope="module")
def found():
    """500 classes, of which 400 train; as they are drawn, not turned."""
    return characters.load("embedded:glyphs", image_size=20, rotations=False)


def compared(embedding, test, num_ways, num_shots, learner=methods.episode_recall.by_memory):
    keys = embedding.predict(test.images, batch_size=256, verbose=0) if embedding else pixels(test)
    drawn = episodes.shots(test.labels, range(NUM_EPISODES), num_ways=num_ways, num_shots=num_shots)
    asked = np.arange(drawn.values.shape[1]) >= drawn.num_supports
    recalled = learner(keys[drawn.rows], drawn.values, drawn.num_supports).values
    return methods.episode_recall.accuracy(recalled, drawn.values, asked)["accuracy_percent"]


def pixels(test):
    return 1 - test.images.reshape(len(test.images), -1).astype("float32") / 255


@pytest.fixture(scope="module")
def trained(found):
    """The embedding before and after 1,500 steps with a memory of two or three slots for each class."""
    keras.utils.set_random_seed(0)
    embedding, label = models.embedding_cnn.embedding_cnn(20, filters=16), keras.Input((), dtype="int32")
    before = keras.models.clone_model(embedding)
    before.set_weights(embedding.get_weights())
    memory = layers.Memory(1024, 128, seed=0)
    model = keras.Model([embedding.input, label], memory(embedding.output, label))
    model.compile(keras.optimizers.Adam(1e-3))
    batches = found.splits.train.map(lambda image, label: ((image, label), label))
    model.fit(batches.dataset(), steps_per_epoch=1500, shuffle=False, verbose=0)
    return before, embedding


def test_new_classes_are_told_apart_after_one_drawing_of_each(found, trained):
    test = found.parts["test"]
    before, after = trained
    rows = {}
    for ways in (5, 20):
        raw = compared(None, test, ways, 1, methods.episode_recall.by_nearest)
        untrained, once, often = (
            compared(*how) for how in ((before, test, ways, 1), (after, test, ways, 1), (after, test, ways, 5))
        )
        rows[ways] = raw, untrained, once, often
        print(f"\n{ways}-way: pixels {raw:.1f} %, untrained {untrained:.1f}, 1-shot {once:.1f}, 5-shot {often:.1f}")
    for raw, untrained, once, often in rows.values():
        assert once > raw + 12 and once > untrained + 5 and often > once


def test_accuracy_rises_over_an_episode(found, trained):
    test, (_, after) = found.parts["test"], trained
    drawn = episodes.occurrences(test.labels, range(NUM_EPISODES), num_ways=5, num_each=10)
    keys = after.predict(test.images, batch_size=256, verbose=0)
    recalled = methods.episode_recall.by_memory(keys[drawn.rows], drawn.values, drawn.num_supports).values
    seen = drawn.seen
    by = [
        methods.episode_recall.accuracy(recalled, drawn.values, seen == times)["accuracy_percent"]
        for times in range(10)
    ]
    print("\nright by how often a class was seen:", " ".join(f"{share:.1f}" for share in by))
    assert by[0] < 5 and by[1] > 85 and by[9] > by[1] + 2 and np.mean(by[5:]) > np.mean(by[1:4])
