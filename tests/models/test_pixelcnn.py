import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.models import pixelcnn


def test_published_size(unfilled):
    model = pixelcnn.pixelcnn(32, 32, 512, num_classes=1000)
    f = 384
    shared = 2 * f * 2 * f + f * f + f + 64 * 4 * f  # across, outward, the class's share
    first = (2 * 5 + 2) * f * 2 * f + 2 * 2 * f + shared
    others = (3 * 5 + 3) * f * 2 * f + 2 * 2 * f + shared
    head = f * f + f + f * 512 + 512
    assert model.count_params() == 512 * f + 1000 * 64 + first + 19 * others + head
    blocks = pixelcnn.blocks(model)
    assert [block.mask_type for block in blocks] == ["A", *"B" * 19] and blocks[1].kernel_size == 5


def small(height=4, width=6, num_codes=7, **how):
    how = {"filters": 8, "num_blocks": 3, "kernel_size": 3, "head_filters": 10, "condition_filters": 5, **how}
    return pixelcnn.pixelcnn(height, width, num_codes, **how)


def filled(model):
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / (2 if w.ndim > 1 else 10) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("context_size", [None, (2, 3)])
def test_shapes_conditions_and_files(context_size, tmp_path):
    model = filled(small(num_classes=3, num_maps=2, context_size=context_size, num_context_codes=9, dropout=0.1))
    random = np.random.default_rng(1)
    context_size = context_size or (4, 6)
    inputs = {
        "codes": random.integers(0, 7, (2, 4, 6)),
        "label": np.array([0, 2]),
        "context": random.integers(0, 9, (2, 2, *context_size)),
    }
    found = np.asarray(model(inputs))
    assert found.shape == (2, 4, 6, 7) and found.dtype == np.float32
    other = np.asarray(model({**inputs, "label": np.array([1, 2])}))
    assert (other[0] != found[0]).any() and (other[1] == found[1]).all()
    context = inputs["context"].copy()
    context[0, 1, -1, -1] = (context[0, 1, -1, -1] + 1) % 9
    other = np.asarray(model({**inputs, "context": context}))
    assert (other[0, 0] != found[0, 0]).any(), "not causal: the last known code is seen in the first row"
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(inputs), found)
    assert [block.name for block in pixelcnn.blocks(again)] == ["block_1", "block_2", "block_3"]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(inputs)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.any(tf.convert_to_tensor(gradient)) for gradient in gradients)


def test_a_code_changes_only_what_comes_after():
    model, codes = filled(small()), np.random.default_rng(2).integers(0, 7, (1, 4, 6))
    changed = np.repeat(codes, 24, axis=0)
    places = np.arange(24)
    changed[places, places // 6, places % 6] = (changed[places, places // 6, places % 6] + 1) % 7
    found = np.asarray(model({"codes": changed})) != np.asarray(model({"codes": np.repeat(codes, 24, axis=0)}))
    found = found.any(axis=-1).reshape(24, 24)  # (changed, place)
    assert not np.tril(found).any(), "itself, or one before"
    assert found[0].sum() == 15 and found[np.arange(23), np.arange(1, 24)][places[:23] % 6 != 5].all()


STEPS = [0.05, 0.7, 0.15, 0.05, 0.05]


def chains(num, seed):
    """Maps in which each code is likely one more than that to its left, or in the first column than that above."""
    random = np.random.default_rng(seed)
    steps = random.choice(5, p=STEPS, size=(num, 6, 6))
    steps[:, :, 0] = np.cumsum(steps[:, :, 0], axis=1)
    return (np.cumsum(steps, axis=2) % 5).astype("int32")


def test_reaches_a_sources_entropy():
    """All steps are drawn alike, from left to right and, in the first column, from above."""
    keras.utils.set_random_seed(0)
    model = small(6, 6, 5, filters=16, num_blocks=2, head_filters=32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=False)
    codes, unseen = chains(512, 1), chains(1024, 2)
    model.fit({"codes": codes}, codes, batch_size=64, epochs=6, verbose=0)
    entropy = -np.sum(STEPS * np.log(STEPS))
    assert abs(float(loss(unseen, model({"codes": unseen}))) - entropy) < 0.05


def test_a_network_keeps_its_classes(tmp_path):
    model = pixelcnn.pixelcnn(2, 3, 5, filters=4, num_blocks=1, head_filters=4, class_names=["cat", "dog"])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert pixelcnn.class_names(loaded) == ["cat", "dog"]
    inputs = {"codes": np.ones((2, 2, 3), "int32"), "label": np.array([0, 1], "int32")}
    np.testing.assert_allclose(loaded(inputs), model(inputs), atol=1e-6)
    assert np.abs(np.asarray(model(inputs))[0] - np.asarray(model(inputs))[1]).max() > 0  # the class is heard
    assert (
        pixelcnn.class_names(pixelcnn.pixelcnn(2, 3, 5, filters=4, num_blocks=1, head_filters=4, num_classes=2)) == []
    )
    with pytest.raises(ValueError, match="2 class_names for 3 classes"):
        pixelcnn.pixelcnn(2, 3, 5, num_classes=3, class_names=["cat", "dog"])


def test_errors():
    with pytest.raises(ValueError, match="num_codes must be at least 1; got 0"):
        small(num_codes=0)
    with pytest.raises(ValueError, match="kernel_size must be odd and at least 3; got 4"):
        small(kernel_size=4)
    with pytest.raises(ValueError, match="context_size must divide the map's 4 x 6; got 3 x 3"):
        small(num_maps=1, context_size=(3, 3))
