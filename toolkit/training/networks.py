"""The networks that a stage keeps: architecture beside the weights, so that who has the folder has the model."""

import collections
import json
import math
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from toolkit.files.text import checked, read_json
from toolkit.files.writing import write_json
from toolkit.lazy import keras
from toolkit.training.building import built, load_file
from toolkit.training.checkpoints import opened, progress_of, read, read_for, variables
from toolkit.training.differences import first_difference

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


def described(networks: Mapping[str, Any], holders: Mapping[str, Any]) -> dict[str, Any]:
    """Says what each network is made of, and which of a checkpoint's arrays are its weights.

    Args:
        networks: Keras models by name, built.
        holders: What the stage's checkpoints hold, `beside` included.

    Returns:
        What networks.json holds.

    Raises:
        ValueError: Where a network does not say what it is made of.
    """
    places = {}
    for key, variable in variables(holders):
        places.setdefault(id(variable), key)  # the first: what comes later may not be among the best
    found = {}
    for name, network in networks.items():
        try:
            config = keras.saving.serialize_keras_object(network)
            config = json.loads(json.dumps(config))  # as it is read again: tuples are lists
            _check_known(config, name)
        except (NotImplementedError, TypeError) as error:
            raise ValueError(
                f"network {name!r} cannot be kept, for {type(network).__name__} does not say what it is made of "
                f"({error}). Give a functional model, or a registered class with get_config."
            ) from error
        config.pop("compile_config", None)
        found[name] = {"config": config, "weights": [places[id(weight)] for weight in network.weights]}
    return found


def check_same(folder: pathlib.Path, now: Mapping[str, Any]) -> None:
    """Refuses to go on with another network than that of a stage's checkpoint.

    Args:
        folder: The stage's.
        now: What `described` says of today's networks.

    Raises:
        ValueError: Where they differ, with what does so first: a layer and its field, such as a class's name.
    """
    if checkpoint(folder) is None or not (folder / FILE).exists():
        return
    before = kept(folder)
    for name in before.keys() & now.keys():
        pair = (_numbered(each[name]["config"]) for each in (before, now))
        told = first_difference(*pair, aside=_ASIDE)
        if told:
            raise ValueError(
                f"{folder} was trained with another {'network' if name == 'network' else repr(name)}: {told}. Train on "
                "with what it was trained with, or choose another --workdir."
            )


# What makes no other network of it: how it computes, where its variables lie, and what Keras counts through a process.
_ASIDE = ("dtype", "synchronized", "shared_object_id", "build_config", "compile_config", "trainable")


def _numbered(config):
    """Layers are called by their name and place: the number that Keras gives them counts on through a process."""
    names, places = {}, collections.Counter()

    def look(value):
        if isinstance(value, dict):
            inner = value.get("config")
            name = inner.get("name") if isinstance(inner, dict) else None
            if isinstance(name, str) and name not in names:
                plain = re.sub(r"_\d+$", "", name)
                places[plain] += 1
                names[name] = plain if places[plain] == 1 else f"{plain} {places[plain]}"
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(each)

    def renamed(value):
        if isinstance(value, dict):
            return {key: renamed(each) for key, each in value.items()}
        if isinstance(value, list):
            return [renamed(each) for each in value]
        return names.get(value, value) if isinstance(value, str) else value

    look(config)
    return renamed(config)


def keep(folder: pathlib.Path, now: Mapping[str, Any]) -> None:
    """Writes what a stage's networks are made of.

    Args:
        folder: The stage's; it is there.
        now: What `described` says of them.
    """
    if now:
        write_json(folder / FILE, now)


def kept(folder: pathlib.Path) -> dict[str, Any]:
    """Reads what a stage's networks are made of.

    Args:
        folder: The stage's.

    Returns:
        By each network's name, its "config" and its "weights": their names in a checkpoint.

    Raises:
        ValueError: Where the file is damaged.
        FileNotFoundError: Where there is none.
    """
    path, expected = folder / FILE, "what a stage's networks are made of"
    remedy = "Remove it: --mode=train writes it anew."
    found = read_json(path, expected, fields={}, remedy=remedy)
    if not found:
        raise ValueError(f"{path} names no network. {remedy}")
    try:
        for name, network in found.items():
            checked(network, f"{path}, {name},", expected, {"config": dict, "weights": list})
    except ValueError as error:
        raise ValueError(f"{error} {remedy}") from error
    return found


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
    networks, found = kept(folder), {}
    if only is not None and only not in networks:
        raise ValueError(f"{folder} keeps no network {only!r}; it keeps {', '.join(networks)}.")
    with opened(path) as arrays:
        most = sum(math.prod(arrays.header(name)[0]) for name in arrays.names)
        for name, network in networks.items():
            if only in (None, name):
                found[name] = built(network["config"], f"{folder / FILE}: {name}", most)
                keys = [key for key in network["weights"] if key in arrays.names]
                shapes = [arrays.header(key)[0] for key in keys]
                if shapes != [tuple(weight.shape) for weight in found[name].weights]:
                    raise ValueError(
                        f"{path} does not hold the weights of the {name!r} that {folder / FILE} describes."
                    )
                for variable, key in zip(found[name].weights, keys, strict=True):
                    variable.assign(read_for(arrays, key, variable))
    return found


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
        raise ValueError(
            f"{path} holds weights and not what they are of: {FILE} is not beside it. --mode=train writes it anew; in "
            "a recipe of your own give run.fit its `network`."
        )
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
    networks = kept(folder) if (folder / FILE).exists() else {}
    if progress_of(path).get("sums") is None and networks:
        return set()  # of a fit: its model and optimizers
    with opened(path) as arrays:
        return {name.rpartition("/")[0] for name in arrays.names if "/" in name} - set(networks)


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


def is_shipped(folder: pathlib.Path, stage: str) -> bool:
    """Tells a folder of saved_models/ from a workdir.

    Args:
        folder: Either of them.
        stage: The stage's name.
    """
    return (folder / "card.json").is_file() and any(folder.glob(f"{stage.replace('/', '_')}*.keras"))


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
