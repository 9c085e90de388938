"""Who speaks, and what, in each frame of sound: a small network of its own kind, to judge what others say."""

from collections.abc import Mapping
from typing import Any

import keras

from toolkit.layers.fused_batch_normalization import FusedBatchNormalization
from toolkit.layers.log_mel_spectrogram import LogMelSpectrogram
from toolkit.layers.speech_inventory import SpeechInventory


def speech_classifier(
    inventory: Mapping[str, Any],
    *,
    hop: int = 80,
    num_mels: int = 40,
    filters: int = 64,
    num_layers: int = 3,
    kernel_size: int = 7,
    dropout: float = 0.2,
) -> keras.Model:
    """The speaker and the unit of each frame, from its mel spectrogram and its neighbours'.

    Args:
        inventory: What is told apart, as `layers.SpeechInventory` takes it: speakers, and whole units.
        hop: Samples of a frame.
        num_mels: Bands of the mel spectrogram.
        filters: Channels of each convolution.
        num_layers: Convolutions before the output; 0: the output is linear in the mel spectrogram.
        kernel_size: Frames that each convolution sees; without any, the output.
        dropout: Share of each convolution's outputs left out in training.

    Returns:
        A model from "audio" (batch, time), in [-1, 1], to {"speaker": (batch, frames, speakers), "units": (batch,
        frames, units)}, logits, with ceil(time / hop) frames. The layer "inventory" has the names.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> inventory = {"speakers": ["theo"], "units": ["_", "a"], "unit_lengths": [800, 900], "sample_rate": 8000}
    >>> model = speech_classifier(inventory, filters=8)
    >>> {name: tuple(each.shape) for name, each in model(keras.ops.zeros((2, 1000))).items()}
    {'speaker': (2, 13, 1), 'units': (2, 13, 2)}

    Reference: Sainath, Parada 2015, "Convolutional neural networks for small-footprint keyword spotting".
    """
    if num_layers < 0 or filters < 1 or kernel_size < 1:
        raise ValueError(
            "num_layers must be at least 0, filters and kernel_size at least 1; got "
            f"{num_layers}, {filters} and {kernel_size}."
        )
    audio = keras.Input((None,), name="audio")
    x = SpeechInventory(**inventory, name="inventory")(audio)
    x = LogMelSpectrogram(inventory["sample_rate"], hop, num_mels, name="mels")(x)
    # The statistics of the first batches are far from those of log spectra, which are about -10.
    x = FusedBatchNormalization(momentum=0.9, name="normalized")(x)
    for number in range(1, num_layers + 1):
        x = keras.layers.Conv1D(filters, kernel_size, padding="same", use_bias=False, name=f"convolution_{number}")(x)
        x = FusedBatchNormalization(momentum=0.9, name=f"normalized_{number}")(x)
        x = keras.layers.Dropout(dropout, name=f"dropout_{number}")(keras.layers.ReLU(name=f"relu_{number}")(x))
    seen, outputs = 1 if num_layers else kernel_size, {}
    for name, names in (("speaker", inventory["speakers"]), ("units", inventory["units"])):
        output = keras.layers.Conv1D(len(names), seen, padding="same", dtype="float32", name=name)
        outputs[name] = output(x)
    return keras.Model(audio, outputs, name="speech_classifier")
