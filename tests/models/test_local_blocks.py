import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.models import image_classifier
from toolkit.models.local_blocks import LOCAL_LOSSES, block_names, local_blocks, pooled_by, stages

IMAGES = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype("float32")
SMALL = {"width": 4, "units": 8, "decoder_size": 64, "projection_size": 12}


@pytest.mark.parametrize(
    ("architecture", "shape", "weights"),
    # As the published code counts what its global loss trains: 2.9, 7.3, 8.9 and 11.6 million.
    [
        ("mlp", (28, 28, 1), 784 * 1024 + 2 * 1024 * 1024 + 9 * 1024 + 10_250),
        ("vgg8b", (28, 28, 1), 1280 + 6_785_024 + 2 * 2176 + 512 * 1024 + 3 * 1024 + 10_250),
        ("vgg8b", (32, 32, 3), 3584 + 6_785_024 + 2 * 2176 + 2048 * 1024 + 3 * 1024 + 10_250),
        ("vgg11b", (32, 32, 3), 11_559_946),
    ],
)
def test_as_many_weights_as_published(architecture, shape, weights):
    with keras.StatelessScope(initialize_variables=False):
        model = local_blocks(architecture, shape, loss="global")
    assert sum(int(np.prod(each.shape)) for each in model.trainable_variables) == weights


@pytest.mark.parametrize("loss", ["global", *LOCAL_LOSSES])
def test_what_each_block_has(loss):
    model = local_blocks("vgg8b", (16, 16, 3), 10, loss=loss, **SMALL)
    assert block_names(model) == [f"block_{number}" for number in range(1, 8)]
    kinds = {name.rpartition("_")[2] for name in model.output} - {"logits"}
    assert kinds == {"global": set(), "pred": {"prediction"}, "sim": {"similarity"}}.get(
        loss.removesuffix("-bpf"), {"prediction", "similarity"}
    )
    said = {name: value.shape[1] for name, value in model.output.items() if name.endswith("prediction")}
    assert set(said.values()) <= {12 if loss.endswith("-bpf") else 10}
    assert len(model.output) == 1 + 7 * len(kinds)
    slope = {layer.negative_slope for layer in model.layers if isinstance(layer, keras.layers.ReLU)}
    assert slope == {0.01 if "sim" in loss else 0.0}
    mapped = [layer.name for layer in model.layers if layer.name.endswith("similarity_map")]
    assert len(mapped) == (7 if "sim" in loss and not loss.endswith("-bpf") else 0)
    assert model.get_layer("block_5").output.shape == (None, 4, 4, 16)
    assert model.get_layer("block_7").output.shape == (None, 8)


def test_the_features_of_similarities_are_deviations_over_places():
    model = local_blocks("vgg8b", (16, 16, 3), loss="sim", **SMALL)
    tensors = [model.get_layer(name).output for name in ("block_2", "block_2_similarity_map", "block_2_similarity")]
    h, mapped, found = (np.asarray(each) for each in keras.Model(model.input, tensors)(IMAGES))
    kernel = model.get_layer("block_2_similarity_map").kernel
    np.testing.assert_allclose(mapped, tf.nn.conv2d(h, kernel, 1, "SAME"), atol=1e-4)
    np.testing.assert_allclose(found, mapped.std(axis=(1, 2)), atol=1e-4)


def test_no_gradient_crosses_a_block():
    """Of an error of a block, and of the network's, to all others' weights: nothing, not even zeros."""
    model = local_blocks("vgg8b", (16, 16, 3), loss="predsim", **SMALL)
    owners = {id(each): place for place, stage in enumerate(stages(model)) for each in stage.trainable_variables}
    with tf.GradientTape(persistent=True) as tape:
        outputs = model(IMAGES, training=True)
        totals = {name: tf.reduce_sum(tf.sin(value + 1.0)) for name, value in outputs.items()}
    for name, total in totals.items():
        place = 7 if name == "logits" else int(name.split("_")[1]) - 1
        gradients = tape.gradient(total, model.trainable_variables)
        reached = {owners[id(v)] for v, g in zip(model.trainable_variables, gradients, strict=True) if g is not None}
        assert reached == {place}, name
    by_global = local_blocks("vgg8b", (16, 16, 3), loss="global", **SMALL)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.sin(by_global(IMAGES, training=True)["logits"]))
    assert all(each is not None for each in tape.gradient(total, by_global.trainable_variables))


def test_stages_are_the_network_in_parts():
    model = local_blocks("vgg11b", (16, 16, 3), loss="predsim", dropout=0.0, **SMALL)
    parts, x, found = stages(model), IMAGES, {}
    for part in parts:
        found |= part(x)
        x = found.pop("passed", None)
    for name, value in model(IMAGES).items():
        np.testing.assert_allclose(found[name], value, atol=1e-5)
    assert sum(len(part.trainable_variables) for part in parts) == len(model.trainable_variables) and x is None


def test_dropout_is_for_what_is_passed_on_alone():
    model = local_blocks("mlp", (16, 16, 3), loss="predsim", dropout=0.5, num_hidden=1, **SMALL)
    h, prediction, seen = keras.Model(
        model.input,
        [model.get_layer("block_1").output, model.output["block_1_prediction"], model.get_layer("logits").input],
    )(IMAGES, training=True)
    kernel = np.random.default_rng(0).standard_normal((8, 10)).astype("float32")
    assert not np.asarray(prediction).any()
    model.get_layer("block_1_prediction").kernel.assign(kernel)
    again = keras.Model(model.get_layer("block_1").output, model.output["block_1_prediction"])(h, training=True)
    np.testing.assert_allclose(again, np.asarray(h) @ kernel, atol=1e-5)
    dropped = np.asarray(seen) == 0
    np.testing.assert_allclose(np.asarray(seen)[~dropped], 2 * np.asarray(h)[~dropped], rtol=1e-5)
    assert 0.1 < dropped.mean() < 0.9


@pytest.mark.parametrize(
    ("maps", "most", "expected"),
    # By hand, as the published code doubles.
    [
        ((32, 32, 128), 4096, (8, 4)),
        ((16, 16, 256), 4096, (4, 4)),
        ((28, 28, 128), 1024, (16, 8)),
        ((2, 2, 512), 1024, (2, 1)),
        ((1, 1, 512), 8, (1, 1)),
        ((3, 3, 10), 10**6, (1, 1)),
    ],
)
def test_windows(maps, most, expected):
    assert pooled_by(*maps, most) == expected


def test_saved_loaded_and_without_its_errors(tmp_path):
    model = local_blocks("vgg8b", (16, 16, 3), ["cat", "dog"], loss="predsim-bpf", cutout=4, **SMALL)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_layer("class_names").names == ["cat", "dog"]
    for name, value in model(IMAGES).items():
        np.testing.assert_allclose(again(IMAGES)[name], value, atol=1e-6)
    lean = image_classifier.classifier(again)
    np.testing.assert_allclose(lean(IMAGES), model(IMAGES)["logits"], atol=1e-6)
    assert not any("prediction" in layer.name or "similarity" in layer.name for layer in lean.layers)
    assert np.abs(model(IMAGES, training=True)["block_1_similarity"] - model(IMAGES)["block_1_similarity"]).max() > 0


def test_a_plan_of_ones_own():
    model = local_blocks((6, "pool", 12), (8, 8, 1), 3, width=3, num_hidden=0, loss="sim")
    assert model.get_layer("block_2").output.shape == (None, 4, 4, 6)
    assert model.output["logits"].shape == (None, 3)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"architecture": "vgg9"}, "architecture must be one of vgg8b, vgg11b, mlp; got 'vgg9'"),
        ({"loss": "simpred"}, "loss must be one of global, pred, sim, predsim, pred-bpf, .*; got 'simpred'"),
        ({"input_shape": (8, 16, 3)}, r"\(8, 16, 3\): vgg8b halves its maps 4 times, so height and width must be at l"),
        ({"dropout": 1.0}, "dropout must be at least 0 and less than 1; got 1.0"),
        ({"units": 0}, "units must be at least 1; got 0"),
        ({"decoder_size": 0}, "decoder_size must be at least 1; got 0"),
        ({"architecture": (), "num_hidden": 0}, "there must be one block at least"),
    ],
)
def test_arguments_are_checked(how, told):
    with pytest.raises(ValueError, match=told):
        local_blocks(**{"architecture": "vgg8b", "input_shape": (16, 16, 3), **how})
