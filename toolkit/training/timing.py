"""How long a training's steps and its reading take: what `--mode=benchmark` prints, without code in a recipe."""

import pathlib
import statistics
import time
from collections.abc import Iterator
from typing import Any

from toolkit.files.text import checked, read_json
from toolkit.lazy import tensorflow as tf

_STEPS = 12


def time_fit(run: Any, stage: str, model: Any, train: Any) -> None:
    """Times a compiled model's step, and the reading of its batches.

    Args:
        run: The `Run`.
        stage: The stage's name.
        model: The compiled model; its weights change.
        train: `data.pipelines.Batches`, as `fit` takes them.
    """
    batch = next(iter(train.dataset()))
    parts = batch if isinstance(batch, tuple) else (batch,)
    shared = run.distribution.dataset(train) if run.distribution.strategy else None

    def step():
        if shared is None:
            return model.train_on_batch(*parts)
        # train_on_batch would give each replica the whole batch.
        return model.fit(shared, steps_per_epoch=1, epochs=1, verbose=0).history["loss"]

    examples = tf.nest.flatten(parts[0])[0].shape[0]
    label = "" if stage == "model" else f", {stage}"
    milliseconds = run.benchmark(f"training step{label}", step, per="batch")
    print(f"  {examples / milliseconds * 1e3:.0f} examples a second in training")
    stream = iter(train.dataset())
    milliseconds = run.benchmark(f"reading{label}", lambda: next(stream), per="batch", repeats=30)
    print(f"  {examples / milliseconds * 1e3:.0f} examples a second are read")


def time_loop(run: Any, stage: str, data: Any) -> Iterator[tuple[Any, Any]]:
    """Yields a few batches as `Run.loop` does, and times what is done with each.

    Args:
        run: The `Run`.
        stage: The stage's name.
        data: `data.pipelines.Batches`, or a number of steps.

    Yields:
        (batch, log).
    """
    source = iter(range(min(data, _STEPS)) if isinstance(data, int) else data.take(_STEPS).dataset(num_epochs=1))
    milliseconds = []
    for batch in source:
        start = time.perf_counter()
        yield batch, lambda **scalars: [float(value) for value in scalars.values()]  # which waits for them
        milliseconds.append((time.perf_counter() - start) * 1e3)
    run.keep_benchmark(f"step, {stage}", statistics.median(milliseconds[1:] or milliseconds), "step")


def show_latencies(folder: pathlib.Path) -> None:
    """Prints what an export's card says of each file's signatures.

    Args:
        folder: The export.
    """
    path, expected, remedy = folder / "card.json", "the card of an export", "Export again."
    card = read_json(path, expected, fields={"files": dict}, remedy=remedy)
    for name, file in card["files"].items():
        latencies = checked(file, f"{path}, {name},", expected, {"latency_ms": dict})["latency_ms"]
        for key, milliseconds in checked(
            latencies, str(path), expected, dict.fromkeys(latencies, (int, float))
        ).items():
            print(f"  {name}, {key}: {milliseconds:.3g} ms a call, one thread")
