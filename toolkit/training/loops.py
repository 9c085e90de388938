"""A loop of one's own that is kept as `fit` is: several models, several optimizers, or no gradient at all."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from toolkit.lazy import keras
from toolkit.training import networks as kept_networks
from toolkit.training.timing import time_loop


def loop(
    run: Any,
    data: Any,
    *,
    stage: str,
    state: Mapping[str, Any],
    network: Any,
    epochs: int,
    validation: Callable[[], Mapping[str, float]] | None,
    monitor: str,
    mode: str,
    pictures: Callable[[], Mapping[str, Any]] | None,
) -> Iterator[tuple[Any, Callable]]:
    """Yields each batch with a function for its scalars; see `Run.loop`.

    Args:
        run: The `Run`.
        data, stage, state, network, epochs, validation, monitor, mode, pictures: As there.

    Yields:
        (batch, log).
    """
    if run.distribution.strategy:
        raise ValueError(
            f"--strategy={run.settings.strategy}: {stage!r} is trained by a loop of its own, which runs on one "
            "device. Leave --strategy out."
        )
    read = not isinstance(data, int)
    if read and run.asked("steps_per_epoch"):
        data = data.take(run.asked("steps_per_epoch"))
    if run.timing:
        yield from time_loop(run, stage, data)
        return
    per_epoch = data.steps_per_epoch if read else data
    networks = kept_networks.named(network) if network is not None else _models(state)
    beside = kept_networks.beside(networks, state)
    holders = {**state, **beside}
    best = [name for name, holder in holders.items() if not isinstance(holder, keras.optimizers.Optimizer)]
    kept = run.stage(
        stage, holders, per_epoch, epochs, networks=networks, best=best, monitor=monitor, mode=mode, averages=True
    )
    if not kept.finished:
        source = iter(run.distribution.dataset(data, kept.step)) if read else iter(range(kept.step, kept.num_steps))
        logs = {}
        with kept, run.distribution.watched(kept):
            if kept.owes_validation:
                _end_epoch(run, kept, validation, pictures)
            while kept.step < kept.num_steps:
                logs.clear()
                run.at(kept.step)  # that pictures of the coming step belong to
                yield next(source), logs.update
                kept.after_step(kept.step + 1, logs)
                if kept.step % per_epoch == 0:
                    _end_epoch(run, kept, validation, pictures)
    kept.finish()
    run.at(kept.step)


def _models(state):
    return {name: holder for name, holder in state.items() if isinstance(holder, keras.Model)}


def _end_epoch(run, kept, validation, pictures):
    found = {name: float(value) for name, value in validation().items()} if validation else {}
    if pictures:  # before the checkpoint, which so holds what they drew at random
        run.show(pictures(), kept)
    kept.after_epoch(kept.means, found)
