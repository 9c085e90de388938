import keras
import numpy as np
import pytest

from toolkit import models
from toolkit.data.strokes.lines import ALPHABET
from toolkit.data.strokes.loading import load
from toolkit.methods.stroke_likelihood import compiled, likelihood, pairs


def network(kind):
    keras.utils.set_random_seed(0)
    text = {"alphabet": ALPHABET, "num_gaussians": 2} if kind == "synthesis" else {}
    model = getattr(models.handwriting, kind)(units=8, num_layers=1, num_mixtures=3, **text)
    model.get_layer("standardize").adapt([3.0, 0.0, 0.0], [4.0, 6.0, 1.0])
    return model


@pytest.fixture(scope="module")
def splits():
    return load("embedded:60", batch_size=16, seed=0, text=True)


@pytest.mark.parametrize("kind", [pytest.param("synthesis", marks=pytest.mark.slow), "prediction"])
def test_is_the_networks_own_density(kind, splits):
    """Against the network run by hand over the lines."""
    model = network(kind)
    found = likelihood(model, splits.train.map(pairs(model)).dataset(num_epochs=1))
    nats, points, sequences = 0.0, 0, 0
    for line in splits.train.dataset(num_epochs=1).as_numpy_iterator():
        params = model((line["offsets"], line["text"]) if kind == "synthesis" else line["offsets"])
        standardized = ((line["offsets"] - [3, 0, 0]) / [4, 6, 1]).astype("float32")
        log_prob = np.asarray(model.get_layer("density").distribution.log_prob(params, standardized))
        nats -= log_prob[line["mask"]].sum()
        points, sequences = points + line["mask"].sum(), sequences + len(line["mask"])
    assert set(found) == {
        "log_loss_nats_per_point",
        "log_loss_nats_per_sequence",
        "log_loss_nats_per_point_pen_units",
        "squared_error_per_point",
        "squared_error_per_point_pen_units",
    }
    np.testing.assert_allclose(found["log_loss_nats_per_point"], nats / points, rtol=1e-4)
    np.testing.assert_allclose(found["log_loss_nats_per_sequence"], nats / sequences, rtol=1e-4)
    in_pen_units = found["log_loss_nats_per_point_pen_units"] - found["log_loss_nats_per_point"]
    np.testing.assert_allclose(in_pen_units, np.log(24.0), rtol=1e-4)
    ratio = found["squared_error_per_point_pen_units"] / found["squared_error_per_point"]
    assert 16 <= ratio <= 36


@pytest.mark.parametrize("kind", [pytest.param("synthesis", marks=pytest.mark.slow), "prediction"])
def test_the_loss_is_nats_a_line_of_a_full_batch(kind, splits):
    model = network(kind)
    assert compiled(model, keras.optimizers.SGD(0.0), batch_size=16) is model
    batch = pairs(model)(splits.train.peek())
    found = model.train_on_batch(*batch, return_dict=True)
    per_line = found["log_loss_nats_per_point"] * batch[2].sum() / 16
    np.testing.assert_allclose(found["loss"], per_line, rtol=1e-4)
    half = [part[:8] if not isinstance(part, tuple) else tuple(each[:8] for each in part) for part in batch]
    halved = model.train_on_batch(*half, return_dict=True)
    assert 0.2 < halved["loss"] / found["loss"] < 0.8, "a smaller last batch weighs less"
