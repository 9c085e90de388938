import keras
import numpy as np

from toolkit.losses import Precomputed


def test_weighs_and_reduces():
    given, weights = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [1.0, 1.0]])
    assert float(Precomputed()(given * 0, given, weights)) == np.float32(8 / 3)
    assert float(Precomputed(reduction="sum")(given * 0, given, weights)) == 8.0


def test_config():
    loss = Precomputed(reduction="sum", name="nats")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
