"""What TensorBoard shows of a run, as numbers: a scalar over the steps."""

import os
import pathlib

from toolkit.lazy import tensorflow as tf


def learning_curves(workdir: str | os.PathLike, tag: str = "loss") -> dict[str, list[tuple[int, float]]]:
    """Reads a scalar from the event files that a run wrote.

    Args:
        workdir: The run's folder.
        tag: The scalar's name in TensorBoard, such as "loss".

    Returns:
        Split, "train" or "validation", to the steps and values, in the order of the steps; without the splits that have
        no such scalar. Of a step that was done twice, before and after a kill, the later one.

    Example:

    >>> learning_curves("runs/none")
    {}
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for split in ("train", "validation"):
        written = []
        for path in (pathlib.Path(workdir) / "logs" / split).glob("events*"):
            events = EventAccumulator(str(path), size_guidance={"tensors": 0}).Reload()
            written += events.Tensors(tag) if tag in events.Tags()["tensors"] else []
        written.sort(key=lambda event: event.wall_time)
        if written:
            found[split] = sorted({event.step: float(tf.make_ndarray(event.tensor_proto)) for event in written}.items())
    return found
