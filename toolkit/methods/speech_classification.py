"""Training a classifier of speakers and units, and what it hears in whole sounds."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from toolkit.layers.frame_upsampling import middles
from toolkit.metrics.frechet_distance import FeatureMoments, frechet_distance
from toolkit.models.speech_classifier import speech_classifier


class Heard(NamedTuple):
    """How much of what was asked for a classifier has heard.

    Args:
        speaker_percent: Sounds whose speaker it names, as the most probable over all frames.
        units_percent: Stretches of one unit that it names likewise; NaN where the sounds have no units.
        frame_percent: Single frames of a unit.
        speaker_chance_percent: What naming the most frequent speaker alone would give.
        units_chance_percent: What naming the most frequent unit would.
    """

    speaker_percent: float
    units_percent: float
    frame_percent: float
    speaker_chance_percent: float
    units_chance_percent: float


def pairs(model: keras.Model, num_states: int = 1) -> Callable[[dict[str, Any]], tuple]:
    """Makes the function that turns a batch of windows into what `fit` takes.

    Args:
        model: What `models.speech_classifier.speech_classifier` returned.
        num_states: Parts of a unit that have numbers of their own in the batches.

    Returns:
        From {"audio", "mask", "speaker", "units"} to (audio, targets of each frame, their weights); for `Splits.map`.
    """
    hop = model.get_layer("mels").hop

    def pair(batch):
        units = middles(batch["units"], hop) // num_states
        counted = ops.cast(middles(batch["mask"], hop), "float32")
        speaker = ops.broadcast_to(batch["speaker"][:, None], ops.shape(units))
        return batch["audio"], {"speaker": speaker, "units": units}, {"speaker": counted, "units": counted}

    return pair


def compiled(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> keras.Model:
    """Compiles a classifier for both of its outputs.

    Args:
        model: What `models.speech_classifier.speech_classifier` returned.
        optimizer: The optimizer.

    Returns:
        The network.
    """

    def each(make):
        return {name: make() for name in ("speaker", "units")}

    how = {"from_logits": True, "reduction": "mean_with_sample_weight"}
    losses = each(lambda: keras.losses.SparseCategoricalCrossentropy(**how))
    accuracies = each(lambda: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")])
    model.compile(optimizer, losses, weighted_metrics=accuracies, jit_compile=False)
    return model


def train_judge(run: Any, speech: Any, *, hop: int = 80, epochs: int = 8) -> None:
    """Trains, on real sound alone, what says who speaks and what, to hear it in what is written: the stage "judge".

    Args:
        run: The recipe's `training.Run`, or what has its `scope` and `fit`.
        speech: The `data.audio.speech.Speech` that is learned from.
        hop: Samples of a frame.
        epochs: Passes over the data.
    """
    with run.scope("judge"):
        judge = compiled(speech_classifier(speech.inventory, hop=hop), keras.optimizers.Adam(2e-3))
    splits = speech.splits.map(pairs(judge, speech.num_states))
    run.fit(judge, splits.train, splits.validation, stage="judge", epochs=epochs)


def heard_beside_chance(
    model: keras.Model, kinds: Mapping[str, tuple[Sequence[np.ndarray], Sequence[Any]]], num_states: int = 1
) -> dict[str, float]:
    """Says how often a classifier hears what was asked for, in sounds of several kinds such as real and written ones.

    Args:
        model: A trained classifier.
        kinds: By the name of each, waveforms (time,), and what is to be heard in each: anything with `speaker`, a
            number, and `units` (time,).
        num_states: As in `pairs`.

    Returns:
        "speaker_heard_in_KIND_percent" and "units_heard_in_KIND_percent"; and "speaker_chance_percent" and
        "units_chance_percent", what always naming the most frequent one would give in the last kind. Of a classifier
        that knows no units nothing is said of them.

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 3.1.
    """
    found = {}
    for kind, (sounds, asked) in kinds.items():
        triples = ((sound, each.speaker, each.units) for sound, each in zip(sounds, asked, strict=True))
        its = heard(model, triples, num_states)
        for what in ("speaker", "units") if _knows_units(model) else ("speaker",):
            found[f"{what}_heard_in_{kind}_percent"] = getattr(its, f"{what}_percent")
            found[f"{what}_chance_percent"] = getattr(its, f"{what}_chance_percent")
    return found


def heard(model: keras.Model, sounds: Iterable[tuple[np.ndarray, int, np.ndarray]], num_states: int = 1) -> Heard:
    """Counts in how many sounds a classifier hears who and what was to be heard.

    Args:
        model: A trained classifier.
        sounds: (waveform (time,), the speaker's number, the number of each sample's unit (time,)).
        num_states: As in `pairs`.

    Returns:
        Shares in percent.

    Raises:
        ValueError: Where there is no sound.

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 3.1: that the speaker is decided by what is asked.
    """
    sounds, hop = list(sounds), model.get_layer("mels").hop
    padded, counts = _padded(model, [audio for audio, *_ in sounds])
    found = model.predict(padded, batch_size=16, verbose=0)
    log_probs = {name: np.asarray(ops.log_softmax(logits)) for name, logits in found.items()}
    speakers, named, stretches = [], [], []  # (asked, heard) of each
    for place, (_, speaker, units) in enumerate(sounds):
        count = counts[place]
        speakers.append((speaker, log_probs["speaker"][place, :count].sum(axis=0).argmax()))
        asked = np.asarray(middles(np.asarray(units, "int32")[None], hop))[0, :count] // num_states
        its = log_probs["units"][place, :count]
        named.extend(zip(asked, its.argmax(axis=-1), strict=True))
        edges = np.flatnonzero(np.diff(asked, prepend=-1, append=-1))
        stretches += [(asked[first], its[first:last].sum(axis=0).argmax()) for first, last in itertools.pairwise(edges)]
    speakers, named, stretches = np.array(speakers), np.array(named), np.array(stretches)
    return Heard(
        _share(speakers),
        _share(stretches) if _knows_units(model) else float("nan"),
        _share(named) if _knows_units(model) else float("nan"),
        _most(speakers[:, 0]),
        _most(stretches[:, 0]),
    )


def frechet_distances(
    model: keras.Model, real: Sequence[np.ndarray], kinds: Mapping[str, Sequence[np.ndarray]]
) -> dict[str, float]:
    """Measures how far sounds of several kinds are from real ones, in a classifier's last features of each frame.

    Args:
        model: A trained classifier.
        real: Real sounds, (samples,) each.
        kinds: By the name of each, others.

    Returns:
        "frechet_distance_of_KIND" of each, in this classifier's features: no other one's can be compared.

    Raises:
        ValueError: Where there is no sound.

    Reference: Heusel et al. 2017, arXiv 1706.08500, section 1; of sound: Kilgour et al. 2019, arXiv 1812.08466.
    """
    seen = keras.Model(model.input, model.get_layer("units").input)

    def features(sounds):
        padded, counts = _padded(model, sounds)
        found = [np.asarray(seen(padded[start : start + 16], training=False)) for start in range(0, len(padded), 16)]
        return np.concatenate([each[:count] for each, count in zip(np.concatenate(found), counts, strict=True)])

    moments = FeatureMoments(features(real))
    return {f"frechet_distance_of_{kind}": frechet_distance(moments, features(its)) for kind, its in kinds.items()}


def _knows_units(model):
    return len(model.get_layer("inventory").units) > 1


def _padded(model, sounds):
    """Sounds as one array of whole frames, and the whole frames of each."""
    hop = model.get_layer("mels").hop
    if not len(sounds):
        raise ValueError("sounds: expected one at least.")
    longest = -(-max(map(len, sounds)) // hop) * hop
    padded = np.stack([np.pad(np.asarray(sound, "float32"), (0, longest - len(sound))) for sound in sounds])
    return padded, [max(1, len(sound) // hop) for sound in sounds]


def _share(pairs):
    return float(100 * np.mean(pairs[:, 0] == pairs[:, 1]))


def _most(asked):
    return float(100 * np.bincount(asked).max() / len(asked))
