import keras
import numpy as np
import pytest

from toolkit import settings, training
from toolkit.training.borrowing import borrowed


def trained(folder):
    run = training.Run(settings.Training(workdir=str(folder), seed=3), "a_recipe")
    with run.scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    for _, log in run.loop(1, stage="model", state={"model": model}):
        log(loss=1.0)
    run.close()
    return model


def test_a_network_and_how_it_was_made(tmp_path):
    model = trained(tmp_path / "other")
    found, stored = borrowed(tmp_path / "other", "--model")
    np.testing.assert_array_equal(found.get_weights()[0], model.get_weights()[0])
    assert stored["recipe"] == "a_recipe" and stored["settings"]["seed"] == 3


def test_where_nothing_was_trained(tmp_path):
    with pytest.raises(ValueError, match=r"--model=.*nowhere holds no trained network 'model'"):
        borrowed(tmp_path / "nowhere", "--model")
    training.Run(settings.Training(workdir=str(tmp_path / "empty")), "a_recipe").close()
    with pytest.raises(ValueError, match="--start=.*empty holds no trained network"):
        borrowed(tmp_path / "empty", "--start")
    trained(tmp_path / "other")
    with pytest.raises(ValueError, match="no trained network 'second'"):
        borrowed(tmp_path / "other", "--model", "second")
