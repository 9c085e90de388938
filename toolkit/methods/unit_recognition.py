"""Training a network to hear the unit in each frame of sound, and what it hears in whole recordings."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from toolkit.distributions.categorical import Categorical
from toolkit.layers.frame_upsampling import middles
from toolkit.losses.negative_log_likelihood import NegativeLogLikelihood
from toolkit.metrics.character_error_rate import character_error_rate
from toolkit.metrics.confusion_matrix import confusion_matrix
from toolkit.metrics.log_loss import LogLoss
from toolkit.models import wavenet

_PIECE = 1 << 17  # samples that a network hears at once: of a long recording all its features would fill the memory


class Recognized(NamedTuple):
    """How well units were heard.

    Args:
        frame_accuracy_percent: Frames whose unit is the most probable one, pauses among them.
        unit_error_rate_percent: Edit distances between the units that are said and those that are heard, pauses left
            out, over how many are said.
        matrix: (units, units) int64, frames by the unit that is said, down, and the one that is heard.
    """

    frame_accuracy_percent: float
    unit_error_rate_percent: float
    matrix: np.ndarray


def samples_per_frame(model: keras.Model) -> int:
    """Tells how many samples share one unit.

    Args:
        model: As in `listener`.
    """
    return model.get_layer("mels").hop if "mels" in _names(model) else model.get_layer("frames").pool_size[0]


def pairs(model: keras.Model) -> Callable[[dict[str, Any]], tuple]:
    """Makes the function that turns a batch of windows into what `fit` takes.

    Args:
        model: What `models.wavenet_recognizer.wavenet_recognizer` returned.

    Returns:
        From {"audio", "mask", "speaker", "units"}, each (batch, time) but the speakers (batch,), to (audio, targets,
        weights): of "units" each whole frame's, of "samples" the level of the sample after each, the last without
        weight; for `Splits.map`.

    Example:

    >>> from toolkit.models.wavenet_recognizer import wavenet_recognizer
    >>> network = wavenet_recognizer(3, [1, 2], filters=4, skip_filters=4, hop=2)
    >>> batch = {"audio": ops.ones((1, 5)), "mask": ops.ones((1, 5)), "units": ops.convert_to_tensor([[0, 0, 1, 2, 2]])}
    >>> audio, targets, weights = pairs(network)(batch)
    >>> targets["units"].numpy().tolist(), weights["samples"].numpy().tolist()
    ([[0, 2]], [[1.0, 1.0, 1.0, 1.0, 0.0]])
    """
    hop, levels = samples_per_frame(model), model.get_layer("levels")

    def pair(batch):
        whole = batch["audio"].shape[1] // hop * hop
        after = [[0, 0], [0, 1]]
        targets = {
            "units": middles(batch["units"][:, :whole], hop),
            "samples": ops.pad(levels(batch["audio"])[:, 1:], after),
        }
        counted = ops.cast(batch["mask"], "float32")
        weights = {"units": middles(counted[:, :whole], hop), "samples": ops.pad(counted[:, 1:], after)}
        return batch["audio"], targets, weights

    return pair


def compiled(
    model: keras.Model, optimizer: keras.optimizers.Optimizer | None = None, sample_loss_weight: float = 1.0
) -> keras.Model:
    """Compiles a network for both losses: nats a frame of its unit, and nats a sample of the next one.

    Args:
        model: What `models.wavenet_recognizer.wavenet_recognizer` returned.
        optimizer: None where it is measured only.
        sample_loss_weight: Of the second loss.

    Returns:
        The network; what it shows is "units_accuracy" and "samples_bits_per_sample".

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 3.4.
    """
    family = Categorical(model.get_layer("levels").num_levels)
    units = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    model.compile(
        optimizer or "sgd",
        {"units": units, "samples": NegativeLogLikelihood(family)},
        loss_weights={"units": 1.0, "samples": sample_loss_weight},
        weighted_metrics={
            "units": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
            "samples": [LogLoss(family, name="bits_per_sample", unit="bits")],
        },
        jit_compile=False,
    )
    return model


def listener(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Makes the function that hears a recording of any length.

    Args:
        model: What `models.wavenet_recognizer.wavenet_recognizer` or `models.speech_classifier.speech_classifier`
            returned.

    Returns:
        From a waveform (time,) to the log-probabilities (time // hop, units) of each whole frame's unit. A long
        recording is heard in pieces, each with so much before and after it that nothing is heard otherwise.

    Example:

    >>> from toolkit.models.wavenet_recognizer import wavenet_recognizer
    >>> network = wavenet_recognizer(3, [1, 2], filters=4, skip_filters=4, hop=20)
    >>> listener(network)(np.zeros(110, "float32")).shape
    (5, 3)
    """
    hop, units = samples_per_frame(model), keras.Model(model.input, model.output["units"])
    before, after = _reach(model)
    each = max(1, _PIECE // hop)

    def listen(waveform):
        waveform, found = np.asarray(waveform, "float32"), []
        num_frames = len(waveform) // hop
        for start in range(0, num_frames, each):
            stop = min(start + each, num_frames)
            first, last = max(0, start - before), min(stop + after, num_frames)
            logits = units.predict(waveform[None, first * hop : last * hop], verbose=0)
            found.append(logits[0, start - first : stop - first])
        if not found:
            raise ValueError(f"expected one frame of {hop} samples at least; got {len(waveform)} samples.")
        return np.asarray(ops.log_softmax(np.concatenate(found)))

    return listen


def said(units: np.ndarray) -> list[int]:
    """Lists the units of a recording in their order, each stretch once, pauses (number 0) left out.

    Args:
        units: (samples or frames,), the number of each one's unit.

    Example:

    >>> said(np.array([0, 3, 3, 5, 0, 5]))
    [3, 5, 5]
    """
    return [int(unit) for unit, _ in itertools.groupby(units) if unit]


def stretches(units: np.ndarray) -> list[tuple[int, int, int]]:
    """Lists from where to where each unit of a recording reaches.

    Args:
        units: (samples or frames,), the number of each one's unit.

    Returns:
        (start, end, unit), the end not among them.

    Example:

    >>> stretches(np.array([0, 3, 3]))
    [(0, 1, 0), (1, 3, 3)]
    """
    edges = np.flatnonzero(np.diff(units, prepend=-1, append=-1))
    return [(int(start), int(end), int(units[start])) for start, end in itertools.pairwise(edges)]


def measure(model: keras.Model, sounds: Iterable[tuple[np.ndarray, np.ndarray]]) -> Recognized:
    """Counts what is heard in whole recordings against what is said.

    Args:
        model: As in `listener`.
        sounds: (waveform (time,), the number of each sample's unit (time,)).

    Returns:
        Shares in percent.

    Raises:
        ValueError: Where nothing is said, or a sound is shorter than a frame.
    """
    listen, hop = listener(model), samples_per_frame(model)
    right, found, references, readings = [], [], [], []
    for waveform, units in sounds:
        found.append(listen(waveform).argmax(axis=-1))
        right.append(np.asarray(units)[hop // 2 :: hop][: len(found[-1])])
        references.append(said(units))
        readings.append(said(found[-1]))
    num_units = model.output["units"].shape[-1]
    matrix = confusion_matrix(
        np.concatenate([*right, []]).astype(int), np.concatenate([*found, []]).astype(int), num_units
    )
    error_rate = character_error_rate(references, readings)
    return Recognized(float(100 * np.trace(matrix) / matrix.sum()), error_rate, matrix)


def _names(model):
    return {layer.name for layer in model.layers}


def _reach(model):
    """Frames before and after a frame that its units depend on."""
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv1D)]
    sides = sum(layer.kernel_size[0] // 2 for layer in convolutions)
    if "mels" in _names(model):
        length = -(-model.get_layer("mels").frame_length // samples_per_frame(model))
        return sides + length, sides + length
    samples = sum((block.kernel_size - 1) * block.dilation_rate for block in wavenet.blocks(model))
    return sides - (-samples // samples_per_frame(model)), sides
