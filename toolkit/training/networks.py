"""The networks that a stage keeps: architecture beside the weights, so that who has the folder has the model."""

import importlib
import json
import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any

from toolkit.files.writing import write_json
from toolkit.lazy import keras
from toolkit.training.checkpoints import progress_of, read, variables

FILE = "networks.json"


def named(networks: Any) -> dict[str, Any]:
    """Gives the one network of a stage its name.

    Args:
        networks: A Keras model; or several by name; or None.

    Returns:
        The networks by name, a single one as "network".
    """
    if networks is None:
        return {}
    return dict(networks) if isinstance(networks, Mapping) else {"network": networks}


def beside(networks: Mapping[str, Any], holders: Mapping[str, Any]) -> dict[str, list]:
    """Finds the weights of networks that a stage's checkpoints would not hold.

    Args:
        networks: Keras models by name.
        holders: What checkpoints hold, by name.

    Returns:
        Further holders, by name.
    """
    held = {id(variable) for _, variable in variables(holders)}
    missing = {
        f"network.{name}": [weight for weight in network.weights if id(weight) not in held]
        for name, network in networks.items()
    }
    return {name: weights for name, weights in missing.items() if weights}


def keep(folder: pathlib.Path, networks: Mapping[str, Any], holders: Mapping[str, Any]) -> None:
    """Writes what each network is made of, and which of a checkpoint's arrays are its weights.

    Args:
        folder: The stage's.
        networks: Keras models by name, built.
        holders: What the stage's checkpoints hold, `beside` included.

    Raises:
        ValueError: Where a network does not say what it is made of.
    """
    places = {}
    for key, variable in variables(holders):
        places.setdefault(id(variable), key)  # the first: what comes later may not be among the best
    described = {}
    for name, network in networks.items():
        try:
            config = keras.saving.serialize_keras_object(network)
            json.dumps(config)
            _check_known(config, name)
        except (NotImplementedError, TypeError) as error:
            raise ValueError(
                f"network {name!r} cannot be kept, for {type(network).__name__} does not say what it is made of "
                f"({error}). Give a functional model, or a registered class with get_config."
            ) from error
        config.pop("compile_config", None)
        described[name] = {"config": config, "weights": [places[id(weight)] for weight in network.weights]}
    if described:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / FILE, described)


def _check_known(config, name):
    """Refuses what could not be built again, before time is spent."""
    if isinstance(config, list):
        for value in config:
            _check_known(value, name)
    if not isinstance(config, dict):
        return
    module, registered = config.get("module"), config.get("registered_name")
    if config.get("class_name") == "__lambda__":
        raise ValueError(f"network {name!r} cannot be kept: a lambda in it could not be read again. Make it a layer.")
    if isinstance(module, str) and module.partition(".")[0] not in ("keras", "builtins") and registered is not None:
        if keras.saving.get_registered_object(registered) is None:
            raise ValueError(
                f"network {name!r} cannot be kept: {config['class_name']} is not registered. Put "
                '@keras.saving.register_keras_serializable(package="...") above its class.'
            )
    for value in config.values():
        _check_known(value, name)


def load(folder: pathlib.Path, path: pathlib.Path, only: str | None = None) -> dict[str, Any]:
    """Builds a stage's networks again, in float32, with the weights of a checkpoint.

    Args:
        folder: The stage's.
        path: The checkpoint.
        only: The name of one network; None: all.

    Returns:
        Keras models by name.

    Raises:
        ValueError: Where a file is damaged, a network has no such name, or a layer of it is not known here.
    """
    try:
        described = json.loads((folder / FILE).read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{folder / FILE} cannot be read: {error}.") from error
    if only is not None and only not in described:
        raise ValueError(f"{folder} keeps no network {only!r}; it keeps {', '.join(described)}.")
    arrays, found = read(path)[0], {}
    for name, network in described.items():
        if only in (None, name):
            found[name] = built(network["config"], f"{folder}: {name}")
            weights = [arrays[key] for key in network["weights"] if key in arrays]
            shapes = [weight.shape for weight in weights], [tuple(weight.shape) for weight in found[name].weights]
            if shapes[0] != shapes[1]:
                raise ValueError(f"{path} does not hold the weights of the {name!r} that {folder / FILE} describes.")
            for variable, weight in zip(found[name].weights, weights, strict=True):
                variable.assign(weight)
    return found


def built(config: dict, where: str) -> Any:
    """Builds a model from its configuration.

    Args:
        config: As `keras.saving.serialize_keras_object` gives it.
        where: Whose it is, for the message.

    Raises:
        ValueError: Where a layer of it is not known here.
    """
    try:
        import_layers(config)
        return keras.saving.deserialize_keras_object(_float32(config))
    except (TypeError, ValueError, ImportError) as error:
        raise ValueError(
            f"{where} cannot be built here: {error} Import the module that has its layers first."
        ) from error


def load_file(path: pathlib.Path) -> Any:
    """Loads a .keras file that may hold this package's layers.

    Args:
        path: The file.

    Raises:
        ValueError: Where it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            import_layers(json.loads(archive.read("config.json")))
    except (zipfile.BadZipFile, KeyError, ValueError, ImportError) as error:
        raise ValueError(f"{path} is not a whole .keras file ({error}).") from error
    return keras.saving.load_model(path, compile=False)


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


def arrays(path: pathlib.Path) -> dict[str, Any]:
    """Reads the plain arrays that a stage keeps.

    Args:
        path: The checkpoint.

    Returns:
        An array, or a list of several, by name.

    Raises:
        ValueError: Where it holds the weights of a model whose architecture was not kept.
    """
    found, progress = read(path)
    if progress.get("sums", {}) is None:  # fit's checkpoints have no means of their own
        raise ValueError(f"{path} holds weights and not what they are of: give run.fit its `network`.")
    names = dict.fromkeys(key.rpartition("/")[0] for key in found)
    held = {name: [value for key, value in found.items() if key.rpartition("/")[0] == name] for name in names}
    return {name: values[0] if len(values) == 1 else values for name, values in held.items()}


def checkpoint(folder: pathlib.Path) -> pathlib.Path | None:
    """Finds what a stage has kept: its best state, or its last; None where there is neither.

    Args:
        folder: The stage's.
    """
    return next((path for path in (folder / "best.npz", folder / "latest.npz") if path.exists()), None)


def other_holders(folder: pathlib.Path, path: pathlib.Path) -> set[str]:
    """Names what a loop keeps beside its networks.

    Args:
        folder: The stage's.
        path: The checkpoint.
    """
    described = json.loads((folder / FILE).read_text("utf-8")) if (folder / FILE).exists() else {}
    if progress_of(path).get("sums") is None and described:
        return set()  # of a fit: its model and optimizers
    return {key.rpartition("/")[0] for key in read(path)[0]} - set(described)


def shipped(folder: pathlib.Path, stage: str, only: str | None = None) -> dict[str, Any]:
    """Loads the networks of a stage that come with the code.

    Args:
        folder: Of saved_models/.
        stage: The stage's name; of "model", the only network is model.keras.
        only: The name of one network; None: all.

    Returns:
        Keras models by name.

    Raises:
        ValueError: Where there is no such file.
    """
    stage = stage.replace("/", "_")
    paths = {path.stem.removeprefix(f"{stage}__"): path for path in sorted(folder.glob(f"{stage}__*.keras"))}
    if (folder / f"{stage}.keras").is_file():
        paths["network"] = folder / f"{stage}.keras"
    if not paths or only not in (None, *paths):
        raise ValueError(f"{folder} has no network {only or ''!r} of the stage {stage!r}.")
    return {name: load_file(path) for name, path in paths.items() if only in (None, name)}


def shipped_name(stage: str, name: str) -> str:
    """Names the file of a network that comes with the code, without its suffix.

    Args:
        stage: The stage's name.
        name: The network's; "network", that of a stage's only one, is left out.

    Example:

    >>> shipped_name("model", "network"), shipped_name("gan", "generator")
    ('model', 'gan__generator')
    """
    stage = stage.replace("/", "_")
    return stage if name == "network" else f"{stage}__{name}"


def copy_weights(source: Any, target: Any, told: str) -> None:
    """Begins a network with another one's weights.

    Args:
        source: The trained Keras model.
        target: One of the same sizes.
        told: What the user named, for the message, such as "--start_from=FOLDER".

    Raises:
        ValueError: Where they are of unlike sizes.
    """
    shapes = [[tuple(weight.shape) for weight in model.weights] for model in (source, target)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"{told} holds a network of other sizes. Give the settings of its network that it was made with."
        )
    target.set_weights(source.get_weights())
