import keras
import numpy as np
import pytest

from toolkit import layers, losses
from toolkit.models import handwriting

ALPHABET = " abc"


def small(**how):
    sizes = {"units": 6, "num_layers": 3, "num_mixtures": 3} | how
    return handwriting.prediction(**sizes), handwriting.synthesis(
        ALPHABET, num_gaussians=2, points_per_character=2.0, **sizes
    )


def example(batch=2, points=9):
    random = np.random.default_rng(0)
    offsets = random.standard_normal((batch, points, 3)).astype("float32")
    offsets[..., 2] = offsets[..., 2] > 1
    text = np.zeros((batch, 5), "int32")
    text[:, :4] = [ord(character) for character in "ab c"]
    return offsets, text


def test_the_papers_sizes():
    """Weights counted by hand from section 5: an LSTM layer, its window, two layers above, and 121 outputs."""
    n, characters = 400, 57
    model = handwriting.synthesis("".join(map(chr, range(64, 64 + characters))))
    first = 4 * n * (3 + characters + n + 1) + (n + 1) * 30
    above = 4 * n * (3 + n + characters + n + 1)
    standardize = 6
    assert model.count_params() == first + 2 * above + (3 * n + 1) * 121 + standardize
    assert 3.5e6 < model.count_params() < 3.8e6  # the paper says about 3.7 million
    prediction = handwriting.prediction()
    layer = 4 * n * (3 + n + 1)
    assert prediction.count_params() == layer + 2 * (layer + 4 * n * n) + (3 * n + 1) * 121 + standardize


@pytest.mark.parametrize("index", [0, 1])
def test_sees_only_the_past(index):
    model, (offsets, text) = small()[index], example()
    inputs = (offsets, text)[: index + 1]
    before = np.asarray(model(inputs if index else offsets))
    changed = offsets.copy()
    changed[:, 5:] += 3.0
    after = np.asarray(model((changed, text) if index else changed))
    np.testing.assert_allclose(after[:, :6], before[:, :6], atol=1e-6)
    assert np.abs(after[:, 6] - before[:, 6]).max() > 1e-4


@pytest.mark.parametrize(
    "how", [{"fused": True}, {"lstm_gradient_clip": 10.0, "output_gradient_clip": 100.0}, {"peepholes": True}]
)
@pytest.mark.parametrize("index", [0, 1])
def test_step_by_step_is_the_whole_sequence(index, how, tmp_path):
    model, (offsets, text) = small(**how)[index], example()
    random = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(variable + 0.1 * random.standard_normal(variable.shape))
    model.get_layer("standardize").adapt([0.5, -0.2, 0.0], [2.0, 3.0, 1.0])
    model.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    expected = np.asarray(model((offsets, text) if index else offsets))
    step = handwriting.single_step(model)
    shapes = {name: tensor.shape for name, tensor in step.input.items()}
    inputs = {name: keras.ops.zeros((2, shape[-1])) for name, shape in shapes.items() if len(shape) == 2}
    if index:
        inputs["characters"] = model.get_layer("characters")(text)
    standardized = np.asarray(model.get_layer("standardize")(offsets))
    for t in range(offsets.shape[1]):
        outputs = step(inputs)
        np.testing.assert_allclose(outputs["params"], expected[:, t], atol=1e-5)
        inputs |= {name: outputs[name] for name in inputs if name in outputs}
        inputs["offset"] = keras.ops.convert_to_tensor(standardized[:, t])


def test_first_input_is_the_null_vector():
    model, _ = small(num_layers=1)
    model.get_layer("standardize").adapt([5.0, 5.0, 0.0], [2.0, 2.0, 1.0])
    lstm = model.get_layer("lstm_1")
    output = lstm.cell(np.zeros((1, 3), "float32"), [np.zeros((1, 6), "float32")] * 2)[0]
    expected = model.get_layer("density")(output)
    np.testing.assert_allclose(model(example(1)[0])[:, 0], expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_it_learns(index):
    model, (offsets, text) = small(lstm_gradient_clip=10.0)[index], example(8)
    loss = losses.NegativeLogLikelihood(model.get_layer("density").distribution)
    model.compile(keras.optimizers.Adam(0.02), loss=loss)
    inputs = (offsets, text) if index else offsets
    history = model.fit(inputs, offsets, epochs=40, batch_size=8, verbose=0).history["loss"]
    assert history[-1] < history[0] - 1.0


def test_fused_layers():
    assert isinstance(small(fused=True)[0].get_layer("lstm_2"), keras.layers.LSTM)
    assert isinstance(small(lstm_gradient_clip=1.0)[0].get_layer("lstm_2"), layers.ClippedLSTM)
    for how in ({"lstm_gradient_clip": 1.0}, {"peepholes": True}):
        with pytest.raises(ValueError, match="fused=True cannot clip inside the LSTMs nor have peepholes"):
            small(fused=True, **how)


def test_bad_sizes():
    with pytest.raises(ValueError, match="num_layers"):
        handwriting.prediction(num_layers=0)
    with pytest.raises(ValueError, match="alphabet"):
        handwriting.synthesis("")


def test_density_along_is_of_offsets_in_the_datas_unit():
    """The density of the first two channels, integrated by hand from its parts, times the scale is the standardized."""
    offsets, text = np.random.default_rng(0).normal(size=(9, 3)).astype("float32"), np.array([97, 98, 0], "int32")
    offsets[:, 2] = 0
    for model, given in zip(small(), ((), (text,)), strict=True):
        model.get_layer("standardize").adapt([1.0, -0.5, 0.0], [2.0, 3.0, 1.0])
        parts = handwriting.density_along(model, offsets, *given)
        from_mean = offsets[:, None, :2] - parts.means
        standard = np.linalg.solve(parts.scale_tril, from_mean[..., None])[..., 0]
        constant = parts.log_weights - np.log(2 * np.pi * np.linalg.det(parts.scale_tril))
        found = np.logaddexp.reduce(constant - 0.5 * (standard**2).sum(axis=-1), axis=-1)
        params = model((offsets[None], text[None]) if given else offsets[None])
        density = model.get_layer("density").distribution
        standardized = (offsets[None] - np.array([1.0, -0.5, 0.0])) / [2.0, 3.0, 1.0]
        both = [np.asarray(density.log_prob(params, standardized + [0, 0, up]))[0] for up in (0, 1)]
        np.testing.assert_allclose(found + np.log(6.0), np.logaddexp(*both), atol=1e-3)
