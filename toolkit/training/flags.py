"""From the command line to a recipe's settings: absl's flags, and a look at each word before absl reads it."""

import dataclasses
import difflib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.settings.fields import check, field_kind, quoted
from toolkit.settings.fields import words as help_of

_TRUE, _FALSE = ("true", "t", "1", "yes", "y", "on"), ("false", "f", "0", "no", "n", "off")
_KINDS = {int: "a whole number", float: "a number", bool: "true or false"}


def define_flags(settings_class: type, modes: Sequence[str], flag_values: Any) -> None:
    """Defines an absl flag for each field.

    Args:
        settings_class: A recipe's settings.
        modes: What --mode can be.
        flag_values: The `absl.flags.FlagValues` to define them in.
    """
    from absl import flags

    for field in dataclasses.fields(settings_class):
        kind, choices = field_kind(field.type), modes if field.name == "mode" else field.metadata["choices"]
        define, more = ("DEFINE_enum", (list(choices),)) if choices else (_DEFINE[kind], ())
        where = {"flag_values": flag_values, "module_name": settings_class.__module__}
        getattr(flags, define)(field.name, field.default, *more, help_of(field), **where)


_DEFINE = {bool: "DEFINE_bool", int: "DEFINE_integer", float: "DEFINE_float", str: "DEFINE_string"}


def given(
    settings_class: type, modes: Sequence[str], words: Sequence[str], flag_values: Any | None = None
) -> dict[str, Any]:
    """Takes a command line apart. What is no flag is refused: absl drops it, and runs something else than was meant.

    Args:
        settings_class: A recipe's settings; each field is a flag.
        modes: What --mode can be.
        words: The command line without the program's name.
        flag_values: The `absl.flags.FlagValues` that define the flags and are to hold the values; None: new ones.

    Returns:
        The value of each flag that is named.

    Raises:
        ValueError: Where a word is no flag, or a flag is none of these, given twice with other values, or its value
            cannot be; it says what was probably meant.

    Example:

    >>> from toolkit import settings
    >>> given(settings.Training, ("all",), ["--epochs=3", "--nojit_compile"])
    {'epochs': 3, 'jit_compile': False}
    """
    fields = {field.name: field for field in dataclasses.fields(settings_class)}
    found, last, rest = {}, None, list(words)
    while rest:
        word = rest.pop(0)
        match = re.fullmatch(r"--?([A-Za-z]\w*)(?:=(.*))?", word, re.DOTALL)
        if match is None:
            raise ValueError(_stray(word, rest, last, fields, modes))
        name, value = match.groups()
        off = value is None and name not in fields and name.startswith("no") and name[2:] in fields
        field = fields.get(name[2:] if off else name)
        if field is None or (off and field_kind(field.type) is not bool):
            raise ValueError(_unknown(name, fields))
        if value is None and field_kind(field.type) is bool:
            value = "false" if off else "true"
        elif value is None:
            follows = re.match(r"--?(?:no)?(\w+)", rest[0]) if rest else None
            if not rest or (follows and follows[1] in fields):
                raise ValueError(f"--{name} needs a value: --{name}=VALUE.")
            value = rest.pop(0)
        last, value = (field, value), _value(field, value, modes)
        if found.get(field.name, value) != value:
            both = f"{quoted(found[field.name])} and {quoted(value)}"
            raise ValueError(f"--{field.name} is given twice: {both}. Leave one out.")
        found[field.name] = value
    if flag_values is None:
        from absl import flags

        flag_values = flags.FlagValues()
        define_flags(settings_class, modes, flag_values)
    # Only now, and each once, in the one form that absl cannot take for something else.
    flag_values(["", *(f"--{name}={value}" for name, value in found.items())])
    return {name: flag_values[name].value for name in found}


def _value(field, text, modes):
    """What a flag's text means."""
    kind = field_kind(field.type)
    if field.name == "mode" and text not in modes:
        raise ValueError(f"--mode must be one of {', '.join(modes)}; got {quoted(text)}.")
    if kind is str:
        if not text and field.default != "":
            raise ValueError(f"--{field.name}= is empty. Give it a value, or leave it out.")
        value = text
    elif kind is bool:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise ValueError(f"--{field.name} must be true or false; got {quoted(text)}.")
        value = text.lower() in _TRUE
    else:
        try:
            value = kind(text)
        except ValueError as error:
            raise ValueError(f"--{field.name} must be {_KINDS[kind]}; got {quoted(text)}.") from error
    check(field, value)
    return value


def _stray(word, rest, last, fields, modes):
    """Says what a word that is no flag was probably meant to be."""
    bare = word.lstrip("-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}").replace("-", "_")
    name = bare.partition("=")[0]
    told = f"{quoted(word)} is no flag"
    if name in fields and bare:
        return f"{told}. Did you mean --{bare if len(bare) < 60 else name + '=...'}?"
    if word in modes:
        return f"{told}. Did you mean --mode={word}?"
    if last is not None:
        field, before = last
        kind, value = field_kind(field.type), word.lower()
        if kind is bool and value in (*_TRUE, *_FALSE):
            return f"{told}. Did you mean --{'' if value in _TRUE else 'no'}{field.name}?"
        if kind is str:
            end = next((place for place, each in enumerate(rest) if each.startswith("--")), len(rest))
            whole = " ".join([before, word, *rest[:end]]).strip()
            value = shlex.quote(whole) if re.search(r'["$`\\!]', whole) else f'"{whole}"'
            meant = f"--{field.name}={value}" if len(whole) < 200 and whole.isprintable() else f'--{field.name}="..."'
            return f"{told}: a value with spaces is written in quotes. Did you mean {meant}?"
    return f"{told}. Each is written --NAME=VALUE; --help lists them."


def _unknown(name, fields):
    """Says which flag was probably meant."""
    off = [f"no{each}" for each, field in fields.items() if field_kind(field.type) is bool]
    if name in off:
        return f"--{name} takes no value: leave it out, or write --{name[2:]}=VALUE."
    near = difflib.get_close_matches(name.lower(), [*fields, *off], n=1, cutoff=0.7)
    hint = f" Did you mean --{near[0]}?" if near else ""
    return f"there is no flag --{name[:100]}.{hint} --help lists every flag."


def settings_from_flags(settings_class: type, named: Mapping[str, Any], recipe: str, stand_in: bool) -> Any:
    """Settings from what the command line names; where the workdir holds a training, the rest is as it was trained.

    Args:
        settings_class: The recipe's settings.
        named: What `given` found.
        recipe: The recipe's name, for the default workdir.
        stand_in: Whether the phase is about a trained model: without a workdir and a training in its default, it is
            then about the shipped one.

    Returns:
        The settings.

    Raises:
        ValueError: Where a flag does not fit the others, or the shipped model.
    """
    from toolkit.training.shipping import shipped, shipped_settings
    from toolkit.training.workdir import stored_settings

    fields = dataclasses.fields(settings_class)
    values = {field.name: field.default for field in fields} | dict(named)
    values["workdir"] = _folder(values["workdir"] or os.path.join("runs", recipe))
    stored, before, where = stored_settings(values["workdir"], settings_class), {}, ""
    if stored is not None and stored["recipe"] == recipe and stored["trained"]:
        before = stored["settings"]
    elif "workdir" not in named and stand_in and shipped(recipe):
        before, where = shipped_settings(recipe), shipped(recipe)
    for field in fields:
        if field.name in before and field.metadata["remembered"]:
            if field.name not in named:
                values[field.name] = before[field.name]
            elif where and not field.metadata["changeable"] and values[field.name] != before[field.name]:
                raise ValueError(
                    f"{where} was made with --{field.name}={before[field.name]}, not {values[field.name]}. Leave the "
                    "flag out, or name the --workdir of a training of your own."
                )
    return settings_class(**values)


def _folder(path):
    """The workdir's path, which no shell has looked at where it follows a "="."""
    whole = os.path.expanduser(path)
    if whole.startswith("~"):
        raise ValueError(f"--workdir={path}: there is no such user. A folder of that name: ./{path}.")
    if max(map(len, os.fsencode(whole).split(b"/"))) > 255 or len(whole) > 4000:
        raise ValueError(f"--workdir={path[:40]}... is longer than a path can be. Choose a shorter one.")
    return whole
