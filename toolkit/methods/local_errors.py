"""Training a network of blocks each on an error of its own, and looking at what each block has learned."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit.lazy import tensorflow as tf
from toolkit.losses.projected_cross_entropy import ProjectedCrossEntropy, class_scores
from toolkit.losses.similarity_matching import SimilarityMatching, similarity_matrix
from toolkit.models import local_blocks


def local_losses(
    network: keras.Model, loss: str, *, beta: float | None = None, projection_size: int = 128, seed: int = 0
) -> tuple[dict[str, keras.losses.Loss], dict[str, float]]:
    """Makes the losses of a network's outputs, for one-hot labels.

    pred is the cross-entropy of a block's own classifier, sim the mean of (S(f(h)) - S(labels))² over pairs of a batch,
    predsim (1 - beta) pred + beta sim. Of the -bpf forms the labels are a fixed random projection of theirs.

    Args:
        network: What `models.local_blocks.local_blocks` returned for the loss.
        loss: "global" or one of `LOCAL_LOSSES`.
        beta: Weight of sim in predsim, 0 to 1; None: as published, 0.99, of predsim-bpf 0.01.
        projection_size: Of the -bpf forms, as the network has it.
        seed: Of the projections, of which each block has its own.

    Returns:
        (losses, weights): both by the outputs' names, as `compile` takes them.

    Raises:
        ValueError: Where the loss is unknown or beta out of range.

    Example:

    >>> network = local_blocks.local_blocks("mlp", (8, 8, 1), units=16, num_hidden=1)
    >>> losses, weights = local_losses(network, "predsim")
    >>> sorted((name, round(weight, 2)) for name, weight in weights.items())
    [('block_1_prediction', 0.01), ('block_1_similarity', 0.99), ('logits', 0.01)]

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656; the published code, which weighs the last layer like pred.
    """
    if loss != "global" and loss not in local_blocks.LOCAL_LOSSES:
        raise ValueError(f"loss must be one of global, {', '.join(local_blocks.LOCAL_LOSSES)}; got {loss!r}.")
    free = loss.endswith("-bpf")
    if beta is None:
        beta = 0.01 if free else 0.99
    if not 0 <= beta <= 1:
        raise ValueError(f"beta must be from 0 to 1; got {beta}.")
    both = loss.startswith("predsim")
    losses, weights = {}, {}
    for name in network.output:
        own = seed + _number(name)
        if name.endswith("_similarity"):
            losses[name] = SimilarityMatching(projection_size if free else None, own)
        elif name != "logits" and free:
            losses[name] = ProjectedCrossEntropy(own)
        else:
            losses[name] = keras.losses.CategoricalCrossentropy(from_logits=True)
        weights[name] = 1.0 if not both else beta if name.endswith("_similarity") else 1 - beta
    return losses, weights


def _number(name):
    """The block's, of an output; of the logits 0."""
    return int(name.split("_")[1]) if name.startswith("block_") else 0


def compiled(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss: str,
    *,
    beta: float | None = None,
    projection_size: int = 128,
    seed: int = 0,
    one_pass: bool = False,
) -> keras.Model:
    """Compiles a network to be trained by `fit` on images and {output: one-hot labels} for each of its outputs.

    Args:
        network: What `models.local_blocks.local_blocks` returned for the loss.
        optimizer: Of all weights; Adam treats each by itself, so that one is as good as one for each block.
        loss: As in `local_losses`.
        beta: As there.
        projection_size: As there.
        seed: As there.
        one_pass: Whether all blocks' gradients are computed together after the last block, all activations kept as
            back-propagation keeps them, instead of block by block. The weights become the same.

    Returns:
        The network itself, for "global" or one pass; else a `BlockByBlock` of it.
    """
    losses, weights = local_losses(network, loss, beta=beta, projection_size=projection_size, seed=seed)
    trained = network if one_pass or loss == "global" else BlockByBlock(network)
    accuracy = {"logits": [keras.metrics.CategoricalAccuracy("accuracy")]}
    trained.compile(optimizer, loss=losses, loss_weights=weights, metrics=accuracy, jit_compile=False)
    trained.optimizer.build(network.trainable_variables)
    return trained


class BlockByBlock(keras.Model):
    """Trains a network's blocks one after another on each batch, so that no more than one block's activations live.

    A block's gradients are computed as soon as its features are, and the next block begins when they are there.

    Args:
        network: What `models.local_blocks.local_blocks` returned, for a local loss.
        **kwargs: As in `keras.Model`.

    Raises:
        ValueError: Where the network was made for back-propagation.

    Example:

    >>> network = local_blocks.local_blocks("mlp", (8, 8, 1), units=16)
    >>> model = compiled(network, keras.optimizers.Adam(1e-3), "predsim")
    >>> images, labels = ops.zeros((10, 8, 8, 1)), ops.eye(10)
    >>> logs = model.train_on_batch(images, dict.fromkeys(network.output, labels), return_dict=True)
    >>> {"loss", "logits_accuracy", "block_3_similarity_loss"} <= set(logs)
    True

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656.
    """

    def __init__(self, network: keras.Model, **kwargs) -> None:
        super().__init__(**kwargs)
        if list(network.output) == ["logits"]:
            raise ValueError("the network has no errors of its blocks: it was made with loss='global'.")
        self.network = network
        self.stages = local_blocks.stages(network)

    def compile(self, *args, loss=None, loss_weights=None, **kwargs):
        super().compile(*args, loss=loss, loss_weights=loss_weights, **kwargs)
        self._own = loss, loss_weights

    def call(self, inputs, training=None):
        return self.network(inputs, training=training)

    def build(self, input_shape=None):
        self.built = True

    def train_step(self, batch):
        """Takes a step.

        Args:
            batch: (images, {output: one-hot labels}).

        Returns:
            The metrics.
        """
        x, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
        losses, weights = self._own
        outputs, gradients = {}, {}
        for stage in self.stages:
            with tf.GradientTape() as tape:
                found = stage(x, training=True)
                passed = found.pop("passed", None)
                paid = sum(weights[name] * losses[name](labels[name], value) for name, value in found.items())
                paid = self.optimizer.scale_loss(paid)
            variables = stage.trainable_variables
            own = tape.gradient(paid, variables)
            gradients |= {id(variable): gradient for variable, gradient in zip(variables, own, strict=True)}
            outputs |= found
            if passed is not None:
                with tf.control_dependencies(own):  # what they were computed from is free by then
                    x = tf.identity(passed)
        trained = self.network.trainable_variables
        self.optimizer.apply([gradients[id(variable)] for variable in trained], trained)
        # Once more, of outputs that are small, for what Keras keeps of them.
        paid = self.compute_loss(y=labels, y_pred=outputs, training=True)
        replicas = self.distribute_strategy.num_replicas_in_sync
        self._loss_tracker.update_state(paid * replicas, sample_weight=ops.shape(outputs["logits"])[0])
        return self.compute_metrics(None, labels, outputs)


def block_accuracies(network: keras.Model, batches: Iterable[tuple], loss: str, *, seed: int = 0) -> dict[str, float]:
    """Measures how many images each block's own classifier, and the network, tells right.

    A block of a -bpf loss tells bits; the class whose bits go best with them counts.

    Args:
        network: What `models.local_blocks.local_blocks` returned, trained.
        batches: Of (images, class numbers), that end.
        loss: That it was trained by.
        seed: As in `local_losses`.

    Returns:
        Shares from 0 to 1: "block_1" and so on, where blocks have a classifier, and last "network".

    Raises:
        ValueError: Where there is no image.
    """
    right, number = {}, 0
    for images, labels in batches:
        for name, scores in block_scores(network, images, loss, seed=seed).items():
            right[name] = right.get(name, 0) + int((scores.argmax(axis=1) == np.asarray(labels)).sum())
        number += len(labels)
    if not number:
        raise ValueError("batches: expected one image at least.")
    return {name: count / number for name, count in right.items()}


def block_scores(network: keras.Model, images: Any, loss: str, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Computes what each block's own classifier, and the network, say of images.

    Args:
        network: What `models.local_blocks.local_blocks` returned.
        images: (batch, height, width, channels), 0 to 255.
        loss: That it was trained by.
        seed: As in `local_losses`.

    Returns:
        Scores (batch, classes), the greatest of which is the class: "block_1" and so on, where blocks have a
        classifier, and last "network", whose scores are logits.
    """
    found = network(np.asarray(images, "float32"), training=False)
    num_classes, scores = found["logits"].shape[-1], {}
    for name in local_blocks.block_names(network):
        said = found.get(f"{name}_prediction")
        if said is not None and loss.endswith("-bpf"):
            said = class_scores(said, num_classes, seed + _number(name))
        scores |= {} if said is None else {name: np.asarray(said)}
    return scores | {"network": np.asarray(found["logits"])}


def block_similarities(network: keras.Model, images: Any, labels: Any) -> dict[str, np.ndarray]:
    """Computes how alike images are to each block, `similarity_matrix` of its features h, and by their classes.

    Of maps it is that of `models.local_blocks.compared`.

    Args:
        network: What `models.local_blocks.local_blocks` returned.
        images: (batch, height, width, channels), 0 to 255.
        labels: (batch,), class numbers.

    Returns:
        float32 (batch, batch) by block, "block_1" and so on; and last "labels".
    """
    names = local_blocks.block_names(network)
    features = keras.Model(network.input, {name: network.get_layer(name).output for name in names})
    found = features(np.asarray(images, "float32"), training=False)
    vectors = {name: local_blocks.compared(found[name], f"{name}_compared") for name in names}
    vectors["labels"] = np.eye(network.output["logits"].shape[-1], dtype="float32")[np.asarray(labels)]
    return {name: np.asarray(similarity_matrix(each)) for name, each in vectors.items()}
