"""From the command line to a recipe's settings."""

import dataclasses
import os
from typing import Any

from toolkit.settings.fields import field_kind, words


def define_flags(settings_class: type, modes: tuple[str, ...], flag_values: Any, module_name: str) -> None:
    """Defines one absl flag for each field.

    Args:
        settings_class: A recipe's settings.
        modes: What --mode can be.
        flag_values: The `absl.flags.FlagValues` to define them in.
        module_name: The module that they belong to.
    """
    from absl import flags

    for field in dataclasses.fields(settings_class):
        kind, text, choices = field_kind(field.type), words(field), field.metadata["choices"]
        where = {"flag_values": flag_values, "module_name": module_name}
        if field.name == "mode":
            flags.DEFINE_enum("mode", field.default, list(modes), text, **where)
        elif choices:
            flags.DEFINE_enum(field.name, field.default, list(choices), text, **where)
        elif kind is bool:
            flags.DEFINE_bool(field.name, field.default, text, **where)
        elif kind in (int, float):
            define = flags.DEFINE_integer if kind is int else flags.DEFINE_float
            define(field.name, field.default, text, lower_bound=field.metadata["minimum"], **where)
        else:
            flags.DEFINE_string(field.name, field.default, text, **where)


def settings_from_flags(settings_class: type, flag_values: Any, recipe: str, stand_in: bool) -> Any:
    """Settings from parsed flags; where the workdir holds a training, what is left out is as it was trained.

    Args:
        settings_class: The recipe's settings.
        flag_values: Parsed flags.
        recipe: The recipe's name, for the default workdir.
        stand_in: Whether the phase is about a trained model: without a workdir and a training in its default, it is
            then about the shipped one.

    Returns:
        The settings.

    Raises:
        ValueError: Where a flag does not fit the shipped model.
    """
    from toolkit.training.shipping import shipped, shipped_settings
    from toolkit.training.workdir import stored_settings

    fields = dataclasses.fields(settings_class)
    values = {field.name: flag_values[field.name].value for field in fields}
    values["workdir"] = values["workdir"] or os.path.join("runs", recipe)
    stored, before, where = stored_settings(values["workdir"], settings_class), {}, ""
    if stored is not None and stored["recipe"] == recipe and stored["trained"]:
        before = stored["settings"]
    elif not flag_values["workdir"].value and stand_in and shipped(recipe):
        before, where = shipped_settings(recipe), shipped(recipe)
    for field in fields:
        if field.name in before and field.metadata["remembered"]:
            if not flag_values[field.name].present:
                values[field.name] = before[field.name]
            elif where and not field.metadata["changeable"] and values[field.name] != before[field.name]:
                raise ValueError(
                    f"{where} was made with --{field.name}={before[field.name]}, not {values[field.name]}. Leave the "
                    "flag out, or name the --workdir of a training of your own."
                )
    return settings_class(**values)
