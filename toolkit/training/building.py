"""Models built from what a file says of them, and nothing of it run that is no layer known here."""

import importlib
import json
import pathlib
from typing import Any

import numpy as np

from toolkit.files import limits
from toolkit.files.archives import Zip
from toolkit.lazy import keras

# What a layer has at least as many weights as: more of them than a file can hold are not made room for.
_SIZES = ("units", "filters", "input_dim", "output_dim")


def built(config: dict, where: str, most: int) -> Any:
    """Builds a model from its configuration.

    Args:
        config: As `keras.saving.serialize_keras_object` gives it.
        where: Whose it is, for the message.
        most: How many weights there are for it.

    Raises:
        ValueError: Where a layer of it is not known here, or has more weights.
    """
    try:
        import_layers(config)
        _check_safe(config, most)
        model = keras.saving.deserialize_keras_object(_float32(config))
        if not isinstance(model, keras.Model):
            raise ValueError(f"it is no model but {type(model).__name__}.")
        return model
    except Exception as error:  # a configuration that was changed fails in many ways
        raise ValueError(
            f"{where} cannot be built here: {_first_line(error)}. Where its layers are yours, import the module that "
            "has them first."
        ) from error


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]


def load_file(path: pathlib.Path) -> Any:
    """Loads a .keras file that may hold this package's layers.

    Args:
        path: The file.

    Raises:
        ValueError: Where it is damaged.
    """
    with Zip(path, "a .keras file") as archive:
        whole = sum(map(archive.size, archive.names))
        limits.check(whole, f"{path}, unpacked,", max(limits.GIB, 2 * path.stat().st_size))
        if "config.json" not in archive.names:
            raise ValueError(f"{path} is not a whole .keras file: it has no config.json.")
        content = archive.read("config.json", 64 * limits.MIB)
    try:
        config = json.loads(content)
        import_layers(config)
        _check_safe(config, whole)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # what is in it may be anything
        raise ValueError(f"{path} is not a whole .keras file of networks known here: {_first_line(error)}.") from error
    for weight in model.weights:
        if (value := np.asarray(weight)).dtype.kind == "f" and not np.isfinite(value).all():
            raise ValueError(f"{path} holds values that are not finite, in {weight.path}: it is damaged.")
    return model


def _check_safe(config, most):
    """Refuses classes and functions that are neither Keras' own layers nor registered: building would call them."""
    if isinstance(config, list):
        for value in config:
            _check_safe(value, most)
    if not isinstance(config, dict):
        return
    module, name = config.get("module"), config.get("class_name")
    if name == "__lambda__":
        raise ValueError("it holds a lambda, which could do anything")
    if isinstance(name, str) and isinstance(module, str):
        function = name == "function"
        known = config.get("config") if function else config.get("registered_name")
        registered = isinstance(known, str) and keras.saving.get_registered_object(known) is not None
        places = module.split(".")
        ours = places[0] == "keras" and places[1:2] not in (["utils"], ["saving"], ["config"])
        if not registered and not (module == "builtins" if function else ours):
            raise ValueError(f"it names {module}.{known if function else name}, which is no layer known here")
    for key in _SIZES:
        if isinstance(size := config.get(key), int) and size > most:
            raise ValueError(f"it has {key}={size}, and the file holds {most} numbers at most")
    for value in config.values():
        _check_safe(value, most)


def import_layers(config: Any) -> None:
    """Imports the modules of this package that a configuration names: their classes are registered thereby.

    Args:
        config: Nested dicts and lists.
    """
    if isinstance(config, dict):
        module = config.get("module")
        if isinstance(module, str) and module.startswith("toolkit.") and "registered_name" in config:
            importlib.import_module(module)
        for value in config.values():
            import_layers(value)
    elif isinstance(config, list):
        for value in config:
            import_layers(value)


def _float32(config):
    """What was trained in mixed precision is used in float32, in which its weights are."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy" and config["config"]["name"].startswith("mixed_"):
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _float32(value) for key, value in config.items()}
    return [_float32(value) for value in config] if isinstance(config, list) else config
