"""Keras as recipes need it, whatever its user has set for programs of their own."""

import os
import pathlib

from toolkit.lazy import keras

# Of the environment: another backend, Keras 2 in tf.keras, and limits of `fit` that are for a look at a program.
_REMOVED = ("TF_USE_LEGACY_KERAS", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")


def import_keras() -> None:
    """Imports Keras, and TensorFlow with it, and sets what the environment or keras.json may have set otherwise.

    Raises:
        ValueError: Where Keras cannot be imported because of that file.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for name in _REMOVED:
        os.environ.pop(name, None)
    try:
        config = keras.config
    except (AssertionError, AttributeError, TypeError, ValueError) as error:
        path = keras_json()
        if not path.exists():
            raise
        raise ValueError(f"Keras does not start with the settings in {path}. Correct or remove that file.") from error
    config.set_floatx("float32")
    config.set_epsilon(1e-7)
    config.set_image_data_format("channels_last")
    config.set_dtype_policy("float32")


def keras_json() -> pathlib.Path:
    """Says where Keras looks for its user's settings."""
    home = os.environ.get("KERAS_HOME")
    if home is None:
        user = os.path.expanduser("~")
        home = os.path.join(user if os.access(user, os.W_OK) else "/tmp", ".keras")
    return pathlib.Path(os.path.expanduser(home), "keras.json")
