"""WaveNet: the next sample of a sound from those before it."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from toolkit.distributions.logistic_mixture import LogisticMixture
from toolkit.layers.code_levels import CodeLevels
from toolkit.layers.frame_upsampling import FrameUpsampling
from toolkit.layers.gated_residual_block import GatedResidualBlock
from toolkit.layers.mu_law import MuLaw
from toolkit.layers.speech_inventory import SpeechInventory

OUTPUTS = ("categorical", "logistic_mixture")
DILATIONS = tuple(2**n for n in range(10)) * 3


def receptive_field(dilations: Sequence[int], kernel_size: int = 2) -> int:
    """Computes how many samples a prediction depends on.

    Args:
        dilations: Of each block.
        kernel_size: Samples that each block's convolution reads.

    Returns:
        1 + the sum of (kernel_size - 1) * dilation.

    Example:

    >>> receptive_field([2**n for n in range(10)]), receptive_field(DILATIONS)
    (1024, 3070)

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 2.1.
    """
    return 1 + (kernel_size - 1) * sum(dilations)


def wavenet(
    dilations: Sequence[int] = DILATIONS,
    filters: int = 32,
    skip_filters: int = 512,
    kernel_size: int = 2,
    *,
    num_levels: int = 256,
    codes: bool = False,
    output: str = "categorical",
    num_mixtures: int = 10,
    num_speakers: int = 0,
    num_units: int = 0,
    condition_size: int = 16,
    hop: int = 80,
    num_context_layers: int = 1,
    inventory: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Builds a network that models each sample given those before it, and given the speaker and the units spoken.

    A sample's level is embedded (or, before a mixture of logistics, taken as one number); blocks of dilated causal
    convolutions follow, and ReLU, 1 x 1, ReLU, 1 x 1 of the sum of their skip connections. A speaker is a vector that
    every block adds; units, one a frame of `hop` samples, are embedded, combined with their neighbours by
    convolutions that are not causal, brought to the samples' rate by a transposed convolution of that stride, and added
    likewise.

    Args:
        dilations: Of each block (paper: 1, 2, ..., 512, and again).
        filters: Channels of the blocks, of the residual path and of what is gated.
        skip_filters: Channels of the skip connections.
        kernel_size: Samples that each block's convolution reads.
        num_levels: Levels of a sample: companded by the mu-law before a softmax, evenly spaced before logistics.
        codes: Whether "audio" is levels already, whole numbers from 0 to `num_levels` - 1 such as a quantizer's codes:
            a prior of these.
        output: "categorical", logits of the levels, or "logistic_mixture", what `distribution(model)` reads.
        num_mixtures: Logistics of the mixture.
        num_speakers: Speakers; 0: none is given.
        num_units: Units, such as phonemes; 0: none are given.
        condition_size: Channels of the speaker's vector and of the units'.
        hop: Samples of a frame: of 8,000 Hz, 80 are 10 ms.
        num_context_layers: Convolutions over three frames each.
        inventory: What the network keeps of its speech, as `layers.SpeechInventory` takes it, in the layer "inventory";
            None: nothing.

    Returns:
        A model from a dictionary: "audio" (batch, time), in [-1, 1], the samples before, 0 before the first; with
        `num_speakers` "speaker" (batch,), integers; with `num_units` "units" (batch, frames), integers, of which the
        first frame begins at the first predicted sample and frames * hop >= time. It returns (batch, time, num_levels
        or 3 * num_mixtures), float32: at each place, of the sample after the last that is read. The layer "levels"
        has the levels: targets are `model.get_layer("levels")(audio)`.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> model = wavenet([1, 2, 4], filters=8, skip_filters=8, num_speakers=3)
    >>> model({"audio": keras.ops.zeros((2, 50)), "speaker": keras.ops.array([0, 2])}).shape
    TensorShape([2, 50, 256])

    Reference: van den Oord et al. 2016, arXiv 1609.03499, sections 2.1 to 2.5; mixture: arXiv 1701.05517.
    """
    inputs, frames = {}, None
    if num_units:
        inputs["units"] = keras.Input((None,), dtype="int32", name="units")
        frames = keras.layers.Embedding(num_units, condition_size, name="unit_embedding")(inputs["units"])
    return of_frames(
        inputs,
        frames,
        dilations,
        filters,
        skip_filters,
        kernel_size,
        num_levels=num_levels,
        codes=codes,
        output=output,
        num_mixtures=num_mixtures,
        num_speakers=num_speakers,
        condition_size=condition_size,
        hop=hop,
        num_context_layers=num_context_layers,
        inventory=inventory,
    )


def of_frames(
    inputs: Mapping[str, Any],
    frames: Any,
    dilations: Sequence[int],
    filters: int,
    skip_filters: int,
    kernel_size: int,
    *,
    num_levels: int,
    codes: bool,
    output: str,
    num_mixtures: int,
    num_speakers: int,
    condition_size: int,
    hop: int,
    num_context_layers: int,
    inventory: Mapping[str, Any] | None,
    name: str = "wavenet",
) -> keras.Model:
    """Builds a WaveNet conditioned on frames that something else makes: an embedding of units, or a quantizer.

    Args:
        inputs: By name, what the frames are made of.
        frames: The Keras tensor (batch, frames, channels) made of it; None: none.
        dilations: This and the others as in `wavenet`.
        filters: As there.
        skip_filters: As there.
        kernel_size: As there.
        num_levels: As there.
        codes: As there.
        output: As there.
        num_mixtures: As there.
        num_speakers: As there.
        condition_size: As there.
        hop: As there.
        num_context_layers: As there.
        inventory: As there.
        name: The model's.

    Returns:
        A model from `inputs`, "audio" and, with `num_speakers`, "speaker", as `wavenet` describes it.

    Raises:
        ValueError: Where an argument is out of range.

    Reference: van den Oord et al. 2016, arXiv 1609.03499, sections 2.1 to 2.5.
    """
    if output not in OUTPUTS:
        raise ValueError(f"output must be one of {', '.join(OUTPUTS)}; got {output!r}.")
    sizes = {"skip_filters": skip_filters, "condition_size": condition_size, "hop": hop, "num_mixtures": num_mixtures}
    for what, size in sizes.items():
        if size < 1:
            raise ValueError(f"{what} must be at least 1; got {size}.")
    inputs = {"audio": keras.Input((None,), name="audio"), **inputs}
    speaker = local = None
    if num_speakers:
        inputs["speaker"] = keras.Input((), dtype="int32", name="speaker")
        speaker = keras.layers.Embedding(num_speakers, condition_size, name="speaker_embedding")(inputs["speaker"])
    if frames is not None:
        for number in range(1, num_context_layers + 1):
            frames = keras.layers.Conv1D(
                condition_size, 3, padding="same", activation="relu", name=f"context_{number}"
            )(frames)
        local = FrameUpsampling(condition_size, hop, name="upsampling")(frames, inputs["audio"])
    categorical = output == "categorical"
    if codes and not categorical:
        raise ValueError(f"codes have no order that output={output!r} could tell: expected 'categorical'.")
    if codes:
        levels = CodeLevels(num_levels, name="levels")
    else:
        levels = MuLaw(num_levels, None if categorical else 0, name="levels")
    x = skip_sum(
        inputs["audio"],
        levels,
        dilations,
        filters,
        skip_filters,
        kernel_size,
        looked_up=categorical,
        inventory=inventory,
        speaker=speaker,
        local=local,
    )
    x = keras.layers.Dense(skip_filters, activation="relu", name="hidden")(x)
    size = num_levels if categorical else LogisticMixture(num_mixtures, num_levels).num_params
    return keras.Model(inputs, keras.layers.Dense(size, dtype="float32", name=output)(x), name=name)


def arguments(model: keras.Model) -> dict[str, Any]:
    """Tells what a network was made with, to make another like it.

    Args:
        model: What `wavenet` or `of_frames` returned, or the same loaded from a file.

    Returns:
        The arguments of `of_frames` from `dilations` on, by name.

    Example:

    >>> found = arguments(wavenet([1, 2], filters=4, skip_filters=8, num_units=3, hop=20))
    >>> found["dilations"], found["hop"], found["output"]
    ([1, 2], 20, 'categorical')
    """
    layers, ordered, family = {layer.name: layer for layer in model.layers}, blocks(model), distribution(model)
    inventory = layers["inventory"].get_config() if "inventory" in layers else None
    for its_own in ("name", "trainable", "dtype") if inventory else ():
        inventory.pop(its_own, None)
    speakers, upsampling = layers.get("speaker_embedding"), layers.get("upsampling")
    told = {"condition_size": 16, "hop": 80}
    if speakers:
        told["condition_size"] = speakers.output_dim
    if upsampling:
        told |= {"condition_size": upsampling.filters, "hop": upsampling.hop}
    return {
        "dilations": [block.dilation_rate for block in ordered],
        "filters": ordered[0].filters,
        "skip_filters": ordered[0].skip_filters,
        "kernel_size": ordered[0].kernel_size,
        "num_levels": layers["levels"].num_levels,
        "codes": isinstance(layers["levels"], CodeLevels),
        "output": "logistic_mixture" if family else "categorical",
        "num_mixtures": family.num_mixtures if family else 10,
        "num_speakers": speakers.input_dim if speakers else 0,
        **told,
        "num_context_layers": sum(name.startswith("context_") for name in layers),
        "inventory": inventory,
    }


def distribution(model: keras.Model) -> LogisticMixture | None:
    """Returns the mixture whose parameters a network emits.

    Args:
        model: What `wavenet` returned, or the same loaded from a file.

    Returns:
        The family; None where the network emits logits of the levels.
    """
    if "logistic_mixture" not in {layer.name for layer in model.layers}:
        return None
    return LogisticMixture(model.output_shape[-1] // 3, model.get_layer("levels").num_levels)


def blocks(model: keras.Model) -> list[GatedResidualBlock]:
    """Returns the blocks of a network, from the input on.

    Args:
        model: What `wavenet` or `wavenet_recognizer.wavenet_recognizer` returned, or the same loaded from a file.
    """
    found = [layer for layer in model.layers if isinstance(layer, GatedResidualBlock)]
    return sorted(found, key=lambda block: int(block.name.rpartition("_")[2]))


def skip_sum(
    audio: Any,
    levels: keras.layers.Layer,
    dilations: Sequence[int],
    filters: int,
    skip_filters: int,
    kernel_size: int,
    *,
    looked_up: bool = True,
    inventory: Mapping[str, Any] | None = None,
    speaker: Any = None,
    local: Any = None,
) -> Any:
    """Applies the blocks to sound, and returns the rectified sum of their skip connections.

    Args:
        audio: The Keras tensor (batch, time), in [-1, 1].
        levels: The layer that makes levels of it, named "levels".
        dilations: As in `wavenet`.
        filters: As there.
        skip_filters: As there.
        kernel_size: As there.
        looked_up: Whether a level is embedded; else it is taken as one number.
        inventory: As there.
        speaker: What all samples of a sound are told, (batch, channels), or None.
        local: What each sample is told, (batch, time, channels), or None.

    Returns:
        (batch, time, skip_filters).

    Raises:
        ValueError: Where there is no block, or a kernel reads less than two samples.
    """
    if not dilations:
        raise ValueError("dilations must name at least one block's.")
    if kernel_size < 2:
        raise ValueError(
            f"kernel_size must be at least 2; got {kernel_size}: the blocks would not see each other's past."
        )
    x = levels(audio if inventory is None else SpeechInventory(**inventory, name="inventory")(audio))
    if looked_up:
        x = keras.layers.Embedding(levels.num_levels, filters, name="lookup")(x)
    else:
        x = keras.layers.Rescaling(2 / (levels.num_levels - 1), -1.0, name="place")(x)
        x = keras.layers.Reshape((-1, 1), name="one_channel")(x)
        x = keras.layers.Dense(filters, name="lookup")(x)
    skips = []
    for number, dilation in enumerate(dilations, 1):
        block = GatedResidualBlock(filters, skip_filters, kernel_size, dilation, name=f"block_{number}")
        x, skip = block(x, speaker, local)
        skips.append(skip)
    total = keras.layers.Add(name="sum")(skips) if len(skips) > 1 else skips[0]
    return keras.layers.ReLU(name="skips")(total)
