"""Windows of recordings: in training anywhere, elsewhere end to end (WaveNet's pieces of a second or less)."""

from collections.abc import Sequence

import numpy as np

from toolkit.data.audio.clips import Clip
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.lazy import tensorflow as tf


def windows(
    clips: Sequence[Clip],
    speakers: Sequence[str],
    *,
    window: int,
    context: int = 0,
    batch_size: int,
    seed: int = 0,
    shuffle: bool = False,
) -> Batches:
    """Cuts recordings in windows.

    Args:
        clips: The recordings.
        speakers: The names of all speakers, in the order of their numbers.
        window: Samples in a window.
        context: Samples at its beginning that do not count, unless the recording begins there.
        batch_size: Windows in a batch.
        seed: With the epoch decides order and places.
        shuffle: Whether order and places are drawn anew in each epoch, every sample in at least one window; else the
            windows are in order, and each sample counts exactly once.

    Returns:
        Batches as `speech.Speech` describes them.

    Raises:
        ValueError: Where there is no recording.
    """
    step = window - context
    lengths = np.array([clip.length for clip in clips])
    counts = 1 + -(-np.maximum(0, lengths - window) // step)
    firsts = np.cumsum(counts) - counts
    num_examples = int(counts.sum())
    number_of = {name: place for place, name in enumerate(speakers)}

    def start_of(place, index, epoch):
        """In training, windows are shifted within the room that they have, and the last one ends with the recording."""
        free = max(0, lengths[place] - window)
        if not shuffle:
            return index * step
        room = (counts[place] - 1) * step - free
        shift = np.random.default_rng([seed, epoch, place]).integers(room + 1)
        return int(np.clip(index * step - shift, 0, free))

    def read(codes):
        batch = {
            "audio": np.zeros((len(codes), window), "float32"),
            "mask": np.zeros((len(codes), window), bool),
            "speaker": np.zeros(len(codes), "int32"),
            "units": np.zeros((len(codes), window), "int32"),
        }
        for row, code in enumerate(codes):
            epoch, example = divmod(int(code), num_examples)
            place = int(np.searchsorted(firsts, example, side="right")) - 1
            start = start_of(place, example - firsts[place], epoch)
            stop = min(start + window, int(lengths[place]))
            batch["audio"][row, : stop - start] = clips[place].read(start, stop)
            batch["units"][row, : stop - start] = clips[place].units(start, stop)
            batch["mask"][row, context if start else 0 : stop - start] = True
            batch["speaker"][row] = number_of[clips[place].speaker]
        return batch

    shape = (None, window)
    signature = {
        "audio": tf.TensorSpec(shape, tf.float32),
        "mask": tf.TensorSpec(shape, tf.bool),
        "speaker": tf.TensorSpec(shape[:1], tf.int32),
        "units": tf.TensorSpec(shape, tf.int32),
    }
    order = shuffled_plan(num_examples, batch_size, seed=seed, shuffle=shuffle)

    def plan(epoch):
        # The number of an example says its epoch too, so that a batch is read without any other knowledge.
        return [batch + epoch * num_examples for batch in order(epoch)] if shuffle else order(epoch)

    return Batches(read, plan, signature, num_examples=num_examples)
