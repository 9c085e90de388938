"""WaveNet as a recognizer: the unit that is spoken in each frame of a sound."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from toolkit.layers.mu_law import MuLaw
from toolkit.models import wavenet


def wavenet_recognizer(
    num_units: int,
    dilations: Sequence[int] = wavenet.DILATIONS,
    filters: int = 32,
    skip_filters: int = 128,
    kernel_size: int = 2,
    *,
    num_levels: int = 256,
    hop: int = 80,
    num_frame_layers: int = 3,
    frame_filters: int = 64,
    inventory: Mapping[str, Any] | None = None,
) -> keras.Model:
    """The unit of each frame, and beside it the distribution of each next sample, for a second loss.

    The blocks are a WaveNet's; the mean of each frame's samples is pooled, and convolutions over three frames that are
    not causal follow.

    Args:
        num_units: Units, such as phonemes.
        dilations: As in `wavenet.wavenet`.
        filters: As in `wavenet.wavenet`.
        skip_filters: As in `wavenet.wavenet`.
        kernel_size: As in `wavenet.wavenet`.
        num_levels: As in `wavenet.wavenet`.
        hop: Samples of a frame (paper: 10 ms, 160 of 16,000 Hz).
        num_frame_layers: Convolutions over frames.
        frame_filters: Channels of these.
        inventory: As in `wavenet.wavenet`.

    Returns:
        A model from "audio" (batch, time), in [-1, 1], to {"units": (batch, time // hop, num_units), logits of each
        whole frame's unit; "samples": (batch, time, num_levels), logits of the sample after each}.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> model = wavenet_recognizer(5, [1, 2, 4], filters=8, skip_filters=8, hop=20, frame_filters=8)
    >>> {name: tuple(each.shape) for name, each in model(keras.ops.zeros((2, 110))).items()}
    {'samples': (2, 110, 256), 'units': (2, 5, 5)}

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 3.4.
    """
    if num_units < 1 or hop < 1 or num_frame_layers < 0:
        raise ValueError(
            "num_units and hop must be at least 1 and num_frame_layers at least 0; got "
            f"{num_units}, {hop} and {num_frame_layers}."
        )
    audio = keras.Input((None,), name="audio")
    levels = MuLaw(num_levels, name="levels")
    sizes = dilations, filters, skip_filters, kernel_size
    skips = wavenet.skip_sum(audio, levels, *sizes, inventory=inventory)
    samples = keras.layers.Dense(skip_filters, activation="relu", name="hidden")(skips)
    samples = keras.layers.Dense(num_levels, dtype="float32", name="categorical")(samples)
    x = keras.layers.AveragePooling1D(hop, name="frames")(skips)
    for number in range(1, num_frame_layers + 1):
        x = keras.layers.Conv1D(frame_filters, 3, padding="same", activation="relu", name=f"frame_{number}")(x)
    units = keras.layers.Dense(num_units, dtype="float32", name="units")(x)
    return keras.Model(audio, {"samples": samples, "units": units}, name="recognizer")
