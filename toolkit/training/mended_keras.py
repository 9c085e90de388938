"""What Keras' `fit` needs mended where several devices or machines train together."""

import threading

from toolkit.lazy import keras

# What `mend` replaces is not public, so it holds for what it was tried with and nothing else.
TRIED = ("3.15.0", "3.15.1")


def mend() -> None:
    """Replaces two functions of Keras' trainer, with which `fit` fails under `MultiWorkerMirroredStrategy`, and a list.

    `_maybe_symbolic_build` averages a batch over the workers to learn its shapes, which a nested batch cannot be; one
    worker's own batch does as well. `reduce_per_replica` averages scalars over an axis that they do not have. What a
    layer gives to `add_loss` stands in one list for all replicas, which run in threads and take turns wherever values
    are reduced: one would clear, and add to, what another is about to read. Each thread gets a list of its own.

    Raises:
        ValueError: Where Keras is another than those that it was tried with.
    """
    if keras.__version__ not in TRIED:
        raise ValueError(
            f"--strategy other than single replaces parts of Keras, and was tried with Keras {' and '.join(TRIED)}; "
            f"this is {keras.__version__}. Type: pip install keras=={TRIED[-1]}"
        )
    from keras.src.backend.tensorflow import trainer

    if getattr(trainer, "_mended", False):
        return
    averaged = trainer.reduce_per_replica

    def build(self, iterator=None, data_batch=None):
        if self._distribute_strategy is None:
            return
        if iterator is not None:
            _, _, batches = next(iter(iterator))
            first = lambda value: self.distribute_strategy.experimental_local_results(value)[0]  # noqa: E731
            data_batch = trainer.tree.map_structure(first, next(batches))
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=data_batch)

    def reduce_per_replica(values, strategy, reduction):
        if trainer._collective_all_reduce_multi_worker(strategy) and reduction in ("auto", "mean"):
            return trainer.tree.map_structure(lambda value: strategy.reduce("MEAN", value, axis=None), values)
        return averaged(values, strategy, reduction)

    def losses(layer):
        return vars(layer).setdefault("_losses_of", {}).setdefault(threading.get_ident(), [])

    keras.layers.Layer._losses = property(losses, lambda layer, _: None)
    trainer.TensorFlowTrainer._maybe_symbolic_build = build
    trainer.reduce_per_replica = reduce_per_replica
    trainer._mended = True
