"""`model.fit` that is kept: checkpoints, resume at the exact step, scalars, pictures, progress, time left."""

import contextlib
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from toolkit.lazy import keras
from toolkit.training import networks as kept_networks
from toolkit.training.averaging import AveragedWeights
from toolkit.training.checkpoints import restore
from toolkit.training.diagnosis import first_not_finite
from toolkit.training.keeping import callback
from toolkit.training.norms import GradientNorms
from toolkit.training.optimizers import optimizers_of, wait_for_gradients
from toolkit.training.stage import Diverged
from toolkit.training.timing import time_fit


def fit(
    run: Any,
    model: Any,
    train: Any,
    validation: Any = None,
    *,
    network: Any,
    stage: str,
    epochs: int,
    monitor: str,
    mode: str,
    pictures: Callable[[], Mapping[str, Any]] | None,
    callbacks: tuple,
) -> None:
    """Trains a compiled model; see `Run.fit`.

    Args:
        run: The `Run`.
        model, train, validation, network, stage, epochs, monitor, mode, pictures, callbacks: As there.
    """
    distribution, optimizers = run.distribution, _ready(run, model)
    averaged = AveragedWeights(optimizers.values())
    train = distribution.shared(train)
    if run.asked("steps_per_epoch"):
        train = train.take(run.asked("steps_per_epoch"))
    if run.timing:
        return time_fit(run, stage, model, train)
    validation = distribution.shared(validation) if validation else None
    per_epoch = train.steps_per_epoch
    remembering = list(filter(_remembers, callbacks))
    holders = {"model": model, **optimizers}
    if remembering:
        holders["callbacks"] = [variable for each in remembering for variable in each.variables]
    networks = kept_networks.named(network)
    beside = kept_networks.beside(networks, {"model": model})
    best = {"model": model, **beside}
    how = {"networks": networks, "best": best, "monitor": monitor, "mode": mode, "averaged": averaged}
    kept = run.stage(stage, {**best, **holders}, per_epoch, epochs, **how)
    distribution.agree(kept.step, run.settings)
    if not kept.finished:
        kept.board.graph(stage, model)
        visible, own = _callbacks(run, model, kept, pictures, callbacks)
        held_out = {}
        if validation:  # endless: Keras begins it anew each time
            held_out = {"x": distribution.dataset(validation), "steps": validation.steps_per_epoch}
        with kept, distribution.watched(kept), _explained(run, model, train, kept):
            _train(model, train, held_out, kept, epochs, visible, own, remembering, distribution)
    if run.is_chief:
        kept.finish(stopped=model.stop_training)
    with distribution.watched(kept):
        distribution.agree(kept.step, run.settings)  # now the best weights are written
    if not run.is_chief:
        kept.finish(stopped=model.stop_training)
    run.at(kept.step)


def _ready(run, model):
    """Gives the model's optimizers, built where and as the run trains."""
    if getattr(model, "optimizer", None) is None:
        raise ValueError(f"run.fit: {model.name} is not compiled; call its compile(optimizer, loss) in run.scope().")
    run.distribution.check(model)
    model.jit_compile = run.jit_compile
    with run.distribution.scope():
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
    optimizers = optimizers_of(model)
    for optimizer in optimizers.values():
        run.distribution.add_gradients_first(optimizer)
        wait_for_gradients(optimizer)
    return optimizers


def _callbacks(run, model, kept, pictures, callbacks):
    """The stage's own callback among those given."""
    norms = None if run.distribution.strategy else GradientNorms.of(model)
    draw = (lambda: run.show(pictures(), kept)) if pictures and run.is_chief else None
    own = callback(kept, draw, norms, run.distribution.check_replicas)
    # Those that remember come first: the checkpoint of an epoch's end holds what they learned from it.
    return [*filter(_remembers, callbacks), own, *itertools.filterfalse(_remembers, callbacks)], own


def _remembers(each):
    return hasattr(each, "variables")


def _train(model, train, held_out, kept, epochs, visible, own, remembering, distribution):
    model.stop_training = False
    if kept.owes_validation:
        owed = {"callbacks": visible, "return_dict": True, "verbose": 0}
        found = model.evaluate(**held_out, **owed) if held_out else {}
        late = {f"val_{name}": value for name, value in found.items()}
        keras.callbacks.CallbackList(remembering, model=model).on_epoch_end(kept.epoch - 1, late)
        own.set_model(model)
        own.close_epoch({}, found)
    per_epoch = kept.steps_per_epoch
    done = kept.step % per_epoch
    # An interrupted epoch is ended first, by a fit of its own that has only the steps left.
    spans = [(kept.epoch, kept.epoch + 1, per_epoch - done)] if done else []
    spans.append((kept.epoch + bool(done), epochs, per_epoch))
    for first, last, steps in spans:
        if first < last and not model.stop_training:
            model.fit(
                distribution.dataset(train, start_step=kept.step),
                initial_epoch=first,
                epochs=last,
                steps_per_epoch=steps,
                validation_data=held_out.get("x"),
                validation_steps=held_out.get("steps"),
                callbacks=visible,
                shuffle=False,  # the data has its own order
                verbose=0,
            )
    kept.leave_if_signalled()


@contextlib.contextmanager
def _explained(run, model, train, kept):
    """Where the loss is not finite: says what was so first, by doing the steps since the last checkpoint again."""
    first_step = kept.step
    first_state = None if kept.latest.exists() or run.distribution.strategy else kept.state()
    try:
        yield
    except Diverged as error:
        if run.distribution.strategy:
            raise
        if kept.latest.exists():
            first_step = restore(kept.latest, kept.holders)["step"]
        else:
            kept.set_state(first_state)
        again = error.step - 1 - first_step
        print(f"{error}\nLooking for what was not finite first: {again} steps again ...", flush=True)
        stop = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs=None: kept.leave_if_signalled(together=True)
        )
        why = ""
        with contextlib.suppress(Exception):  # the error itself counts for more than its cause
            if again:
                data = train.dataset(first_step)
                model.fit(data, steps_per_epoch=again, callbacks=[stop], shuffle=False, verbose=0)
            why = first_not_finite(model, next(iter(train.dataset(error.step - 1))))
        raise Diverged(f"{error} {why}", error.step) from error
