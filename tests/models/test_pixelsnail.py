import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.models import pixelcnn, pixelsnail

ATTENDING = {"attention_every": 2, "num_heads": 2, "num_output_blocks": 2}


def small(height=4, width=6, num_codes=7, **how):
    how = {"filters": 8, "num_blocks": 4, "kernel_size": 3, **ATTENDING, "num_context_blocks": 1, **how}
    return pixelsnail.pixelsnail(height, width, num_codes, **how)


def filled(model):
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / (2 if w.ndim > 1 else 10) for w in model.get_weights()])
    return model


def test_published_size(unfilled):
    model, f = pixelsnail.pixelsnail(32, 32, 512, num_classes=1000), 512
    shared = 2 * f * 2 * f + f * f + f + f * 4 * f  # across, outward, the class's share
    first = (2 * 5 + 2) * f * 2 * f + 2 * 2 * f + shared
    others = (3 * 5 + 3) * f * 2 * f + 2 * 2 * f + shared
    attention = (f + 2) * f + f + (2 * f + 2) * 2 * f + 2 * f + 2 * f * 2 * f + 2 * f + f * f + f
    output = 20 * 2 * (f * f + f) + f * 512 + 512
    assert model.count_params() == 512 * f + 1000 * f + first + 19 * others + 4 * attention + output
    assert sorted(pixelsnail.attentions(model)) == [5, 10, 15, 20]
    assert pixelsnail.attentions(model)[5].num_heads == 8


@pytest.mark.parametrize("context_size", [(2, 3), pytest.param(None, marks=pytest.mark.slow)])
def test_shapes_conditions_and_files(context_size, tmp_path):
    how = {"num_maps": 1, "context_size": context_size, "num_context_codes": 9}
    model = filled(small(class_names=["cat", "dog", "owl"], dropout=0.1, **how))
    random = np.random.default_rng(1)
    inputs = {
        "codes": random.integers(0, 7, (2, 4, 6)),
        "label": np.array([0, 2]),
        "context": random.integers(0, 9, (2, 1, *(context_size or (4, 6)))),
    }
    found = np.asarray(model(inputs))
    assert found.shape == (2, 4, 6, 7) and found.dtype == np.float32
    other = np.asarray(model({**inputs, "label": np.array([1, 2])}))
    assert (other[0] != found[0]).any() and (other[1] == found[1]).all()
    context = inputs["context"].copy()
    context[0, 0, -1, -1] = (context[0, 0, -1, -1] + 1) % 9
    other = np.asarray(model({**inputs, "context": context}))
    assert (other[0, -1] != found[0, -1]).any() and (other[1] == found[1]).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(inputs), found)
    assert pixelcnn.class_names(again) == ["cat", "dog", "owl"]
    assert len(pixelcnn.blocks(again)) == 4 and sorted(pixelsnail.attentions(again)) == [2, 4]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(inputs, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.any(tf.convert_to_tensor(gradient)) for gradient in gradients)


@pytest.mark.parametrize("attention_every", [0, 2])
def test_a_code_changes_only_what_comes_after(attention_every):
    """Exactly; with attention each code after the next, however far, and without it none that is out of reach."""
    height, width = 8, 6
    model, num_places = filled(small(height, width, attention_every=attention_every)), height * width
    codes = np.repeat(np.random.default_rng(2).integers(0, 7, (1, height, width)), num_places, axis=0)
    changed, places = codes.copy(), np.arange(num_places)
    changed[places, places // width, places % width] = (changed[places, places // width, places % width] + 1) % 7
    found = np.asarray(model({"codes": changed})) != np.asarray(model({"codes": codes}))
    found = found.any(axis=-1).reshape(num_places, num_places)  # (changed, place)
    assert not np.tril(found).any(), "itself, or one before"
    assert found[np.triu_indices(num_places, 1)].all() == bool(attention_every)
    assert found[0, -1] == bool(attention_every)


def test_no_attention_is_a_pixelcnn_with_a_deeper_head():
    """Of the same weights the same features."""
    plain = pixelcnn.pixelcnn(4, 6, 7, 8, 2, 3, head_filters=8, num_classes=3, condition_filters=8)
    ours = small(num_blocks=2, attention_every=0, num_output_blocks=0, num_classes=3)
    filled(plain)
    names = {layer.name for layer in ours.layers} & {layer.name for layer in plain.layers}
    assert {"lookup", "label_embedding", "block_1", "block_2"} <= names
    for name in names:
        ours.get_layer(name).set_weights(plain.get_layer(name).get_weights())
    inputs = {"codes": np.random.default_rng(3).integers(0, 7, (2, 4, 6)), "label": np.array([0, 2])}
    features = [keras.Model(model.input, model.get_layer("last").output)(inputs) for model in (plain, ours)]
    np.testing.assert_array_equal(*features)


@pytest.mark.slow
def test_learns_what_only_attention_can_reach():
    """The last code is the first, all between are noise: a PixelCNN of that reach is left with a bit."""
    keras.utils.set_random_seed(0)
    random, bits = np.random.default_rng(4), []
    codes = random.integers(0, 2, (512, 4, 4))
    codes[:, -1, -1] = codes[:, 0, 0]
    counted = np.zeros(codes.shape)
    counted[:, -1, -1] = 1  # noise that cannot be learned would only cover what can
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for attention_every in (0, 1):
        model = small(4, 4, 2, num_blocks=1, attention_every=attention_every, filters=16, dropout=0.0)
        model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
        model.fit({"codes": codes}, codes, sample_weight=counted, batch_size=64, epochs=15, verbose=0)
        bits.append(float(loss(codes[:, -1, -1], model({"codes": codes})[:, -1, -1])) / np.log(2))
    assert bits[0] > 0.9 and bits[1] < 0.2


def test_errors():
    with pytest.raises(ValueError, match="num_codes must be at least 1; got 0"):
        small(num_codes=0)
    with pytest.raises(ValueError, match="filters must be a multiple of num_heads, 3; got 8"):
        small(num_heads=3)
    with pytest.raises(ValueError, match="attention_every and num_output_blocks must be at least 0; got -1 and 2"):
        small(attention_every=-1)
    with pytest.raises(ValueError, match="context_size must divide the map's 4 x 6; got 3 x 3"):
        small(num_maps=1, context_size=(3, 3))
    with pytest.raises(ValueError, match="2 class_names for 3 classes"):
        small(num_classes=3, class_names=["cat", "dog"])
