"""Keras as recipes need it, whatever its user has set for programs of their own."""

import json
import os
import pathlib
from collections.abc import Mapping

from toolkit.lazy import keras

# Of the environment: Keras 2 in tf.keras, limits of `fit` for a first look at a program, another kind of variables.
_SET_ASIDE = ("TF_USE_LEGACY_KERAS", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")
_OURS = {"backend": "tensorflow", "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Gives the environment of a process that imports Keras as recipes do.

    Args:
        variables: The environment that there is.

    Example:

    >>> environment({"KERAS_BACKEND": "jax", "KERAS_MAX_EPOCHS": "1", "HOME": "/home/me"})
    {'HOME': '/home/me', 'KERAS_BACKEND': 'tensorflow'}
    """
    kept = {name: value for name, value in variables.items() if name not in ("KERAS_BACKEND", *_SET_ASIDE)}
    return {**kept, "KERAS_BACKEND": "tensorflow"}


def import_keras() -> None:
    """Imports Keras, and TensorFlow with it, in this process and sets aside what its user has set otherwise.

    Raises:
        ValueError: Where Keras cannot be imported because of its user's keras.json.
    """
    wanted = environment(os.environ)
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)
    try:
        config = keras.config
    except (AssertionError, AttributeError, TypeError, ValueError) as error:
        if not keras_json().exists():
            raise
        raise ValueError(f"Keras does not start with what {keras_json()} says. Correct or remove that file.") from error
    config.set_floatx(_OURS["floatx"])
    config.set_epsilon(_OURS["epsilon"])
    config.set_image_data_format(_OURS["image_data_format"])
    config.set_dtype_policy(_OURS["floatx"])


def keras_json() -> pathlib.Path:
    """Says where Keras looks for its user's settings."""
    home = os.environ.get("KERAS_HOME")
    if home is None:
        user = os.path.expanduser("~")
        home = os.path.join(user if os.access(user, os.W_OK) else "/tmp", ".keras")
    return pathlib.Path(os.path.expanduser(home), "keras.json")


def set_otherwise() -> list[str]:
    """Lists what the user has set that recipes set aside."""
    found = [f"{name}={os.environ[name]}" for name in ("KERAS_BACKEND", *_SET_ASIDE) if os.environ.get(name)]
    found = [each for each in found if each != "KERAS_BACKEND=tensorflow"]
    try:
        said = json.loads(keras_json().read_text("utf-8"))
    except (OSError, ValueError):  # Keras passes over it too
        return found
    if not isinstance(said, dict):
        return [*found, f"{keras_json()}, which holds no settings"]
    differing = [f"{name}={said[name]}" for name, ours in _OURS.items() if said.get(name, ours) != ours]
    return found + ([f"{', '.join(differing)} in {keras_json()}"] if differing else [])
