import numpy as np
import pytest
from scipy import stats

from toolkit.data.characters import episodes
from toolkit.methods import episode_recall


def drawn_keys(num_episodes, steps, size, seed=0, num_classes=3):
    """Keys round one direction for each class, so noisy that some are mistaken."""
    random = np.random.default_rng(seed)
    values = np.stack([random.permutation(np.arange(steps) % num_classes) for _ in range(num_episodes)])
    centres = random.standard_normal((num_episodes, num_classes, size))
    keys = np.take_along_axis(centres, values[..., None], axis=1) + random.standard_normal((num_episodes, steps, size))
    return keys.astype("float32"), values.astype("int32")


def one_episode(keys, values, num_supports, slots):
    """The paper's rule, an example at a time: what is recalled, and which step wrote it."""
    memory, found = [], []  # of slots: key, value, step that wrote it, step that used it
    for step, (key, value) in enumerate(zip(keys / np.linalg.norm(keys, axis=1, keepdims=True), values, strict=True)):
        best = max(memory, key=lambda slot: slot["key"] @ key, default=None)
        found.append((best["value"], best["writer"]) if best else (-1, -1))
        if step >= num_supports:
            continue
        if best and best["value"] == value:
            best["key"] = (best["key"] + key) / np.linalg.norm(best["key"] + key)
            best["used"] = step
        else:
            new = {"key": key, "value": value, "writer": step, "used": step}
            if len(memory) < slots:
                memory.append(new)
            else:
                memory[min(range(slots), key=lambda slot: memory[slot]["used"])] = new
    return found


@pytest.mark.parametrize(("memory_size", "num_supports"), [(100, 12), pytest.param(4, 20, marks=pytest.mark.slow)])
def test_a_memory_follows_the_papers_rule(memory_size, num_supports):
    keys, values = drawn_keys(6, 20, 5)
    found = episode_recall.by_memory(keys, values, num_supports, memory_size=memory_size)
    expected = [one_episode(*each, num_supports, memory_size) for each in zip(keys, values, strict=True)]
    np.testing.assert_array_equal(np.stack([found.values, found.sources], axis=-1), expected)
    later = found.values[:, 4:] == values[:, 4:]
    assert 0.4 < later.mean() < 1


def test_more_classes_than_slots():
    keys, values = drawn_keys(2, 20, 5, num_classes=5)
    with pytest.raises(ValueError, match="an episode of 5 classes: a memory of 4 slots cannot hold them"):
        episode_recall.by_memory(keys, values, 10, memory_size=4)


def test_the_nearest_is_scikit_learns():
    from sklearn.neighbors import KNeighborsClassifier

    keys, values = drawn_keys(5, 20, 5, seed=1)
    found = episode_recall.by_nearest(keys, values, 12)
    for own, right, taken, sources in zip(keys, values, *found, strict=True):
        assert taken[0] == sources[0] == -1
        for step in range(1, 20):
            seen = min(step, 12)
            model = KNeighborsClassifier(1, metric="cosine").fit(own[:seen], right[:seen])
            assert taken[step] == model.predict(own[step : step + 1])[0] == right[sources[step]]


@pytest.mark.parametrize("num_passes", [1, 3])
def test_a_last_layer_is_keras_sgd(num_passes):
    import keras

    keys, values = drawn_keys(2, 15, 4, seed=2)
    found = episode_recall.by_last_layer(keys, values, 10, num_passes=num_passes, learning_rate=0.7)
    for own, right, taken in zip(keys, values, found.values, strict=True):
        own = own / np.linalg.norm(own, axis=1, keepdims=True)
        dense = keras.layers.Dense(3, "softmax", use_bias=False, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((4,)), dense])
        model.compile(keras.optimizers.SGD(0.7), "sparse_categorical_crossentropy")
        assert taken[0] == -1
        for number in range(num_passes):
            for step in range(10):
                if step and not number:
                    found_now = np.asarray(model(own[step : step + 1]))[0]
                    assert found_now[taken[step]] > found_now.max() - 1e-6  # classes not seen yet are alike
                model.train_on_batch(own[step : step + 1], right[step : step + 1])
        np.testing.assert_array_equal(taken[10:], np.asarray(model(own[10:])).argmax(axis=1))
    assert (found.sources == -1).all()


def test_episodes_are_taken_in_blocks(monkeypatch):
    keys, values = drawn_keys(7, 10, 4)
    learners = (episode_recall.by_memory, episode_recall.by_nearest, episode_recall.by_last_layer)
    whole = [learner(keys, values, 6) for learner in learners]
    monkeypatch.setattr(episode_recall, "_AT_ONCE", 1)
    for learner, expected in zip(learners, whole, strict=True):
        for found, each in zip(learner(keys, values, 6), expected, strict=True):
            np.testing.assert_array_equal(found, each)


@pytest.mark.parametrize("num_supports", [0, 11])
def test_shapes_that_do_not_go_together(num_supports):
    keys, values = drawn_keys(2, 10, 4)
    with pytest.raises(ValueError, match="expected .episodes, steps, key_size."):
        episode_recall.by_nearest(keys, values, num_supports)
    with pytest.raises(ValueError, match="keys .2, 10, 4., values .2, 9."):
        episode_recall.by_memory(keys, values[:, :9], 5)


def test_accuracy_of_as_many_steps_in_each_episode_is_students_t():
    random = np.random.default_rng(0)
    right = random.integers(0, 2, (30, 8))
    found = episode_recall.accuracy(right, np.ones((30, 8), int), np.arange(8) >= 3)
    shares = 100 * right[:, 3:].mean(axis=1)
    low, high = stats.ttest_1samp(shares, 0.0).confidence_interval(0.95)
    assert found == {
        name: pytest.approx(each)
        for name, each in {"accuracy_percent": shares.mean(), "low": low, "high": high}.items()
    }


def test_accuracy_is_bracketed():
    values = np.arange(40).reshape(10, 4) % 4
    every = np.ones(4, bool)
    perfect = episode_recall.accuracy(values, values, every)
    assert perfect["accuracy_percent"] == perfect["high"] == 100 and 65 < perfect["low"] < 80  # of ten, by Wilson
    wrong = episode_recall.accuracy(np.full_like(values, -1), values, every)
    assert wrong["accuracy_percent"] == wrong["low"] == 0 and wrong["high"] > 20
    assert episode_recall.accuracy(np.zeros_like(values), values, every)["accuracy_percent"] == 25
    with pytest.raises(ValueError, match="no step counts"):
        episode_recall.accuracy(values, values, ~every)


def test_steps_that_count_may_differ_between_episodes():
    values = np.zeros((2, 3), int)
    found = episode_recall.accuracy(np.array([[0, 1, 0], [1, 1, 1]]), values, np.array([[1, 0, 1], [0, 1, 0]], bool))
    assert found["accuracy_percent"] == pytest.approx(200 / 3)


def test_shots_of_glyphs_are_told_apart_by_their_pixels():
    from toolkit.data.characters.glyphs import glyphs

    pixels = 1 - glyphs(20, 8, 12).reshape(160, -1).astype("float32") / 255
    drawn = episodes.shots(np.repeat(np.arange(20), 8), range(60), num_ways=5, num_shots=1)
    asked = np.arange(10) >= 5
    for learner in (episode_recall.by_memory, episode_recall.by_nearest):
        found = learner(pixels[drawn.rows], drawn.values, drawn.num_supports)
        assert episode_recall.accuracy(found.values, drawn.values, asked)["low"] > 45
