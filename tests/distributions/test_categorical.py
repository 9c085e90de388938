import keras
import numpy as np
import pytest
from scipy import special

from toolkit.distributions import Categorical


def test_is_the_log_of_the_softmax():
    random = np.random.default_rng(0)
    logits, levels = random.normal(size=(3, 5, 7)).astype("float32"), random.integers(0, 7, (3, 5))
    expected = np.take_along_axis(special.log_softmax(logits.astype("float64"), axis=-1), levels[..., None], -1)[..., 0]
    np.testing.assert_allclose(Categorical(7).log_prob(logits, levels), expected, atol=1e-6)


def test_far_logits_and_half_precision():
    logits = keras.ops.cast([[3e4, -3e4]], "float16")
    assert np.asarray(Categorical(2).log_prob(logits, [0])).tolist() == [0.0]
    found = Categorical(2).log_prob(logits, [1])
    assert keras.backend.standardize_dtype(found.dtype) == "float32" and np.isfinite(found).all()


def test_config_and_error():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Categorical(9)))
    assert again.num_levels == again.num_params == 9
    with pytest.raises(ValueError, match="num_levels must be at least 1; got 0"):
        Categorical(0)
