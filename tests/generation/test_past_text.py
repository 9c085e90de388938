import numpy as np
import tensorflow as tf

from toolkit.generation.past_text import past_text


def test_is_the_papers_heuristic():
    random = np.random.default_rng(0)
    text = np.array([[97] * length + [0] * (9 - length) for length in (1, 4, 8, 8)] * 50, "int32")
    weights = random.uniform(size=(200, 9)).astype("float32")
    expected = [phi[n] > phi[:n].max() for phi, n in zip(weights, np.count_nonzero(text, axis=1), strict=True)]
    found = past_text(tf.constant(text))({"weights": tf.constant(weights)}, None).numpy()
    assert found.tolist() == expected and 20 < sum(expected) < 180


def test_what_is_behind_the_place_after_the_text_does_not_count():
    stop = past_text(tf.constant([[97, 0, 0, 0]]))
    assert not stop({"weights": tf.constant([[0.2, 0.1, 0.9, 0.9]])}, None)[0]
    assert stop({"weights": tf.constant([[0.2, 0.3, 0.0, 0.0]])}, None)[0]
