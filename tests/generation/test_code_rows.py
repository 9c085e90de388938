import numpy as np
import pytest
import tensorflow as tf

from toolkit.generation.code_rows import CodeRows, clamped
from toolkit.models import pixelcnn


@pytest.mark.parametrize("kernel_size, num_blocks", [(3, 2), (5, 1), (7, 3)])
def test_places_one_by_one_are_the_network_at_once(kernel_size, num_blocks):
    model = pixelcnn.pixelcnn(3, 5, 6, 4, num_blocks, kernel_size, head_filters=7, num_classes=2)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / 2 for w in model.get_weights()])
    codes, label = random.integers(0, 6, (2, 3, 5)).astype("int32"), np.array([1, 0], "int32")
    expected = np.asarray(model({"codes": codes, "label": label}))
    rows = CodeRows(model)
    kept, prepared, above = rows.initial_rows(2), rows.prepare(label), np.full((2, 5), 6)
    for row in range(3):
        given, kept = rows.read_row(above, row, kept, prepared)
        state, left = rows.initial_state(2), np.full(2, 6)
        for column in range(5):
            logits, state = rows.step(left, state, prepared, given)
            np.testing.assert_allclose(logits, expected[:, row, column], atol=1e-4)
            left = codes[:, row, column]
        assert state["column"].numpy().tolist() == [5]
        assert state["queues"].shape == (num_blocks, 2, kernel_size // 2, 4)
        above = codes[:, row]


def test_what_is_told_must_be_told():
    rows = CodeRows(pixelcnn.pixelcnn(2, 2, 6, 4, 1, head_filters=4, num_classes=2))
    assert rows.reads == ["label"] and rows.num_values("label") == 2
    with pytest.raises(ValueError, match="This network reads a label: give it"):
        rows.prepare()
    with pytest.raises(ValueError, match="This network reads no context"):
        rows.prepare(label=[1], context=np.zeros((1, 1, 2, 2)))
    np.testing.assert_array_equal(rows.prepare(label=[9]).condition, rows.prepare(label=[1]).condition)


def test_clamped():
    assert clamped(tf.constant([-3, 0, 6, 7]), 7).numpy().tolist() == [0, 0, 6, 6]
