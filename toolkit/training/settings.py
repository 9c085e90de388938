"""What a person sets: a frozen dataclass whose fields are the recipe's flags."""

import dataclasses
import types
from typing import Any

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


def setting(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] | None = None,
    minimum: float | None = None,
    changeable: bool = False,
    remembered: bool = False,
) -> Any:
    """A field of a `Settings` class, and so a flag of its recipe.

    Args:
        default: Its default; its type (bool, int, float or str) is the flag's.
        help: What it is, with its unit and the paper's value.
        choices: The strings it can be.
        minimum: The least number it can be.
        changeable: Whether it may differ between two commands on one workdir. What decides a model's shape or what it
            is trained on may not; what is asked of a trained model may.
        remembered: Whether a later command that leaves the flag out takes the workdir's value; what is not changeable
            always is.

    Returns:
        A dataclass field.

    Example:

    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class MySettings(Settings):
    ...     units: int = setting(400, "LSTM cells in each layer", minimum=1)
    >>> MySettings(workdir="w", units=8).units
    8
    """
    metadata = {"help": help, "choices": choices, "minimum": minimum, "changeable": changeable}
    metadata["remembered"] = remembered or not changeable
    return dataclasses.field(default=default, metadata=types.MappingProxyType(metadata))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings every recipe has; a recipe's own class adds to them.

    Raises:
        ValueError: Where a value is not of its field's type, choices or range; the message names the flag.
    """

    workdir: str = setting("", "folder for everything the run writes; again: it resumes [runs/RECIPE]", changeable=True)
    mode: str = setting("all", "all: every phase but benchmark; or one phase", changeable=True)
    data: str = setting("embedded", "what to train on, READER:REST")
    epochs: int = setting(
        10, "passes over the training data; a larger number trains on", minimum=1, changeable=True, remembered=True
    )
    steps_per_epoch: int = setting(0, "steps that count as an epoch; 0: the whole training data", minimum=0)
    batch_size: int = setting(32, "examples in a step", minimum=1)
    learning_rate: float = setting(1e-3, "step size of the optimiser", minimum=0.0, changeable=True, remembered=True)
    seed: int = setting(0, "seed of the data's order, the first weights and all noise", minimum=0)
    precision: str = setting("float32", "dtype policy", choices=PRECISIONS)
    jit_compile: str = setting(
        "auto", "XLA; auto: on with a GPU, off without", choices=("auto", "on", "off"), changeable=True
    )
    strategy: str = setting(
        "single",
        "devices: single; mirrored: all GPUs here; multi_worker: all processes that the environment's TF_CONFIG names",
        choices=("single", "mirrored", "multi_worker"),
        changeable=True,
    )
    num_replicas: int = setting(
        0,
        "of --strategy=mirrored; 0: one for each GPU; without GPUs: parts of the CPU, to try it out",
        minimum=0,
        changeable=True,
    )
    data_service: str = setting(
        "", "HOST:PORT of a tf.data service that reads for this training; --mode=serve_data starts one", changeable=True
    )
    quantize: str = setting(
        "none",
        "also export a smaller .tflite: dynamic: int8 weights; float16: weights; int8: weights and what they multiply; "
        "all: each of them",
        choices=("none", "dynamic", "float16", "int8", "all"),
        changeable=True,
    )
    checkpoint_minutes: float = setting(
        2.0, "minutes between checkpoints inside an epoch; each epoch ends with one too", minimum=0.0, changeable=True
    )
    profile_steps: int = setting(
        0,
        "training steps to profile, for TensorBoard's Profile (pip install tensorboard-plugin-profile)",
        minimum=0,
        changeable=True,
    )
    verbose: bool = setting(False, "show what TensorFlow prints", changeable=True)

    def __post_init__(self):
        for field in dataclasses.fields(self):
            check(field, getattr(self, field.name))
        if self.strategy != "single" and self.jit_compile == "on":
            raise ValueError(f"--strategy={self.strategy} cannot have --jit_compile=on: leave it out.")
        if self.num_replicas and self.strategy != "mirrored":
            raise ValueError(f"--num_replicas={self.num_replicas} is for --strategy=mirrored.")
        if self.mode == "serve_data" and not self.data_service:
            raise ValueError("--mode=serve_data needs --data_service=HOST:PORT, an address of this machine.")
        if self.num_replicas > self.batch_size:
            raise ValueError(
                f"--num_replicas={self.num_replicas} cannot share --batch_size={self.batch_size} examples."
            )


def check(field: dataclasses.Field, value: Any) -> None:
    """Says clearly what is wrong with a setting.

    Args:
        field: The field.
        value: What it is to be.

    Raises:
        ValueError: Where it cannot be that.
    """
    kind = type(field.default)
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"--{field.name} must be {kind.__name__}; got {value!r}.")
    choices, minimum = field.metadata.get("choices"), field.metadata.get("minimum")
    if choices and value not in choices:
        raise ValueError(f"--{field.name} must be one of {', '.join(choices)}; got {value!r}.")
    if minimum is not None and not value >= minimum:
        raise ValueError(f"--{field.name} must be at least {minimum}; got {value}.")


def define_flags(settings_class: type, modes: tuple[str, ...], flag_values, module_name: str) -> None:
    """Defines one absl flag for each field.

    Args:
        settings_class: A `Settings` class.
        modes: What --mode can be.
        flag_values: The `absl.flags.FlagValues` to define them in.
        module_name: The module under which `--help` shows them: absl shows only the main module's.
    """
    from absl import flags

    for field in dataclasses.fields(settings_class):
        text, choices = field.metadata["help"], field.metadata["choices"]
        where = {"flag_values": flag_values, "module_name": module_name}
        if field.name == "mode":
            flags.DEFINE_enum("mode", field.default, list(modes), text, **where)
        elif choices:
            flags.DEFINE_enum(field.name, field.default, list(choices), text, **where)
        elif isinstance(field.default, bool):
            flags.DEFINE_bool(field.name, field.default, text, **where)
        elif isinstance(field.default, int):
            flags.DEFINE_integer(field.name, field.default, text, lower_bound=field.metadata["minimum"], **where)
        elif isinstance(field.default, float):
            flags.DEFINE_float(field.name, field.default, text, lower_bound=field.metadata["minimum"], **where)
        else:
            flags.DEFINE_string(field.name, field.default, text, **where)
