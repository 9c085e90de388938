"""Windows of videos, some frames that follow one another: in training anywhere, elsewhere end to end."""

import numpy as np

from toolkit.data import threads
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.data.videos.store import Store
from toolkit.lazy import tensorflow as tf


def span(num_frames: int, frame_step: int) -> int:
    """Tells how many frames of a video a window reaches over.

    Args:
        num_frames: Frames in the window.
        frame_step: From one of them to the next.

    Example:

    >>> span(16, 1), span(3, 2)
    (16, 5)
    """
    return (num_frames - 1) * frame_step + 1


def windows(
    store: Store,
    shape: tuple[int, int, int, int],
    *,
    frame_step: int = 1,
    batch_size: int,
    seed: int = 0,
    shuffle: bool = False,
) -> Batches:
    """Cuts videos in windows: of each as many as it holds end to end, one at least.

    Args:
        store: The videos, none shorter than a window.
        shape: (num_frames, height, width, channels) of a window.
        frame_step: From one frame of a window to the next.
        batch_size: Windows in a batch.
        seed: With the epoch decides order and places.
        shuffle: Whether order and places are drawn anew in each epoch, a place being a pure function of seed, epoch and
            window; else the windows are in order, end to end from each video's first frame.

    Returns:
        Batches of float32 (batch, num_frames, height, width, channels), 0 to 255.

    Raises:
        ValueError: Where there is no video.
    """
    reach = span(shape[0], frame_step)
    counts = store.lengths // reach
    firsts = np.cumsum(counts) - counts
    num_examples = int(counts.sum())

    def read_one(code):
        epoch, example = divmod(int(code), num_examples)
        clip = int(np.searchsorted(firsts, example, side="right")) - 1
        start = (example - int(firsts[clip])) * reach
        if shuffle:
            start = int(np.random.default_rng([seed, epoch, example]).integers(store.lengths[clip] - reach + 1))
        return store.read(clip, range(start, start + reach, frame_step))

    def read(codes):
        found = map(read_one, codes) if store.kept is not None else threads.each(read_one, codes)
        return np.stack(list(found))

    order = shuffled_plan(num_examples, batch_size, seed=seed, shuffle=shuffle)

    def plan(epoch):
        # The number of an example says its epoch too, so that a batch is read without any other knowledge.
        return [batch + epoch * num_examples for batch in order(epoch)] if shuffle else order(epoch)

    batches = Batches(read, plan, tf.TensorSpec((None, *shape), tf.uint8), num_examples=num_examples)
    return batches.map(lambda frames: tf.cast(frames, tf.float32))
