import keras
import numpy as np
import pytest

from toolkit import generation, models
from toolkit.data.strokes.lines import ALPHABET
from toolkit.data.strokes.loading import load, statistics
from toolkit.methods.handwriting_inspection import inspect


@pytest.fixture(scope="module")
def splits():
    return load("embedded:60", batch_size=16, seed=0, text=True, max_points=260)


@pytest.fixture
def model(splits):
    keras.utils.set_random_seed(0)
    measured = statistics(splits.train)
    made = models.handwriting.synthesis(
        ALPHABET, units=8, num_layers=2, num_mixtures=3, num_gaussians=2,
        points_per_character=measured.points_per_character,
    )  # fmt: skip
    made.get_layer("standardize").adapt(measured.mean, measured.scale)
    return made


@pytest.mark.slow
def test_what_does_not_work_is_said(model, splits):
    """A window that was made to stand still, and a mixture that was made to use one component, each with its remedy."""
    real = splits.validation.peek()
    given = real["offsets"], real["mask"], real["text"]
    healthy = inspect(model, *given)
    assert healthy.weights.shape == (*real["offsets"].shape[:2], real["text"].shape[1])
    assert healthy.log_weights.shape == (*real["mask"].shape, 3)
    assert not list(healthy.warnings())
    assert set(healthy.scalars()) == {"window/text_read", "mixture/effective_components"}
    written = generation.strokes.Writer(model).generate(
        real["text"][:1], num_steps=1, prime=real["offsets"][:1, :-1]
    )  # the window laid open is the one that writes
    assert written["length"].shape == (1,)
    bias = model.get_layer("window").cell.position_bias
    bias.assign(np.concatenate([np.zeros(4), np.full(2, -12.0)]))
    assert "does not move" in "".join(inspect(model, *given).warnings())
    bias.assign(np.concatenate([np.zeros(4), np.full(2, 1.0)]))
    assert "runs ahead" in "".join(healthy._replace(text_read=2.0).warnings())
    density = model.get_layer("density")
    density.bias.assign(np.r_[50.0, np.zeros(density.bias.shape[0] - 1)])
    assert "collapsed" in "".join(inspect(model, *given).warnings())
