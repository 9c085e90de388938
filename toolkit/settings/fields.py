"""A setting: a field of a frozen dataclass, and so a flag of its recipe."""

import dataclasses
import math
import re
import types
import typing
from typing import Any


def setting(
    default: Any,
    help: str,
    *,
    paper: str = "",
    choices: tuple[str, ...] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    changeable: bool = False,
    remembered: bool = False,
    path: bool = False,
) -> Any:
    """Makes a field of a group or of a recipe's settings.

    Args:
        default: Its default; None, where the annotation allows it, means automatic.
        help: What it is, with its unit, and what None means.
        paper: The paper's value; the help shows it.
        choices: The strings it can be.
        minimum: The least number it can be.
        maximum: The greatest; of whole numbers, without it, 2,147,483,647; of a string the characters that it may
            have, without it 100,000. No number is infinite.
        changeable: Whether it may differ between two commands on one workdir. What decides a model's shape or what it
            is trained on may not; what is asked of a trained model may.
        remembered: Whether a later command that leaves the flag out takes the workdir's value; what is not changeable
            always is.
        path: Whether it names files or folders, as --data does too: it is kept so that it holds from any folder.

    Returns:
        A dataclass field.

    Example:

    >>> @group
    ... class Network:
    ...     "The network."
    ...     units: int = setting(400, "LSTM cells in each layer", minimum=1)
    >>> Network(units=8).units
    8
    """
    words = {"help": help, "paper": paper, "choices": choices, "minimum": minimum, "maximum": maximum}
    words |= {"changeable": changeable, "remembered": remembered or not changeable, "path": path}
    return dataclasses.field(default=default, metadata=types.MappingProxyType(words))


_LARGEST, _LONGEST = 2**31 - 1, 100_000


@dataclasses.dataclass(frozen=True)
class _Other:
    default: Any
    changes: dict


def other(default: Any, **changes: Any) -> Any:
    """Gives an inherited field another default and, of what `setting` takes, other choices, limits or paper's value.

    Args:
        default: Its default in this recipe.
        **changes: What else differs: `help`, `paper`, `choices`, `minimum`, `maximum`, or words
            added to the help as `more`.

    Example:

    >>> @group
    ... class Network:
    ...     "The network."
    ...     units: int = setting(400, "LSTM cells in each layer", minimum=1)
    >>> @recipe
    ... class Settings(Network):
    ...     units: int = other(160, paper="400")
    >>> words(dataclasses.fields(Settings)[0])
    'LSTM cells in each layer (paper: 400)'
    """
    return _Other(default, changes)


def group(cls: type) -> type:
    """Makes a class of `setting` fields a frozen dataclass that checks its values.

    A bare value, or `other(...)`, is another default for a field that a group among its bases has.

    Args:
        cls: The class; its docstring is the title under which `--help` lists its flags. A `check` method says what is
            wrong with several values together.

    Returns:
        The class. It raises a ValueError, naming the flag, where a value is not of its field's type, choices or range.

    Raises:
        TypeError: Where a bare value stands for a field that no group has, or a field is of another type.
    """
    inherited = {name: base for base in reversed(cls.__mro__[1:]) for name in getattr(base, "__dataclass_fields__", ())}
    annotations = cls.__dict__.get("__annotations__", {})
    for name in annotations:
        value = cls.__dict__.get(name)
        if not isinstance(value, dataclasses.Field):
            if name not in inherited:
                raise TypeError(f"{cls.__name__}.{name}: no group has such a field; write setting(default, help).")
            before = inherited[name].__dataclass_fields__[name]
            setattr(cls, name, _changed(before, value if isinstance(value, _Other) else _Other(value, {})))
        field_kind(annotations[name], f"{cls.__name__}.{name}")
    cls.__post_init__ = _check_all
    return dataclasses.dataclass(frozen=True, kw_only=True)(cls)


def _changed(field, asked):
    unknown = asked.changes.keys() - {*field.metadata, "more"}
    if unknown:
        raise TypeError(f"{field.name}: other() takes what setting() does, and more; not {', '.join(sorted(unknown))}.")
    words = {**field.metadata, **asked.changes}
    more = words.pop("more", "")
    words["help"] += f"; {more}" if more else ""
    return dataclasses.field(default=asked.default, metadata=types.MappingProxyType(words))


def recipe(cls: type) -> type:
    """Makes a recipe's settings of the groups it takes from; the same as `group`, its own fields first in `--help`.

    Args:
        cls: The class, its groups as bases.

    Returns:
        The class, a frozen dataclass.

    Raises:
        TypeError: As `group` does.

    Example:

    >>> @group
    ... class Network:
    ...     "The network."
    ...     units: int = setting(400, "LSTM cells in each layer", minimum=1)
    >>> @recipe
    ... class Settings(Network):
    ...     units: int = 160
    ...     dropout: float = setting(0.1, "share of each layer's inputs left out in training", minimum=0.0)
    >>> Settings().units
    160
    >>> Settings(units=0)
    Traceback (most recent call last):
    ValueError: --units must be at least 1; got 0.
    """
    return group(cls)


def field_kind(annotation: Any, where: str = "") -> type:
    """Says what a field's values are, None aside.

    Args:
        annotation: bool, int, float or str, or one of them `| None`.
        where: The field, for the message.

    Raises:
        TypeError: Where it is anything else.

    Example:

    >>> field_kind(int | None)
    <class 'int'>
    """
    kinds = [kind for kind in typing.get_args(annotation) or (annotation,) if kind is not type(None)]
    if len(kinds) != 1 or kinds[0] not in (bool, int, float, str):
        raise TypeError(f"{where}: a setting is a bool, int, float or str, or one of them | None; got {annotation}.")
    return kinds[0]


def words(field: dataclasses.Field) -> str:
    """Returns a field's help, the paper's value included.

    Args:
        field: Of a group or a recipe's settings.
    """
    paper = field.metadata["paper"]
    return field.metadata["help"] + (f" (paper: {paper})" if paper else "")


def check(field: dataclasses.Field, value: Any) -> None:
    """Says clearly what is wrong with a setting.

    Args:
        field: The field.
        value: What it is to be.

    Raises:
        ValueError: Where it cannot be that.
    """
    kind = field_kind(field.type)
    if value is None and type(None) in typing.get_args(field.type):
        return
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"--{field.name} must be {kind.__name__}; got {quoted(value)}.")
    choices, minimum, maximum = (field.metadata[name] for name in ("choices", "minimum", "maximum"))
    if choices and value not in choices:
        raise ValueError(f"--{field.name} must be one of {', '.join(choices)}; got {quoted(value)}.")
    if kind is str and len(value) > (maximum or _LONGEST):
        raise ValueError(f"--{field.name} must have at most {maximum or _LONGEST:,} characters; got {quoted(value)}.")
    if kind is str and "\0" in value:
        raise ValueError(f"--{field.name} holds a zero byte, which neither a text nor a name can; got {quoted(value)}.")
    if kind is str and re.search("[\ud800-\udfff]", value):
        raise ValueError(
            f"--{field.name} is not UTF-8; got {quoted(value)}. Type it in a UTF-8 terminal; where it is the name of a "
            "folder or file, rename that."
        )
    if kind is float and not math.isfinite(value):
        raise ValueError(f"--{field.name} must be a finite number; got {value}.")
    if minimum is not None and not value >= minimum:
        raise ValueError(f"--{field.name} must be at least {minimum}; got {quoted(value)}.")
    if kind is int or (kind is float and maximum is not None):
        greatest = _LARGEST if maximum is None else maximum
        if value > greatest:
            raise ValueError(f"--{field.name} must be at most {greatest}; got {quoted(value)}.")


def quoted(value: Any) -> str:
    """Writes a value for a message: in one line, and shortened where it is long.

    Args:
        value: What was given.

    Example:

    >>> quoted("a\\nb"), quoted("a" * 1000)
    ("'a\\\\nb'", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... (1,000 characters)")
    """
    if isinstance(value, int) and value.bit_length() > 300:
        return f"a number of {value.bit_length():,} bits"  # Python writes none of more than 4300 digits
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:40]}... ({len(str(value)):,} characters)"


def _check_all(settings):
    for field in dataclasses.fields(settings):
        check(field, getattr(settings, field.name))
    for cls in reversed(type(settings).__mro__):
        if "check" in cls.__dict__:
            cls.__dict__["check"](settings)


def titled(settings_class: type) -> list[tuple[str, list[dataclasses.Field]]]:
    """Sorts a recipe's fields by the groups they come from.

    Args:
        settings_class: The recipe's settings.

    Returns:
        Title and fields: the recipe's own first, in the order written, then each group in the order of the bases.
    """
    owner = {}
    for cls in reversed(settings_class.__mro__):  # the first that wrote it: a recipe's other default moves nothing
        for name in cls.__dict__.get("__annotations__", {}):
            owner.setdefault(name, cls)
    by_name = {field.name: field for field in dataclasses.fields(settings_class)}
    found = []
    for cls in settings_class.__mro__:
        fields = [by_name[name] for name in cls.__dict__.get("__annotations__", {}) if owner[name] is cls]
        if fields:
            title = "This recipe" if cls is settings_class else (cls.__doc__ or "").partition("\n")[0].rstrip(".")
            found.append((title, fields))
    return found


def help_text(settings_class: type, modes: tuple[str, ...]) -> str:
    """Writes what `--help` says of a recipe's flags.

    Args:
        settings_class: The recipe's settings.
        modes: What --mode can be.
    """
    import textwrap

    lines = []
    for title, fields in titled(settings_class):
        lines += ["", f"{title}:"]
        for field in fields:
            kind, default = field_kind(field.type), field.default
            shown = f"--[no]{field.name}" if kind is bool else f"--{field.name}"
            choices = modes if field.name == "mode" else field.metadata["choices"]
            told = f"<{'|'.join(choices)}>: " if choices else ""
            body = f"{told}{words(field)}" + ("" if default in (None, "", False) else f" [{default}]")
            lines += textwrap.wrap(
                f"{shown}: {body}", 100, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False
            )
    return "\n".join([*lines, "", "  --help: this text"])
