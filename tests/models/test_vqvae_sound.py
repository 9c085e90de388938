import keras
import numpy as np
import pytest

from toolkit.generation.audio import SoundGenerator
from toolkit.methods import sound_likelihood
from toolkit.models import vqvae_sound as family
from toolkit.models import wavenet

HOP = 8


def small(**how):
    how = {"num_embeddings": 16, "embedding_dim": 5, "encoder_filters": 6, "num_downsamplings": 3} | how
    model = family.vqvae_sound([1, 2], 6, 8, num_levels=32, num_speakers=2, condition_size=4, **how)
    random = np.random.default_rng(0)
    for layer in model.layers:  # far from what is drawn at first, so that every code and every unit matters
        if layer.name == "encoded":
            layer.set_weights([random.normal(size=5), random.uniform(0.5, 2, 5)])  # what is the mean, and the variance
        elif layer.name != "quantizer":
            layer.set_weights([random.normal(size=w.shape) / (2 if w.ndim > 1 else 4) for w in layer.get_weights()])
    encoded = keras.Model(model.get_layer("heard").output, model.get_layer("encoded").output)(SOUND)
    rows = np.asarray(encoded).reshape(-1, 5)
    model.get_layer("quantizer").codebook.assign(rows[None, random.choice(len(rows), 16, replace=False)])
    return model


SOUND = np.random.default_rng(1).uniform(-1, 1, (3, 80)).astype("float32")


@pytest.fixture(scope="module")
def model():
    return small()


def test_published_size(unfilled):
    model = family.vqvae_sound(num_speakers=109, encoder_filters=768)
    assert wavenet.receptive_field(wavenet.arguments(model)["dilations"]) == 3070
    assert model.get_layer("upsampling").hop == 64 and model.get_layer("quantizer").num_embeddings == 512
    convolutions = [layer for layer in model.layers if layer.name.startswith("downsampling")]
    assert [layer.count_params() for layer in convolutions] == [4 * 768 + 768] + 5 * [4 * 768 * 768 + 768]


@pytest.mark.parametrize("length", [80, 77, 73, 8, 3])
def test_encoder_is_the_formula(model, length):
    """Convolutions written out in NumPy, zeros at both ends, and the nearest code."""
    levels = np.floor((np.sign(SOUND) * np.log1p(31 * np.abs(SOUND)) / np.log(32) + 1) / 2 * 31 + 0.5)
    x = (levels * 2 / 31 - 1)[:, :length, None].astype("float64")
    for number in (1, 2, 3):
        kernel, bias = model.get_layer(f"downsampling_{number}").get_weights()
        padded = np.pad(x, ((0, 0), (1, 2), (0, 0)))
        steps = range(-(-x.shape[1] // 2))
        x = np.stack([np.einsum("bkc,kcd->bd", padded[:, 2 * t : 2 * t + 4], kernel) for t in steps], axis=1)
        x = np.maximum(x + bias, 0)
    (kernel,), (mean, variance) = (model.get_layer(name).get_weights() for name in ("features", "encoded"))
    x = (x @ kernel - mean) / np.sqrt(variance + 1e-3)
    embeddings = np.asarray(model.get_layer("quantizer").embeddings)[0]
    distances = (x[:, :, None] - embeddings) ** 2
    codes = np.asarray(family.encoder(model)(SOUND[:, :length]))
    assert codes.dtype == "int32" and codes.shape == (3, -(-length // HOP))
    np.testing.assert_array_equal(codes, distances.sum(axis=-1).argmin(axis=-1))
    assert length < 8 or len(np.unique(codes)) > 1


def test_decoder_is_the_other_half(model, tmp_path):
    batch = {"audio": SOUND, "mask": np.ones((3, 80), bool), "speaker": np.array([0, 1, 1], "int32")}
    inputs = {name: np.asarray(value) for name, value in sound_likelihood.pairs(model)(batch)[0].items()}
    expected = np.asarray(model(inputs))
    assert expected.shape == (3, 80, 32)
    model.save(tmp_path / "model.keras")
    for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
        half, codes = family.decoder(each), np.asarray(family.encoder(each)(SOUND))
        given = {"audio": inputs["audio"], "units": codes, "speaker": batch["speaker"]}
        np.testing.assert_allclose(half(given), expected, atol=1e-5)
        other = codes.copy()
        other[:, 4] = (other[:, 4] + 1) % 16
        # The code that stands for samples 32 to 39 is heard there, and in the code before and after.
        changed = np.any(np.asarray(half({**given, "units": other})) != np.asarray(half(given)), axis=(0, 2))
        assert not changed[: 3 * HOP].any() and changed[3 * HOP : 6 * HOP].all()


def test_what_writes_sound_writes_with_the_decoder(model):
    half, codes = family.decoder(model), family.encoder(model)(SOUND)
    writer, speaker = SoundGenerator(half), np.array([0, 1, 1])
    inputs = {"audio": np.pad(SOUND[:, :-1], ((0, 0), (1, 0))), "heard": SOUND, "speaker": speaker}
    nats = writer.nats(model(inputs), model.get_layer("levels")(SOUND)).numpy().sum(axis=1)
    np.testing.assert_allclose(writer.score(SOUND, [80] * 3, speaker, codes)["nats"], nats, rtol=1e-4)
    as_other = writer.write(80, num_sounds=3, speaker=1 - speaker, units=codes, seed=1)
    as_self = writer.write(80, num_sounds=3, speaker=speaker, units=codes, seed=1)
    assert as_other.shape == (3, 80) and (as_other != as_self).any(axis=1).all()


@pytest.mark.slow
def test_it_learns():
    learner = sound_likelihood.compiled(small(), keras.optimizers.Adam(0.01))
    random = np.random.default_rng(2)
    sounds = (np.repeat(random.choice([-0.8, 0.8], (16, 4)), HOP, axis=1)).astype("float32")
    batch = {"audio": sounds, "mask": np.ones(sounds.shape, bool), "speaker": np.zeros(16, "int32")}
    given = sound_likelihood.pairs(learner)(batch)
    found = [learner.train_on_batch(*given, return_dict=True)["bits_per_sample"] for _ in range(30)]
    assert found[-1] < 0.5 * found[0]


def test_errors():
    with pytest.raises(ValueError, match="num_downsamplings must be between 1 and 16, and encoder_filters at least 1"):
        family.vqvae_sound([1], num_downsamplings=0)
