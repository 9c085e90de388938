"""Sound as codes for a prior: whole recordings encoded, cut to pieces of one length, and paired for training."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit.methods import sound_likelihood


def pieces(encode: Callable[[np.ndarray], np.ndarray], examples: Iterable[Any], num_places: int) -> Iterator[tuple]:
    """Encodes whole recordings, and cuts their codes to pieces that are equally long.

    Args:
        encode: From a waveform (samples,) to its codes (codes,).
        examples: Anything with `waveform` and `speaker`, a number.
        num_places: Codes of a piece; the last one of a recording is filled up with code 0.

    Yields:
        Of each recording (codes (pieces, num_places), speakers (pieces,), how many codes count (pieces,)), as
        `data.codes.write` takes them.

    Example:

    >>> from types import SimpleNamespace
    >>> recording = SimpleNamespace(waveform=np.arange(5), speaker=3)
    >>> [each.tolist() for each in next(pieces(lambda sound: sound, [recording], num_places=3))]
    [[[0, 1, 2], [3, 4, 0]], [3, 3], [3, 2]]
    """
    for each in examples:
        codes = np.asarray(encode(each.waveform))
        starts = np.arange(0, max(1, len(codes)), num_places)
        whole = np.pad(codes, (0, len(starts) * num_places - len(codes))).reshape(-1, num_places)
        yield whole, np.full(len(starts), each.speaker), np.minimum(num_places, len(codes) - starts)


def pairs(prior: keras.Model) -> Callable[[dict[str, Any]], tuple]:
    """Makes the function that turns a batch of pieces into what `fit` takes.

    Args:
        prior: What `models.wavenet.wavenet` returned with `codes=True`.

    Returns:
        From {"codes": (batch, places), "label": (batch,), the speakers, "length": (batch,)} to (inputs, codes,
        weights), of which places beyond the length weigh nothing; for `Splits.map`.
    """
    pair = sound_likelihood.pairs(prior)

    def of_codes(batch):
        mask = ops.arange(batch["codes"].shape[1])[None] < batch["length"][:, None]
        return pair({"audio": ops.cast(batch["codes"], "float32"), "mask": mask, "speaker": batch["label"]})

    return of_codes


def measured(prior: keras.Model, batches: Any) -> float:
    """Measures what codes take.

    Args:
        prior: As in `pairs`, trained.
        batches: `data.pipelines.Batches` of what `pairs` takes.

    Returns:
        -log2 p of a code that counts, given those before it; the mean.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 3.3.
    """
    pieces_of_codes = batches.map(pairs(prior)).dataset(num_epochs=1)
    prior = sound_likelihood.compiled(prior, bits="bits_per_code")
    return prior.evaluate(pieces_of_codes, verbose=0, return_dict=True)["bits_per_code"]


def codes_and_units(
    encode: Callable[[np.ndarray], np.ndarray], hop: int, examples: Iterable[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Sets what is said beside each code of whole recordings.

    Args:
        encode: As in `pieces`.
        hop: Samples of a code.
        examples: Anything with `waveform` and `units`, the number of each sample's.

    Returns:
        Codes, and the unit in the middle of each, (codes,) both, of all recordings together.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3 (there: 41 phonemes).
    """
    found = [(np.asarray(encode(each.waveform)), np.asarray(each.units)) for each in examples]
    middles = [units[np.minimum(np.arange(len(codes)) * hop + hop // 2, len(units) - 1)] for codes, units in found]
    return np.concatenate([codes for codes, _ in found]), np.concatenate(middles)
