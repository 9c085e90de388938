import itertools

import keras
import numpy as np
import pytest

from toolkit.models.handwriting_recognition import recognition


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return recognition("ab", units=6, num_layers=2)


def padded(offsets, length):
    mask = np.arange(length)[None] < offsets.shape[1]
    return np.pad(offsets, ((0, 0), (0, length - offsets.shape[1]), (0, 0))), mask


@pytest.mark.parametrize("points", [1, 7, 8])
def test_padding_changes_nothing(model, points):
    offsets = np.random.default_rng(0).standard_normal((1, points, 3)).astype("float32")
    alone = np.asarray(model((offsets, np.ones((1, points), bool))))
    assert alone.shape == (1, -(-points // 2), 3)
    more, mask = padded(offsets, 14)
    longer = np.asarray(model((more, mask)))
    np.testing.assert_allclose(longer[:, : alone.shape[1]], alone, atol=1e-5)
    assert (longer[:, alone.shape[1] :].argmax(axis=-1) == 0).all()


def test_loss_is_the_sum_over_all_alignments(model):
    """-log of the sum, over every path of the real steps that collapses to the text, of its probability."""
    offsets = np.random.default_rng(1).standard_normal((1, 8, 3)).astype("float32")
    logits = np.asarray(model((offsets, np.ones((1, 8), bool))))[0]
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    paths = itertools.product(range(3), repeat=4)
    total = sum(
        np.prod(p[np.arange(4), list(path)]) for path in paths if [c for c, _ in itertools.groupby(path) if c] == [1, 2]
    )
    more, mask = padded(offsets, 20)
    loss = keras.losses.CTC()(np.array([[1, 2, 0, 0]]), model((more, mask)))
    assert float(loss) == pytest.approx(-np.log(total), rel=1e-4)


def test_loss_does_not_see_padding_and_trains(model):
    offsets = np.random.default_rng(2).standard_normal((2, 9, 3)).astype("float32")
    labels = np.array([[1, 2, 1], [2, 2, 0]])
    losses = [float(keras.losses.CTC()(labels, model(padded(offsets, length)[:1] + (
        np.repeat(padded(offsets, length)[1], 2, axis=0),)))) for length in (9, 30)]  # fmt: skip
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    trainee = keras.models.clone_model(model)
    trainee.compile(keras.optimizers.Adam(0.05), loss=keras.losses.CTC(), jit_compile=False)
    inputs = offsets, np.ones((2, 9), bool)
    history = [float(trainee.train_on_batch(inputs, labels)) for _ in range(40)]
    assert history[-1] < 0.3 * history[0]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_has_float32_logits(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = recognition("ab", units=4, num_layers=1)
    finally:
        keras.config.set_dtype_policy(before)
    logits = model((np.ones((1, 6, 3), "float32"), np.array([[True] * 4 + [False] * 2])))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32" and np.isfinite(np.asarray(logits)).all()


def test_saved_whole(model, tmp_path):
    model.save(tmp_path / "model.keras")
    inputs = np.ones((1, 5, 3), "float32"), np.ones((1, 5), bool)
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(inputs)), np.asarray(model(inputs)))


@pytest.mark.parametrize("how", [{"alphabet": ""}, {"alphabet": "aa"}, {"alphabet": "a", "num_layers": 0}])
def test_what_is_no_network(how):
    with pytest.raises(ValueError, match="different characters and at least 1 layer"):
        recognition(**how)
